"""Something done in a process of its own, as the user that the daemon would be: it may hang, crash, print and exit."""

import faulthandler
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

import msgspec

from wsgid.cli.checks.findings import Finding
from wsgid.config import Config
from wsgid.master import rights
from wsgid.master.rights import Identity

LAST_MARGIN = 3.0
"""Seconds beyond its time, in which it writes down where it hangs, until a process is killed."""

MAX_OUTPUT = 8000
"""Characters of what was printed that are kept: a traceback's cause is at its end."""

EXIT_DONE = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    findings: list[Finding] | None
    """None when the process did not come to its end."""
    output: str
    """What it has printed; if its time was over also where it hung."""
    ended: str
    """How it ended, in words, when there are no findings."""
    out_of_time: bool = False


Work = Callable[[], list[Finding]]


def apart(work: Work, config: Config, identity: Identity | None, limit: float) -> Outcome:
    """Does it for at most so many seconds."""
    with tempfile.TemporaryFile() as report, tempfile.TemporaryFile() as output:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _be_child(work, config, identity, limit, report, output)
        began = time.monotonic()
        status = _wait(pid, limit + LAST_MARGIN)
        took = time.monotonic() - began
        printed = _read(output).decode(errors="replace").strip()[-MAX_OUTPUT:]
        findings = _reported(_read(report)) if status == EXIT_DONE else None
    if findings is not None:
        return Outcome(findings, printed, "")
    if took >= limit:
        return Outcome(None, printed, f"it was not done within {limit:g} s", out_of_time=True)
    return Outcome(None, printed, _in_words(status))


def _reported(report: bytes) -> list[Finding] | None:
    """None when the application has ended the process itself, by ``os._exit(0)``: as if it were done."""
    try:
        return msgspec.json.decode(report, type=list[Finding])
    except msgspec.DecodeError:
        return None


def _be_child(
    work: Work, config: Config, identity: Identity | None, limit: float, report: IO[bytes], output: IO[bytes]
) -> None:
    code, pid = 1, os.getpid()
    try:
        os.setpgid(0, 0)  # so that what the application starts ends with it, unless that leaves the group
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output.fileno(), 1), (output.fileno(), 2)):
            os.dup2(source, target)
        lines = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.stdout = sys.stderr = lines
        sys.dont_write_bytecode = True
        faulthandler.dump_traceback_later(limit, exit=True, file=2)
        _become(config, identity)
        findings = work()
        if os.getpid() == pid:  # and not one that the application has forked: both go on here
            report.write(msgspec.json.encode(findings))
            report.flush()
            code = EXIT_DONE
    except BaseException:  # noqa: BLE001 - nothing of this may go on in the place of the parent
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
        finally:
            os._exit(code)  # whatever threads and exit handlers the application has left


def _become(config: Config, identity: Identity | None) -> None:
    if config.umask is not None:
        os.umask(config.umask)
    if identity is not None:
        rights.join_groups(identity)
        rights.become(identity)
        rights.set_variables(identity, os.environ, jailed=config.chroot)


def _wait(pid: int, limit: float) -> int:
    """Its exit code, or the negative number of the signal that it died from."""
    descriptor = os.pidfd_open(pid)
    with suppress(OSError):  # it may have done so itself, or even have ended
        os.setpgid(pid, pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(limit * 1000)
    finally:
        os.close(descriptor)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _in_words(status: int) -> str:
    if status >= 0:
        return f"its process ended with exit code {status}"
    number = -status
    name = signal.Signals(number).name if number in signal.valid_signals() else str(number)
    return f"its process died of {name}"
