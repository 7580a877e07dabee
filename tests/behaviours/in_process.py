"""The real answer path in this process: a worker's thread, its channel, a dispatcher, the connections of both edges.

Real are the thread that takes requests (`wsgid.worker.take`), the socket between it and the dispatcher, queue, slots,
exchanges, the stores of answers that are not taken, the edges and the access log. Played are the clients' transport and
Mongrel2.
"""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import count
from typing import Any

import uvloop

from tests.apps.behaviours.app.wsgi import application
from tests.behaviours.conversations import Conversation
from tests.behaviours.judge import Received, judge
from tests.behaviours.pep3333 import Ending, Expected, expect
from tests.deadlines import seconds
from tests.unit.dispatcher.edges.wires import (
    LINE,
    MongrelClient,
    RecordingLink,
    RecordingTransport,
    http_edge,
    mongrel2_edge,
)
from tests.unit.dispatcher.loops import faults_of, turns, until
from tests.unit.dispatcher.running import Running, running
from tests.unit.worker.filters.filtering import upload_filters
from wsgid.dispatcher.edges.flow_control import SIZE
from wsgid.dispatcher.edges.http import HttpEdge
from wsgid.dispatcher.edges.http_connection import HttpConnection
from wsgid.upload_journal import UploadJournal
from wsgid.worker.environ import environ_template
from wsgid.worker.in_hand import InHand
from wsgid.worker.take import Taker

A_BIT = 0.001
"""Seconds between two looks, in which a slow client takes nothing."""


HTTP, MONGREL2, FLOW_CONTROL = EDGES = ("HTTP", "Mongrel2", "Mongrel2 with flow control")


class InProcess:
    """A dispatcher, a worker and both edges, for as many conversations as there are."""

    def __init__(self, loop: asyncio.AbstractEventLoop, everything: Running, http: HttpEdge) -> None:
        self.links: dict[str, RecordingLink] = {}
        """Of as many Mongrel2, by edge."""
        self.records = Records()
        self.faults: list[dict[str, Any]] = []
        """Of the loop's callbacks."""
        self._loop = loop
        self._everything = everything
        self._http = http
        self._numbers = count(1)
        self._logged = 0
        """Bytes of the access log that have been looked at."""

    # Conversations.

    def play(self, edge: str, conversation: Conversation) -> list[Expected]:
        """As `judge` has it, and what the logs say is looked at as well. ``edge`` is one of `EDGES`."""
        link = self.links.get(edge)
        played = self._over_http(conversation) if link is None else self._over_mongrel2(conversation, link)
        return self._loop.run_until_complete(played)

    async def _over_http(self, conversation: Conversation) -> list[Expected]:
        connection = HttpConnection(self._http)
        transport = RecordingTransport(self._loop, connection)
        connection.connection_made(transport)
        targets = self._targets(conversation)
        if conversation.slow:
            transport.choke()
        said = b"".join(turn.http(target) for turn, target in zip(conversation.turns, targets, strict=True))
        transport.say(said)
        async with asyncio.timeout(seconds()):
            while not (transport.lost and self._quiet):
                await asyncio.sleep(A_BIT)
                transport.read_on()
                if conversation.slow:
                    await turns(1)
                    transport.choke()
        expected = [expect(turn.behaviour, turn.asked.method).ending for turn in conversation.turns]
        assert not transport.reset or Ending.CUT in expected, "a reset where nothing is cut"
        received = Received(transport.arrived, transport.reset, loses=conversation.slow)
        return self._judged(conversation, targets, received)

    async def _over_mongrel2(self, conversation: Conversation, link: RecordingLink) -> list[Expected]:
        client = MongrelClient(number=str(next(self._numbers) % 2**31))
        link.clients[client.number] = client
        targets = self._targets(conversation)
        client.choked = conversation.slow
        credits = link.credits if link.flow_control else 0
        for turn, target in zip(conversation.turns, targets, strict=True):
            link.received(turn.mongrel2(target, client.number, credits))
            credits = 0
        async with asyncio.timeout(seconds()):
            while not (client.ended and self._quiet):
                await asyncio.sleep(A_BIT)
                client.choked = False
                link.write(client)
                client.choked = conversation.slow
        del link.clients[client.number]
        return self._judged(conversation, targets, Received(client.arrived, reset=False, tells_cuts=False))

    @property
    def _quiet(self) -> bool:
        """No request is open, and the application has done what it does after its answer."""
        return not (self._everything.dispatch.open_count or self._everything.dispatch.busy)

    def _targets(self, conversation: Conversation) -> list[str]:
        return [f"/{next(self._numbers)}" for _ in conversation.turns]

    def _judged(self, conversation: Conversation, targets: list[str], received: Received) -> list[Expected]:
        assert not self.faults
        answered = judge(conversation, received)
        told, lines = self.records.taken(), self._lines()
        for expected, target in zip(answered, targets, strict=False):
            complaints = [each for each in told if f" {target} (" in each]
            assert bool(complaints) is expected.complaint, f"the log says {complaints}, and should it?"
            [(code, size, end)] = lines[target]
            cut = expected.ending is Ending.CUT
            assert (code, end) == (expected.status[:3], "cut" if cut else ""), lines[target]
            assert cut or expected.ending is Ending.FAILED or size == len(expected.body), lines[target]
        unanswered = targets[len(answered) :]
        assert all(len(lines.get(target, [])) <= 1 for target in unanswered), "a request is in the access log twice"
        return answered

    def _lines(self) -> dict[str, list[tuple[str, int, str]]]:
        """Of the access log, by target, that have come since: code, bytes, end."""
        self._everything.access_log.flush()
        data = os.pread(self._everything.log_file, 1 << 24, self._logged)
        self._logged += len(data)
        found: dict[str, list[tuple[str, int, str]]] = {}
        for match in LINE.finditer(data.decode("ascii")):
            found.setdefault(match["target"], []).append((match["code"], int(match["size"]), match["end"] or ""))
        return found


