"""Signals to masters and workers, and never to a process that only has the pid of one.

A process is held by a descriptor first (pidfd_open(2)), then it is made sure that it is the one that is meant, then the
signal goes to what is held: if the pid passes to another process meanwhile, nobody gets it.
"""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from wsgid.app import WsgidApp
from wsgid.cli.complaints import EXIT_REFUSED, CannotDo
from wsgid.cli.daemons import parent
from wsgid.instances import DIRECTORY, has_lock, is_dead, locked
from wsgid.options import shown


class Gone(Exception):
    """There is no such process of ours any more."""


class Process:
    """For poll(2) it is readable when the process has ended."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def send(self, number: signal.Signals) -> None:
        """Raises Gone, CannotDo."""
        try:
            signal.pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            raise Gone from None
        except PermissionError:
            raise _not_yours(self.pid) from None


@contextmanager
def master(pid: int, app: WsgidApp) -> Iterator[Process]:
    """The master of a daemon that was found alive. Raises Gone when it has ended since, CannotDo."""
    with _held(pid) as process:
        _check_master(pid, app)
        if process is None:
            raise Gone
        yield process


@contextmanager
def worker(pid: int, of: int) -> Iterator[Process]:
    """A worker of the living master `of`. Raises Gone."""
    with _held(pid) as process:
        if process is None or parent(pid) != of:
            raise Gone
        yield process


def signal_named(text: str) -> signal.Signals:
    """``15``, ``TERM``, ``sigterm``. Raises CannotDo."""
    name = text.upper()
    try:
        if text.isascii() and text.isdigit():
            return signal.Signals(int(text))
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]
    except (ValueError, KeyError):
        raise CannotDo(
            f"--send-signal: {shown(text)} is no signal: give a name such as TERM or HUP, or a number (see kill -l)",
            exit_code=EXIT_REFUSED,
        ) from None


@contextmanager
def _held(pid: int) -> Iterator[Process | None]:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield Process(pid, descriptor)
    finally:
        os.close(descriptor)


def _check_master(pid: int, app: WsgidApp) -> None:
    """Raises Gone when the lock is free, CannotDo when another process has it."""
    try:
        run = os.open(app.rundir, DIRECTORY)
    except FileNotFoundError:
        raise Gone from None
    except PermissionError:
        raise _not_yours(pid) from None
    try:
        with locked(run, fcntl.LOCK_SH):
            if is_dead(str(pid), run):
                raise Gone
            if not has_lock(pid, str(pid), run):
                raise CannotDo(
                    f"the daemon {pid} lives, but is not the process {pid} that is seen from here: run this command in "
                    "its container"
                )
    except PermissionError:
        raise _not_yours(pid) from None
    finally:
        os.close(run)


def _not_yours(pid: int) -> CannotDo:
    return CannotDo(f"the daemon {pid} belongs to another user: run this command as that user or as root")
