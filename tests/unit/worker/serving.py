"""One thread of a worker on a real channel, with the test as its dispatcher."""

import select
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from tests.unit.worker.dispatcher_side import GET, Answered, Peer
from wsgid.protocol.values import Header, Request
from wsgid.worker.channel import Channel
from wsgid.worker.environ import environ_template
from wsgid.worker.filters import Filters
from wsgid.worker.in_hand import InHand
from wsgid.worker.serve import serve

PLAIN: list[Header] = [("Content-Type", "text/plain")]


def application(
    body: Any, headers: list[Header] = PLAIN, status: str = "200 OK", write: Iterable[bytes] = ()
) -> WSGIApplication:
    """Answers with this; a callable is called for the body."""

    def app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        writer = start_response(status, list(headers))
        for data in write:
            writer(data)
        return body() if callable(body) else body

    return app


class Bench:
    """The other end of a channel whose requests are served one by one."""

    def __init__(self, peer: Peer, channel: Channel, executor: ThreadPoolExecutor) -> None:
        self.peer = peer
        self.in_hand = InHand()
        self.filters: Filters | None = None
        self.template = environ_template(threads=1)
        self._channel = channel
        self._executor = executor

    def start(self, app: WSGIApplication, request: Request = GET, descriptor: int | None = None) -> "Future[None]":
        """Serves one request in another thread."""
        return self._executor.submit(
            serve, app, request, descriptor, self._channel.outlet, self.template, self.in_hand, self.filters
        )

    def interrupt(self) -> None:
        """The request has taken too long."""
        held = self.in_hand.taken_too_long("r1")
        if held is not None:
            held.interrupt()

    def is_sending(self) -> bool:
        """The thread cannot send any more: the channel is full."""
        poll = select.poll()
        poll.register(self._channel._socket, select.POLLOUT)
        return not poll.poll(0)

    def serve(self, app: WSGIApplication, request: Request = GET, descriptor: int | None = None) -> Answered:
        """Serves one request; raises what `serve` does."""
        served = self.start(app, request, descriptor)
        answered = self.peer.answer()
        served.result()
        return answered


@contextmanager
def bench() -> Iterator[Bench]:
    dispatcher, worker = socket.socketpair()
    channel = Channel(worker)
    with dispatcher, ThreadPoolExecutor(1) as executor:
        try:
            yield Bench(Peer(dispatcher), channel, executor)
        finally:
            dispatcher.close()  # first: a thread that is still sending then ends
            executor.shutdown()
            channel.close()


class Closing:
    """An iterable that counts how often it is closed."""

    def __init__(self, parts: Iterable[object], close: Callable[[], object] = lambda: None) -> None:
        self.closed = 0
        self._parts = parts
        self._close = close

    def __iter__(self) -> Iterator[object]:
        return iter(self._parts)

    def close(self) -> None:
        self.closed += 1
        self._close()
