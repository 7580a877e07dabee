"""Sends requests when they are planned to arrive, and notes what became of each. One event loop, no task for a request
that goes over a connection which is there already."""

import asyncio
import time
from collections import deque

from bench.open_loop.connection import Connection
from bench.open_loop.outcome import Ended, Fate, Outcome
from bench.open_loop.schedule import Plan, arrivals
from bench.open_loop.timer import Timer

LOOK = 0.010
"""Seconds between two looks at whose patience has ended."""


class Request:
    """One that has not ended yet."""

    __slots__ = ("beginning", "connection", "data", "fate", "kind", "late", "number", "planned", "took")

    def __init__(self, kind: str, number: int, planned: float, data: bytes, beginning: bytes) -> None:
        self.kind = kind
        self.number = number
        self.planned = planned
        self.late = time.monotonic() - planned
        self.data = data
        self.beginning = beginning
        self.connection: Connection | None = None
        """None while it is being made."""
        self.fate: Fate | None = None
        self.took = 0.0

    def end(self, fate: Fate) -> None:
        self.fate = fate
        self.took = time.monotonic() - self.planned


class Generator:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._idle: deque[Connection] = deque()
        """The one at the left has been idle the longest, and is the next to be used: all take part."""
        self._open = 0
        """Connections, idle and busy, and those that are being made."""
        self._requests: deque[Request] = deque()
        """In the order of their arrival; those at the front may have ended."""
        self._tasks = asyncio.TaskGroup()
        self._result: list[Ended] = []

    async def run(self) -> Outcome:
        begun = time.monotonic()
        counts = begun + self._plan.warm_up
        # A group of tasks: whatever they die of ends the run, where it would make the figures wrong.
        async with self._tasks:
            arriving = self._tasks.create_task(self._arrivals(begun))
            while not arriving.done() or self._requests:
                await asyncio.sleep(LOOK)
                self._look(counts)
        for connection in self._idle:
            connection.close()
        return Outcome(self._result)

    async def _arrivals(self, begun: float) -> None:
        with Timer() as timer:
            for at, number, index in arrivals(self._plan):
                if begun + at > time.monotonic():
                    await timer.until(begun + at)
                self._arrive(begun + at, number, index)

    def _arrive(self, planned: float, number: int, index: int) -> None:
        kind = self._plan.kinds[index]
        request = Request(kind.name, number, planned, kind.request(number), kind.beginning(number))
        self._requests.append(request)
        if self._idle and self._open >= self._plan.connections:
            self._ask(self._idle.popleft(), request)
        else:
            self._tasks.create_task(self._connect(request))

    def _ask(self, connection: Connection, request: Request) -> None:
        request.connection = connection
        connection.ask(request)

    async def _connect(self, request: Request) -> None:
        self._open += 1
        try:
            # A server that accepts no more is tried for two minutes, otherwise, and the run would last as long.
            async with asyncio.timeout(self._plan.patience):
                loop = asyncio.get_running_loop()
                _, made = await loop.create_connection(self._connection, *self._plan.address)
        except OSError as error:
            self._open -= 1
            if request.fate is None:
                request.end(Fate.LEFT if isinstance(error, TimeoutError) else Fate.REFUSED)
            return
        if request.fate is None:
            self._ask(made, request)
        else:
            made.leave()

    def _connection(self) -> Connection:
        return Connection(self._idle.append, self._ended)

    def _ended(self, connection: Connection) -> None:
        self._open -= 1
        if connection in self._idle:
            self._idle.remove(connection)

    def _look(self, counts: float) -> None:
        """Ends those whose patience has ended; keeps what has ended, but for the warm-up: before ``counts``."""
        limit = time.monotonic() - self._plan.patience
        while self._requests and (self._requests[0].fate is not None or self._requests[0].planned < limit):
            request = self._requests.popleft()
            if request.fate is None:
                _leave(request)
            if request.planned >= counts:
                self._result.append(_told(request))


def _leave(request: Request) -> None:
    request.end(Fate.LEFT)
    if request.connection is not None:
        request.connection.leave()


def _told(request: Request) -> Ended:
    assert request.fate is not None
    return Ended(request.kind, request.number, request.planned, request.late, request.took, request.fate)
