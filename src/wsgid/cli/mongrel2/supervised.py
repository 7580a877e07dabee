"""A Mongrel2 that is our child: what it prints is told, signals are passed on, its end is judged."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType

from wsgid.cli.complaints import EXIT_FAILED, complain
from wsgid.cli.mongrel2.messages import Messages
from wsgid.master.notify import Notify
from wsgid.mongrel2_config.values import Server
from wsgid.mongrel2_config.whereabouts import Whereabouts

LOOK = 0.25
"""Seconds between two looks at its error log, and at whether it listens."""

MOST = 65536
"""Bytes of its output that are read at once."""

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
STOPPING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}

ENDS_OF_A_STOP = {0, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGTERM, -signal.SIGQUIT}
"""Exit codes after it was told to stop. With more than a few connections open Debian's 1.12.2 aborts as it ends, and
with an upload in progress it has been seen to end by SIGSEGV."""


class Supervised:
    """One run of it; to be used once."""

    def __init__(
        self,
        command: Sequence[str],
        server: Server,
        where: Whereabouts,
        notify: Notify,
        own_rights: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """``own_rights``: within it, files are those of Mongrel2's user, to whom its folders belong."""
        self._command = command
        self._server = server
        self._where = where
        self._notify = notify
        self._messages = Messages()
        self._process: subprocess.Popen[bytes] | None = None
        self._told_to_stop = False
        self._served = False
        self._own_rights = own_rights
        with own_rights():
            self._log = LogTail(where.error_log)

    def run(self) -> int:
        """Until it has ended; the exit code."""
        before = {number: signal.signal(number, self._pass_on) for number in PASSED_ON}
        try:
            self._process = process = subprocess.Popen(
                self._command,
                cwd=self._where.cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C on the terminal reaches it by us alone: it would get two, and end at once
            )
            if self._told_to_stop:  # before there was anybody to pass it on to
                process.send_signal(signal.SIGINT)
            code = self._watch(process)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._judge(code)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._told_to_stop |= number in STOPPING
        if self._process is not None:
            # SIGINT is its gentle way, and the others' effect is the same.
            self._process.send_signal(signal.SIGINT if number in STOPPING else number)

    def _watch(self, process: "subprocess.Popen[bytes]") -> int:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        rest = b""
        with process.stdout as output:
            while True:
                ready, _, _ = select.select([output], [], [], LOOK)
                data = os.read(output.fileno(), MOST) if ready else None
                *lines, rest = (rest + (data or b"")).split(b"\n")
                self._tell(line.decode(errors="replace") for line in lines)
                with self._own_rights():
                    added = self._log.new_lines()
                self._tell(added)
                if not self._served and self._messages.running:
                    self._say_it_serves()
                if data == b"":
                    self._tell([rest.decode(errors="replace")])
                    self._clean_up(process.pid)
                    return process.wait()

    def _tell(self, lines: Iterable[str]) -> None:
        complain(f"mongrel2: {text}" for line in lines for text in self._messages.of(line))

    def _say_it_serves(self) -> None:
        self._served = True
        scheme = "https" if self._server.use_ssl else "http"
        host = f"[{self._server.bind_addr}]" if ":" in self._server.bind_addr else self._server.bind_addr
        text = f"mongrel2 serves {scheme}://{host}:{self._server.port}"
        print(text, flush=True)
        self._notify.ready(text)

    def _judge(self, code: int) -> int:
        if self._told_to_stop and code in ENDS_OF_A_STOP:
            print("mongrel2 has ended", file=sys.stdout, flush=True)
            return 0
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with {code}"
        if self._served or code < 0:
            complain([f"mongrel2 has ended by itself, {how}; its log is {self._where.error_log}"])
        else:
            complain(["mongrel2 did not start"])
        return EXIT_FAILED

    def _clean_up(self, pid: int) -> None:
        """Its pid file, for it mostly aborts before it removes that itself; never one that names another process."""
        with self._own_rights(), contextlib.suppress(OSError):  # there is none, or what is there is not its own
            if self._where.pid_file.read_bytes().strip() == b"%d" % pid:
                self._where.pid_file.unlink()


class LogTail:
    """What is appended to a file from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode, self._position = self._at_the_end()
        self._rest = b""

    def new_lines(self) -> list[str]:
        """Whole ones. From its beginning when the file is another than before, or shorter: logs are rotated."""
        try:
            with open(self._path, "rb") as file:
                found = os.fstat(file.fileno())
                if found.st_ino != self._inode or found.st_size < self._position:
                    self._inode, self._position, self._rest = found.st_ino, 0, b""
                file.seek(self._position)
                data = file.read(MOST)
        except OSError:
            return []  # not yet there, or not for us
        self._position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def _at_the_end(self) -> tuple[int, int]:
        try:
            found = os.stat(self._path)
        except OSError:
            return 0, 0
        return found.st_ino, found.st_size
