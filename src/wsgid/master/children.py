"""Forking and reaping: what every child of the master is born and buried with.

A child never returns into the code of the master, whatever it meets: `fork` ends it where it ends.
"""

import atexit
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from signal import Signals
from typing import NoReturn

from wsgid.master.signals import JOB_CONTROL, be_a_child

EXIT_CRASHED = 70
"""EX_SOFTWARE of <sysexits.h>: an exception that nobody caught; its traceback is in the log."""

log = logging.getLogger("wsgid.master")


@dataclass(frozen=True, slots=True)
class Death:
    pid: int
    code: int
    """Exit code, or the negative number of the signal that killed it."""
    how: str
    """``left``, ``exited with code 3``, ``killed by SIGSEGV (core dumped)``."""


def fork(life: Callable[[], int]) -> int:
    """Runs `life` in a child, which exits with the code that it returns; gives the child's pid.

    Raises OSError when the system has no process to give (fork(2)).
    """
    flush_standard_streams()  # what is still in a buffer would come out of the child too
    # A signal must not run the master's handler in the child, nor write to the master's wake-up pipe from there.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _live(life, mask)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return pid


def reap() -> list[Death]:
    """The children that have died since the last time. Never waits."""
    deaths: list[Death] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return deaths
        if pid == 0:
            return deaths
        deaths.append(Death(pid, os.waitstatus_to_exitcode(status), words(status)))


def words(status: int) -> str:
    """How a process died, from a status of wait(2)."""
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return "left"
    if code > 0:
        return f"exited with code {code}"
    return f"killed by {_signal_name(-code)}" + (" (core dumped)" if os.WCOREDUMP(status) else "")


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:  # most real-time signals have no name of their own
        return f"signal {number}"


def _live(life: Callable[[], int], mask: Iterable[int]) -> NoReturn:
    code = EXIT_CRASHED
    try:
        be_a_child()
        # Those are blocked for the master's own purposes: a child is stopped by its terminal as any process.
        signal.pthread_sigmask(signal.SIG_SETMASK, set(mask) - JOB_CONTROL)
        code = _exit_code(life)
    except BaseException:  # whatever it is, it must not unwind into the master's frames below us
        log.exception("process %d ends over an error that nothing caught", os.getpid())
    finally:
        _exit(code)


def _exit_code(life: Callable[[], int]) -> int:
    """As the interpreter itself would treat SystemExit: an application may call ``sys.exit`` anywhere."""
    try:
        return life()
    except SystemExit as end:
        if end.code is None:
            return 0
        if isinstance(end.code, int):
            return end.code & 0xFF
        log.error("process %d ends: %s", os.getpid(), end.code)
        return 1


def _exit(code: int) -> NoReturn:
    """What the interpreter does at its end, without unwinding the master's frames; multiprocessing ends the same way.

    Threads are not waited for: one that the application forgot would keep a worker from leaving.
    """
    try:
        atexit._run_exitfuncs()
        flush_standard_streams()  # pragma: no cover - one of those functions has ended the measurement
    finally:
        os._exit(code)


def flush_standard_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # started with the descriptor closed
                stream.flush()
        except (OSError, ValueError):
            # Whoever read it is gone, or the application closed it: that text is lost, and nothing else must be.
            continue
