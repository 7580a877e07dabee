"""Mongrel2's side of a handler: a PUSH and a SUB, both bound, with nothing behind them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import zmq

from tests.unit.dispatcher.loops import until


@dataclass(frozen=True)
class Endpoints:
    recv: str
    """What the handler takes requests from: Mongrel2's send_spec."""
    send: str

    @classmethod
    def ipc(cls, directory: Path) -> "Endpoints":
        return cls(f"ipc://{directory}/requests", f"ipc://{directory}/answers")


class Mongrel2Side:
    """One life of a Mongrel2."""

    def __init__(self, endpoints: Endpoints, *, subscribed: bool = True, receive_high_water: int = 10_000) -> None:
        self.endpoints = endpoints
        self._context = zmq.Context()
        self._sub: zmq.Socket[bytes] = self._context.socket(zmq.SUB)
        self._sub.setsockopt(zmq.LINGER, 0)
        self._sub.setsockopt(zmq.RCVHWM, receive_high_water)
        self._sub.bind(endpoints.send)
        self._attend(self._sub)
        self.open_push()
        if subscribed:
            self.subscribe()

    def open_push(self) -> None:
        self._push: zmq.Socket[bytes] = self._context.socket(zmq.PUSH)
        self._push.setsockopt(zmq.LINGER, 0)
        self._push.setsockopt(zmq.SNDHWM, 10_000)
        self._push.bind(self.endpoints.recv)
        self._attend(self._push)

    def close_push(self) -> None:
        self._close(self._push)

    def _attend(self, sock: "zmq.Socket[bytes]") -> None:
        """ZeroMQ welcomes a peer, and tells it of subscriptions, only when something is done with the socket."""
        asyncio.get_running_loop().add_reader(sock.fileno(), sock.getsockopt, zmq.EVENTS)

    def _close(self, sock: "zmq.Socket[bytes]") -> None:
        if not sock.closed:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close(0)

    def subscribe(self) -> None:
        self._sub.subscribe(b"")

    def close(self) -> None:
        self._close(self._push)
        self._close(self._sub)
        self._context.term()

    def push(self, message: bytes) -> bool:
        """False when there is no handler that takes it."""
        try:
            self._push.send(message, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    async def send(self, *messages: bytes) -> None:
        for message in messages:
            await until(lambda: self.push(message), "a handler")  # noqa: B023

    def take(self) -> bytes | None:
        """An answer, if there is one."""
        try:
            return self._sub.recv(zmq.NOBLOCK)
        except zmq.Again:
            return None

    async def receive(self) -> bytes:
        return await until(self.take, "an answer")


@contextmanager
def mongrel2_at(
    endpoints: Endpoints, *, subscribed: bool = True, receive_high_water: int = 10_000
) -> Iterator[Mongrel2Side]:
    side = Mongrel2Side(endpoints, subscribed=subscribed, receive_high_water=receive_high_water)
    try:
        yield side
    finally:
        side.close()
