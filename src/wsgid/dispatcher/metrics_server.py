"""``--metrics``: answers Prometheus at /metrics, and probes at /healthz and /readyz.

One request a connection. Whoever connects costs nobody anything, whatever it does: the number of connections, what each
may send and how long it may last have limits, and nothing here waits for a worker. It goes on while the daemon drains.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import cast

from wsgid.channel.commands import Report, WorkerState
from wsgid.channel.orders import Sizes
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exposition import CONTENT_TYPE, text
from wsgid.dispatcher.listening import address, serve
from wsgid.dispatcher.metrics import METRICS, Facts
from wsgid.dispatcher.weighing import Told
from wsgid.protocol import http_answer
from wsgid.protocol.http_reader import Incoming, RequestReader
from wsgid.protocol.http_request import Refused
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.values import Head, WrittenHead

MOST_CONNECTIONS = 32
"""At one time. A few Prometheus servers and a prober ask every few seconds, and are answered in milliseconds. When all
places are taken, the one who has been there longest without waiting for us makes room."""

PATIENCE = 5.0
"""Seconds that a connection may last: half of the time that Prometheus gives a scrape."""

APART = 0.1
"""Seconds between two of our questions to the master, hence between two texts, at the least: for whoever asks without
end, the loop that all requests go through writes ten a second. Each is of its moment: an old one is not given again."""

LIMITS = HttpLimits(request_line=1024, fields=64, headers=16 * 1024, body=16 * 1024)
"""Far more than Prometheus, probes and browsers send."""

TEXT = "text/plain; charset=utf-8"
METHODS = ("GET", "HEAD")

log = logging.getLogger("wsgid.dispatcher")


class MetricsServer:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        server: str,
        *,
        report: Callable[[], Report],
        facts: Callable[[Sizes | None], Facts],
        weigh: Callable[[Told], None],
    ) -> None:
        """`weigh` asks for the sizes of the processes, with which `facts` is then called. `server` is that header."""
        self._loop = loop
        self._clock = clock
        self._server = server
        self._report = report
        self._facts = facts
        self._weigh = weigh
        self.addresses: list[str] = []
        self._servers: list[asyncio.Server] = []
        self.scrapers: dict[Scraper, None] = {}
        """The one that has been there longest first."""
        self.waiting: set[Scraper] = set()
        """For the metrics."""
        self._asked = False
        """The master, or we are about to."""
        self._not_before = loop.time()
        """Is it asked again."""

    async def listen(self, listener: socket.socket) -> None:
        server = await serve(self._loop, listener, MOST_CONNECTIONS, lambda: Scraper(self, self._loop))
        self._servers.append(server)
        self.addresses.append(address(listener))
        log.info("answering Prometheus and probes at %s", self.addresses[-1])

    def close(self) -> None:
        for server in self._servers:
            server.close()
        for scraper in list(self.scrapers):
            scraper.abort()

    # What scrapers do

    def admit(self, scraper: "Scraper") -> bool:
        if len(self.scrapers) >= MOST_CONNECTIONS and not self._make_room():
            return False
        self.scrapers[scraper] = None
        return True

    def _make_room(self) -> bool:
        """At the cost of one that has not asked, or does not take its answer: either is done in no time by those who
        mean it. Those who wait for the metrics do so because of us."""
        hanging = next((each for each in self.scrapers if each not in self.waiting), None)
        if hanging is None:
            return False
        self.left(hanging)
        hanging.abort()
        return True

    def left(self, scraper: "Scraper") -> None:
        self.scrapers.pop(scraper, None)
        self.waiting.discard(scraper)

    def answer(self, head: Incoming, scraper: "Scraper") -> None:
        if head.method not in METHODS:
            allowed = ("Allow", ", ".join(METHODS))
            scraper.say(_answer("405 Method Not Allowed", f"only {allowed[1]}\n", TEXT, allowed))
            return
        match head.target.path:
            case "/metrics":
                self.waiting.add(scraper)
                self._ask()
            case "/healthz":
                scraper.say(_answer("200 OK", "ok\n"))
            case "/readyz":
                why, ready = readiness(self._report())
                scraper.say(_answer("200 OK" if ready else "503 Service Unavailable", f"{why}\n"))
            case _:
                scraper.say(_answer("404 Not Found", "there are /metrics, /healthz and /readyz\n"))

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            moment = max(self._not_before, self._loop.time())
            self._not_before = moment + APART
            self._loop.call_at(moment, self._weigh, self._weighed)

    def _weighed(self, sizes: Sizes | None) -> None:
        """One text for all who wait, and none when nobody does any more."""
        waiting, self.waiting, self._asked = self.waiting, set(), False
        if waiting:
            answer = _answer("200 OK", text(METRICS, self._facts(sizes)), CONTENT_TYPE)
            for scraper in waiting:
                scraper.say(answer)

    def written(self, head: WrittenHead, body: bytes, method: str, version: str) -> bytes:
        """The answer as it goes over the wire."""
        opening = http_answer.opening(
            head,
            method=method,
            version=version,
            keep_alive=False,
            body_length=len(body),
            date=self._clock.date(),
            server=self._server,
            request_id="",  # no log has one
        )
        return opening.head if method == "HEAD" else opening.head + body


def readiness(report: Report) -> tuple[str, bool]:
    """May requests be sent here? In words, and whether."""
    if report.draining:
        return "not ready: the daemon stops", False
    states = [worker.state for worker in report.workers]
    ready = sum(state in (WorkerState.READY, WorkerState.BUSY) for state in states)
    if ready:
        return f"ready: {ready} {'worker serves' if ready == 1 else 'workers serve'}", True
    if not states:
        return "not ready: no worker has loaded the application yet", False
    told = ", ".join(f"{states.count(state)} {state}" for state in WorkerState if state in states)
    return f"not ready: no worker serves ({told})", False


def _answer(status: str, body: str, kind: str = TEXT, *headers: tuple[str, str]) -> tuple[WrittenHead, bytes]:
    data = body.encode()
    # What is told is true of this moment only.
    told = [("Content-Type", kind), ("Content-Length", str(len(data))), ("Cache-Control", "no-store"), *headers]
    return http_answer.written(Head(status, told, len(data))), data


class Scraper(asyncio.Protocol):
    """One connection, one request."""

    _transport: asyncio.Transport
    _over: asyncio.TimerHandle

    def __init__(self, server: MetricsServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._reader = RequestReader(LIMITS, "", self)
        self._asked = False
        self._method = "GET"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._over = self._loop.call_later(PATIENCE, self._transport.abort)
        if not self._server.admit(self):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over.cancel()
        self._server.left(self)

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._asked:
            return  # what it says beyond its request is nothing to us
        try:
            self._reader.feed(data)
        except Refused as refused:
            self._asked = True
            self.say(refused.answer())

    # Of the request (see `wsgid.protocol.http_reader.Sink`)

    def request_begins(self) -> None: ...

    def head_read(self, head: Incoming) -> None: ...

    def body_read(self, part: bytes) -> None: ...

    def request_read(self, head: Incoming, keep_alive: bool) -> None:
        if not self._asked:  # pipelined ones are not answered
            self._asked = True
            self._method = head.method
            self._server.answer(head, self)

    def say(self, answer: tuple[WrittenHead, bytes]) -> None:
        """And no more. What it does not take in its time is dropped."""
        if not self._transport.is_closing():
            head, body = answer
            self._transport.write(self._server.written(head, body, self._method, self._reader.version))
            self._transport.close()
