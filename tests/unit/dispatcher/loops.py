"""The dispatcher's own event loop, and waiting in it."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvloop

from tests.deadlines import POLL, seconds

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a test in a loop of the kind that the dispatcher uses. What goes wrong in a callback of the loop, where it
    would only be logged, fails the test."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, faults_of(runner.get_loop()):
        return runner.run(_in_time(main))


async def _in_time(main: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(seconds()):
        return await main


@contextmanager
def faults_of(loop: asyncio.AbstractEventLoop) -> Iterator[list[dict[str, Any]]]:
    """Fails when a callback of the loop has raised."""
    faults: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: faults.append(context))
    yield faults
    assert not faults, faults


async def until(condition: Callable[[], T | None], what: str) -> T:
    """The first true value that ``condition`` gives. Raises AssertionError naming ``what`` when it never does."""
    end = time.monotonic() + seconds(10)
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        await asyncio.sleep(POLL)
    return value


async def turns(count: int = 3) -> None:
    """Lets the loop go round: what was due is done then, and what comes from outside and was there is read."""
    for _ in range(count):
        await asyncio.sleep(0)
