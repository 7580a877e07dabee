"""The real wsgid command on an app folder, in the foreground or detached.

It is found out from what it prints when it is ready and where; it is ended by a signal to its pid, and then nothing of
it may be left: no process, pid file, run directory or socket.
"""

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import proc
from tests.deadlines import seconds, wait_for

READY = re.compile(r"^wsgid (?P<pid>\d+) serves (?P<address>.+) with \d+ workers?$", re.MULTILINE)
"""One such line for each address, on the standard output."""

ACCESS = re.compile(r"^\S+ - \S+ \[.{26}\] .* wait=.* service=.*$", re.MULTILINE)
"""A line of the access log; with ``--stdout`` it stands among those of the main log."""

MISTAKE = re.compile(r"a mistake in the event loop|Exception in callback|exception was never retrieved")
"""By our handler, and as asyncio itself says it."""

MARK = "TEST_DAEMON"
"""Environment variable by which all processes of one daemon are known, whatever session and parent they have."""

END = 40.0
"""Seconds (before stretching) for a daemon to end: more than --graceful-timeout, so the log tells what held it."""

APPLICATIONS = Path(__file__).parent.parent / "apps"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended that was not expected to stay."""

    code: int
    output: str
    """Standard output and standard error."""


class Daemon:
    """One daemon; start it by one of the start methods, once."""

    def __init__(
        self, folder: Path, *options: str, env: Mapping[str, str] | None = None, launcher: Sequence[str] = ()
    ) -> None:
        """``launcher``: a command that executes the command that follows it, as env(1) does."""
        self.folder = folder
        self._launcher = tuple(launcher)
        self.options = options
        self.pid = 0
        """Of the master."""
        self.addresses: list[str] = []
        """As told by the ready lines: ``http://127.0.0.1:40001``, ``mongrel2 ipc://... ipc://...``."""
        self._env = environment(**(env or {}))
        self._output = folder.parent / f"{folder.name}-{self._env[MARK][:8]}.out"
        self._process: subprocess.Popen[bytes] | None = None
        """In the foreground the master itself; None when detached."""
        self._ended = True

    # Starting

    def start(self) -> None:
        """In the foreground, in a session of its own. Returns when it is ready. Raises AssertionError.

        The log goes to the standard output, unless ``--no-stdout`` is among the options.
        """
        self._launch()
        expected = _count_addresses(self.options)
        wait_for(lambda: self._exited() or len(READY.findall(self.output)) >= expected, "the daemon to be ready")
        if self._exited():
            raise AssertionError(f"the daemon ended with {self.wait()} instead of getting ready:\n{self.output}")
        self._read_ready_lines()

    def start_and_end(self) -> Outcome:
        """For a start that must fail. Raises AssertionError when it does not end, or when anything is left."""
        self._launch()
        outcome = Outcome(self.wait(), self.output)
        self.assert_nothing_left()
        return outcome

    def start_detached(self) -> Outcome:
        """Returns when the launcher has returned and let go of the terminal (both ends of its standard output).

        The daemon is running when ``code`` is 0; otherwise nothing may be left. Raises AssertionError.
        """
        launcher = subprocess.run(
            [*self._launcher, *command(self.folder, *self.options)],
            env=self._env,
            cwd=self.folder.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds(),
            check=False,
        )
        self._output.write_bytes(launcher.stdout)
        if launcher.returncode == 0:
            self._ended = False
            self._read_ready_lines()
        else:
            self.assert_nothing_left()
        return Outcome(launcher.returncode, self.output)

    def _launch(self) -> None:
        with open(self._output, "ab") as output:
            self._process = subprocess.Popen(
                [*self._launcher, *command(self.folder, "--no-daemon", "--stdout", *self.options)],
                env=self._env,
                cwd=self.folder.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._ended = False

    def _read_ready_lines(self) -> None:
        found = READY.findall(self.output)
        assert found, f"it does not say where it serves:\n{self.output}"
        assert len({pid for pid, _ in found}) == 1, f"it says several pids:\n{self.output}"
        self.pid = int(found[0][0])
        self.addresses = [address for _, address in found]
        if self._process is not None:
            assert self.pid == self._process.pid, "in the foreground the command itself is the master"

    # Looking

    @property
    def url(self) -> str:
        """The first HTTP address: ``http://127.0.0.1:40001``."""
        return next(address for address in self.addresses if address.startswith("http://"))

    @property
    def address(self) -> tuple[str, int]:
        """The same as host and port."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    @property
    def log(self) -> str:
        """The main log, wherever it goes; on standard output it has the access log among its lines."""
        return self._log_file("wsgid.log") or self.output

    @property
    def access_log(self) -> list[str]:
        """The lines of the access log, wherever it goes."""
        return ACCESS.findall(self._log_file("access.log") or self.output)

    def _log_file(self, name: str) -> str:
        path = self.folder / "logs" / name
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def worker_pids(self) -> list[int]:
        """Of this daemon's workers that live, by their pid files."""
        own = {each.pid for each in self.processes()}
        return sorted(own.intersection(int(file.stem) for file in (self.folder / "pid/worker").glob("*.pid")))

    def processes(self) -> list[proc.Process]:
        """All that live of it: master, dispatcher, workers, and what those started."""
        mark = f"{MARK}={self._env[MARK]}"
        return [each for each in proc.own_descendants() if not each.zombie and each.has_variable(mark)]

    @property
    def dispatcher_pid(self) -> int:
        """The master's only child that is no worker, waited for. Raises AssertionError."""
        return wait_for(self._dispatcher, "the dispatcher")

    def _dispatcher(self) -> int | None:
        workers = {int(file.stem) for file in (self.folder / "pid/worker").glob("*.pid")}
        found = [each.pid for each in self.processes() if each.parent == self.pid and each.pid not in workers]
        return found[0] if len(found) == 1 else None

    def run(self, command: str, *options: str) -> Outcome:
        """A command on this daemon's app folder, such as ``status``, until it ends."""
        done = subprocess.run(
            [sys.executable, "-m", "wsgid", command, "--app-path", str(self.folder), *options],
            env={name: value for name, value in self._env.items() if name != MARK},
            cwd=self.folder.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds(),
            check=False,
        )
        return Outcome(done.returncode, done.stdout.decode(errors="replace"))

    def replace_dispatcher(self) -> None:
        """Kills it. Returns when the next takes requests from Mongrel2: what is sent to one that is dying is lost."""
        connected = "requests come from"
        before = self.log.count(connected)
        os.kill(self.dispatcher_pid, signal.SIGKILL)
        wait_for(lambda: self.log.count(connected) > before, "the new dispatcher")

    @property
    def noted_uploads(self) -> list[Path]:
        """The files in its journal of uploads; those that are noted or struck out meanwhile may be missing."""
        found = []
        for note in (self.folder / "run" / str(self.pid) / "uploads").iterdir():
            try:
                found.append(note.readlink())
            except FileNotFoundError:
                continue
        return found

    def wait_for_log(self, text: str) -> str:
        """The first line of the main log with this in it, waited for."""

        def found() -> str | None:
            return next((line for line in self.log.splitlines() if text in line), None)

        return wait_for(found, f"{text!r} in the log")

    def wait_for_access(self, count: int) -> list[str]:
        """The access log, once it has this many lines: a line is written after its answer was sent."""
        wait_for(lambda: len(self.access_log) >= count, f"{count} lines in the access log")
        return self.access_log

    # Ending

    @property
    def running(self) -> bool:
        """Until wait() or stop() has seen it end."""
        return not self._ended

    def send(self, number: signal.Signals) -> None:
        """To the master alone."""
        os.kill(self.pid, number)

    def send_to_group(self, number: signal.Signals) -> None:
        """To the whole process group, as a terminal does at Ctrl-C."""
        os.killpg(os.getpgid(self.pid), number)

    def wait(self) -> int:
        """Its exit code, negative for a signal. Raises AssertionError, and kills it, when it does not end."""
        try:
            wait_for(self._exited, f"the daemon {self.pid} to end", END)
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}; its output:\n{self.output}") from None
        self._ended = True
        if self._process is not None:
            return self._process.wait()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends it by a signal to the master, in order: exit code 0, nothing left. Raises AssertionError."""
        assert not self._exited(), f"the daemon had ended by itself with {self.wait()}:\n{self.output}"
        self.send(how)
        code = self.wait()
        assert code == 0, f"the daemon ended with {code}:\n{self.output}"
        self.assert_nothing_left()
        self.assert_no_mistakes()

    def kill(self) -> None:
        """SIGKILL for all of it, in whatever state it is. All are stopped first: none acts on the death of another."""
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for each in self.processes():
                proc.kill(each, how)
        wait_for(lambda: not self.processes(), "killed processes to end")
        if not self._ended:
            self._ended = True
            if self._process is not None:
                self._process.wait()
            else:
                proc.reap()

    def assert_no_mistakes(self) -> None:
        """None that the event loop has met, which ends no process and may harm no answer. Raises AssertionError."""
        told = [line for line in f"{self.log}\n{self.output}".splitlines() if MISTAKE.search(line)]
        assert not told, "the dispatcher's event loop has met a mistake:\n" + "\n".join(told) + f"\n{self.report()}"

    def assert_nothing_left(self) -> None:
        """No process, pid file, run directory or socket of this daemon. Raises AssertionError."""
        left = [f"process {each}" for each in self.processes()]
        left += [f"pid file {file}" for file in self.folder.glob("pid/*/*.pid") if not proc.alive(int(file.stem))]
        left += [f"{file}" for file in self.folder.glob(f"run/{self.pid}")]
        left += [address for address in self.addresses if address.startswith("unix:") and Path(address[5:]).exists()]
        assert not left, "the daemon left behind:\n" + "\n".join(left) + f"\nIts output:\n{self.output}"

    def _exited(self) -> bool:
        """Dead, waited for or not: unlike ``Popen.poll`` this leaves the exit code to be taken by wait()."""
        return self._ended or not proc.alive(self.pid)

    def report(self) -> str:
        """All that it said, for a test that failed."""
        told = [f"--- output of wsgid {' '.join(self.options)} ({self.pid})\n{self.output}"]
        told += [f"--- {name}\n{text}" for name in ("wsgid.log", "access.log") if (text := self._log_file(name))]
        return "\n".join(told)


def command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "wsgid", "--app-path", str(folder), *options]


def environment(**more: str) -> dict[str, str]:
    """Ours, with a new mark and without what would configure wsgid or an application by accident."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WSGID_", "DJANGO_"))}
    return {**kept, MARK: uuid.uuid4().hex, **more}


def _count_addresses(options: Sequence[str]) -> int:
    """So many ready lines are to come; wsgid.json may name addresses too, then at least one."""
    return max(
        1, sum(option in ("--bind", "--recv") or option.startswith(("--bind=", "--recv=")) for option in options)
    )