@contextmanager
def in_process() -> Iterator[InProcess]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        loop = runner.get_loop()
        stack = AsyncExitStack()
        stage = loop.run_until_complete(_opened(loop, stack))
        try:
            yield stage
        finally:
            loop.run_until_complete(stack.aclose())


async def _opened(loop: asyncio.AbstractEventLoop, stack: AsyncExitStack) -> InProcess:
    everything = await stack.enter_async_context(running())
    http = http_edge(everything.dispatch, loop)
    stack.callback(http.close)
    stage = InProcess(loop, everything, http)
    run_dir = os.open(everything.directory, os.O_RDONLY)
    journal = UploadJournal(run_dir)
    os.close(run_dir)
    stack.callback(journal.close)
    for name in (MONGREL2, FLOW_CONTROL):
        edge, link = mongrel2_edge(everything.dispatch, loop, everything.executor, journal)
        stack.callback(edge.close)
        link.credits, link.flow_control = SIZE, name == FLOW_CONTROL
        if not link.flow_control:
            edge.flow.forget_timer()
            edge.flow._is_off()
        stage.links[name] = link
    stack.enter_context(stage.records.kept())
    stage.faults = stack.enter_context(faults_of(loop))
    await stack.enter_async_context(_worker(everything))
    return stage


@asynccontextmanager
async def _worker(everything: Running) -> AsyncIterator[None]:
    leaving = threading.Event()
    template = environ_template(threads=1)
    taker = Taker(application, template, None, upload_filters(), InHand(), str(everything.directory), 1, leaving)
    thread = threading.Thread(target=taker.take_requests, args=(0,), daemon=True)
    thread.start()
    await until(lambda: taker.pid in everything.ready, "the worker to call")
    yield
    leaving.set()
    everything.dispatch.retire(taker.pid)
    await until(lambda: not thread.is_alive(), "the worker's thread to end")


class Records(logging.Handler):
    """The errors that wsgid logs, as text."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def taken(self) -> list[str]:
        """Raises whatever keeps one from being formatted."""
        records, self.records = self.records, []
        return [record.getMessage() for record in records]

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Here and nowhere else."""
        logger = logging.getLogger("wsgid")
        before, logger.handlers = logger.handlers, [self]
        logger.propagate = False
        try:
            yield
        finally:
            logger.handlers, logger.propagate = before, True
