"""Wakes the event loop at a point in time, to the microsecond: libuv and epoll(7) know whole milliseconds only, by
which every request would be late."""

import asyncio
import ctypes
import os
import time
from typing import Self

TFD_TIMER_ABSTIME = 1
"""From <sys/timerfd.h>. os.timerfd_create() comes with Python 3.13."""

EXPIRATIONS = 8
"""Bytes of the count that is read from a timer, after which it is not readable any more."""

NANOSECONDS = 1_000_000_000

_libc = ctypes.CDLL(None, use_errno=True)


class _ITimerSpec(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("every_s", "every_ns", "at_s", "at_ns")]


class Timer:
    """A descriptor that becomes readable at the time that is set (timerfd_create(2)), in the running event loop."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._loop = asyncio.get_running_loop()
        self._descriptor = _checked(_libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
        self._passed = asyncio.Event()
        self._loop.add_reader(self._descriptor, self._wake)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    async def until(self, at: float) -> None:
        """``at``: of time.monotonic(); what has passed already counts at once. Raises OSError."""
        seconds, nanoseconds = divmod(max(int(at * NANOSECONDS), 1), NANOSECONDS)
        self._passed.clear()
        spec = _ITimerSpec(0, 0, seconds, nanoseconds)
        _checked(_libc.timerfd_settime(self._descriptor, TFD_TIMER_ABSTIME, ctypes.byref(spec), None))
        await self._passed.wait()

    def _wake(self) -> None:
        os.read(self._descriptor, EXPIRATIONS)
        self._passed.set()


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
