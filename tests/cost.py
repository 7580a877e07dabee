"""What a piece of our code costs, as counts that come out the same on every machine, busy or not.

Only code in ``src/wsgid`` counts. A count is the smallest of several rounds: the first ones learn names and fill
caches, and in some a clock of the loop strikes.
"""

import asyncio
import gc
import sys
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import wsgid

OURS = str(Path(wsgid.__file__).parent)

ROUNDS = 20


SHARED = {
    "dispatcher/access_log.py _due",
    "dispatcher/access_log.py flush",
    "dispatcher/access_log.py _write",
    "dispatcher/access_log.py _drop_beyond",
    "dispatcher/access_file.py write",
}
"""Functions that do not count: the access log is written for many requests together, but here, where there is time, for
each one."""


@dataclass
class Cost:
    instructions: Counter[str] = field(default_factory=Counter)
    """Of the interpreter, by function: ``worker/serve.py serve``."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls of Python functions, by function."""
    c_calls: Counter[str] = field(default_factory=Counter)
    """Calls of functions in C from ours, by their names: ``socket.recvmsg``."""

    @property
    def total(self) -> int:
        """Instructions."""
        return self.instructions.total()

    def __str__(self) -> str:
        dearest = "\n".join(f"{count:6d} {name}" for name, count in self.instructions.most_common(12))
        return f"{self.total} instructions in {self.calls.total()} calls; most of them in\n{dearest}"


@contextmanager
def counted() -> Iterator[Cost]:
    """Counts what this thread runs meanwhile."""
    cost = Cost()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        name = f"{frame.f_code.co_filename[len(OURS) + 1 :]} {frame.f_code.co_name}"
        if name in SHARED:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            cost.instructions[name] += 1
        elif event == "call":
            cost.calls[name] += 1
        return trace

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "c_call" and _is_ours(frame):
            function: Any = argument
            cost.c_calls[f"{function.__module__ or type(function.__self__).__name__}.{function.__name__}"] += 1

    earlier = sys.gettrace(), sys.getprofile()
    sys.setprofile(profile)
    sys.settrace(trace)
    try:
        yield cost
    finally:
        sys.settrace(earlier[0])
        sys.setprofile(earlier[1])


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(OURS)


def cost_of(step: Callable[[], object]) -> Cost:
    """Of the cheapest round."""
    rounds = []
    for _ in range(ROUNDS):
        with counted() as cost:
            step()
        rounds.append(cost)
    return min(rounds, key=lambda each: each.total)


async def async_cost_of(step: Callable[[], Awaitable[object]]) -> Cost:
    """Of the cheapest round, with what the loop calls meanwhile."""
    rounds = []
    for _ in range(ROUNDS):
        with counted() as cost:
            await step()
        rounds.append(cost)
    return min(rounds, key=lambda each: each.total)


def calls_of(loop: asyncio.AbstractEventLoop) -> Counter[str]:
    """What the loop is asked to call from now on, by the method it is asked by. (A profiler does not see uvloop's.)"""
    asked: Counter[str] = Counter()

    def counting(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any, **options: Any) -> Any:
            asked[name] += _is_ours(sys._getframe(1))
            return method(*arguments, **options)

        return count

    for name in ("call_soon", "call_later", "call_at", "create_task", "create_future", "run_in_executor"):
        setattr(loop, name, counting(name, getattr(loop, name)))
    return asked


def kept_by(step: Callable[[], object], times: int) -> tuple[int, int]:
    """What is left of so many rounds: blocks of memory that are still in use, and objects that only the collector of
    garbage finds."""
    step()
    gc.collect()
    gc.disable()
    try:
        before = sys.getallocatedblocks()
        for _ in range(times):
            step()
        return sys.getallocatedblocks() - before, gc.collect()
    finally:
        gc.enable()


def peak_of(step: Callable[[], object]) -> int:
    """Bytes in use at once, at most, beyond those before, in the cheapest round."""
    peaks = []
    tracemalloc.start()
    try:
        for _ in range(ROUNDS):
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            step()
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return min(peaks)
