"""Into the background, and the word back to the terminal.

The launcher, the process that was started on the terminal, forks twice: the middle one leads a new session and ends, so
that the daemon belongs to a session that has no terminal and, not leading it, never gets one (daemon(7)). A pipe stays
between the two. On it the daemon says its pid, then ``ready`` or ``failed`` and a text for people::

    1234
    ready
    wsgid 1234 serves http://127.0.0.1:8000 with 2 workers

The umask stays as the operator has set it: the 0 of old textbooks lets everybody write the application's files.
"""

import logging
import os
import selectors
import signal
import sys
from collections.abc import Callable
from signal import Signals
from typing import BinaryIO, NoReturn, Protocol, TextIO

from wsgid.master.children import flush_standard_streams
from wsgid.master.errors import CannotStart
from wsgid.master.signals import SignalInbox

HELD = (Signals.SIGINT, Signals.SIGTERM, Signals.SIGQUIT, Signals.SIGHUP)
"""Kept waiting from before the first fork until somebody listens: they come from the terminal to all that are on it."""

INTERRUPTS = (Signals.SIGINT, Signals.SIGTERM)
"""At the launcher, they end the daemon that it waits for."""

READY, FAILED = "ready", "failed"

READ_SIZE = 65536

LAST_STANDARD_DESCRIPTOR = 2

log = logging.getLogger("wsgid.master")


class Herald(Protocol):
    """Tells people on the terminal, once, how the start went."""

    def ready(self, text: str) -> None: ...

    def failed(self, text: str) -> None: ...

    def close_in_child(self) -> None: ...


class Terminal:
    """In the foreground it is still there."""

    def __init__(self, as_record: Callable[[int, str], str] | None = None) -> None:
        """``as_record`` writes a text as the log has its records, by their level: where the log comes this way as JSON,
        its reader can do with nothing else."""
        self._as_record = as_record

    def ready(self, text: str) -> None:
        self._tell(text, logging.INFO, sys.stdout)

    def failed(self, text: str) -> None:
        self._tell(text, logging.ERROR, sys.stderr)

    def _tell(self, text: str, level: int, stream: TextIO) -> None:
        _print(text if self._as_record is None else self._as_record(level, text).rstrip("\n"), stream)

    def close_in_child(self) -> None:
        """The standard streams are everybody's."""


class LauncherPipe:
    """In the background the launcher stands before it."""

    def __init__(self, writer: int) -> None:
        self._writer = writer
        self._pipe = os.fdopen(writer, "wb", 0, closefd=False)  # see `failed`
        self._tell(str(os.getpid()))

    def ready(self, text: str) -> None:
        self._tell(READY, text)
        self._close()

    def failed(self, text: str) -> None:
        """After `ready` there is nobody left to tell.

        The descriptor is left to the end of this process: so, by the end of the pipe, the launcher learns of that, and
        whoever started it finds no process any more.
        """
        if not self._pipe.closed:
            self._tell(FAILED, text)
            self._pipe.close()

    def close_in_child(self) -> None:
        self._close()

    def _close(self) -> None:
        if not self._pipe.closed:
            self._pipe.close()
            os.close(self._writer)

    def _tell(self, *lines: str) -> None:
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            while data:  # a signal may cut a long text short
                data = data[self._pipe.write(data) :]
        except BrokenPipeError:
            log.warning("whoever started the daemon did not wait for its word: %s", " ".join(lines))


def detach(log_file: str) -> LauncherPipe | int:
    """Goes on in the daemon with a pipe, and in the launcher, after the daemon has had its say, with an exit code.

    In the daemon the signals that people send wait until a SignalInbox for them is opened. Raises CannotStart.
    """
    flush_standard_streams()
    reader, writer = os.pipe2(os.O_CLOEXEC)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        middle = os.fork()
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        raise CannotStart(f"the system has no process for the daemon: {error.strerror}") from None
    if middle == 0:
        os.close(reader)
        return _become_daemon(writer)
    os.close(writer)
    with SignalInbox(INTERRUPTS) as inbox, os.fdopen(reader, "rb", 0) as pipe:
        said = _listen(pipe, inbox)
    _bury(middle)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return _pass_on(said, log_file)


def fill_standard_descriptors() -> None:
    """Started without standard streams (``<&- >&-``): or the next socket would be what all the world prints to."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= LAST_STANDARD_DESCRIPTOR:
        os.set_inheritable(opened, True)
    os.close(opened)


def _become_daemon(writer: int) -> LauncherPipe:
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
    except OSError as error:
        _die(LauncherPipe(writer), f"the system has no process for the daemon: {error.strerror}")
    return LauncherPipe(writer)


def _die(pipe: LauncherPipe, why: str) -> NoReturn:
    pipe.failed(why)
    os._exit(1)


def _listen(pipe: BinaryIO, inbox: SignalInbox) -> str:
    """All that the daemon says until it has closed the pipe."""
    said, interrupts = b"", 0
    with selectors.PollSelector() as selector:
        for source in (pipe, inbox):
            selector.register(source, selectors.EVENT_READ)
        while True:
            heard = {key.fileobj for key, _ in selector.select()}
            interrupts += len(inbox.take())
            if pipe in heard:
                part = pipe.read(READ_SIZE)
                if not part:
                    return said.decode(errors="replace")
                said += part
            if b"\n" in said:
                _interrupt(int(said[: said.index(b"\n")]), interrupts)
                interrupts = 0


def _interrupt(daemon: int, times: int) -> None:
    """To the daemon the second is, as always, "at once"."""
    for _ in range(times):
        try:
            os.kill(daemon, signal.SIGTERM)
        except ProcessLookupError:
            return  # it has ended by itself: the end of the pipe comes next


def _pass_on(said: str, log_file: str) -> int:
    daemon, _, rest = said.partition("\n")
    word, _, text = rest.partition("\n")
    if word == READY:
        _print(text.rstrip("\n"), sys.stdout)
        return 0
    lost = f"wsgid {daemon} ended without saying why; what it did last is in {log_file}"
    _print(text.rstrip("\n") if word == FAILED else lost, sys.stderr)
    return 1


def _bury(middle: int) -> None:
    try:
        os.waitpid(middle, 0)
    except ChildProcessError:
        return  # whoever started us ignores SIGCHLD, and that is inherited: the kernel has buried it


def _print(text: str, stream: TextIO) -> None:
    try:
        print(text, file=stream, flush=True)
    except OSError as error:  # the terminal is gone, or the other end of a pipe: no reason not to serve
        log.warning("%s: %s", error.strerror, text)
