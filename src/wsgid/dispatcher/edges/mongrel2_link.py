"""The ZeroMQ side of one Mongrel2 handler: the only file that knows ZeroMQ.

What can go wrong here was found by breaking it (docs/mongrel2.md), and decides the shape:

- Mongrel2 takes answers by a SUB socket. A PUB would drop what is sent before Mongrel2's subscription has arrived. An
  XPUB sees the subscription, so requests are taken (PULL is connected) only when it is there.
- A Mongrel2 that restarts counts its connections from 1 again: an answer for the old one would reach a client of the
  new. Each subscription that comes or goes begins a new *generation*; the XPUB is read empty right before answers are
  sent, and what belongs to an older generation is not sent. ZMQ_IMMEDIATE drops what was queued for the old one.
- PULL does not reconnect by itself, or requests of the new Mongrel2 would mix with those of the old: it is closed and
  opened with the generation.
- ZeroMQ's descriptors are edge-triggered, and any call on a socket may use up the edge: they are read until they are
  empty, and looked at again after each send. pyzmq's asyncio sockets do that too, at several times the price.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from wsgid.dispatcher.edges.yielding_threads import yielding_threads

log = logging.getLogger("wsgid.dispatcher")

BATCH: Final = 64
"""Messages taken in one go before the rest of the event loop has its turn."""

HIGH_WATER: Final = 10_000
"""Messages each way that ZeroMQ may hold: its default of 1000 loses a burst (docs/mongrel2.md)."""

SENDS: Final = 16
"""Answers sent after one look at the XPUB. A look is two system calls, and with one for each answer they were half of
all that the dispatcher made. While sending, ZeroMQ itself takes note of a new peer at most once a millisecond."""

GATHER_TIME: Final = 0.001
"""Seconds that answers may wait for each other, up to SENDS of them, while requests wait for a worker: the workers have
enough to do, and one answer at a time would have ZeroMQ's threads, Mongrel2 and us change places on the processors for
each request. That took a quarter off what all of us together spend on one (measured on two cores)."""

UNSENT_HIGH: Final = 16 * 1024 * 1024
"""Bytes that Mongrel2 has not taken at which workers are slowed down."""

LARGE: Final = 1024 * 1024
"""Bytes of a message that ZeroMQ is not given a copy of, and that counts as not taken until it has written it. It would
keep HIGH_WATER of them otherwise, however large. For smaller ones the bookkeeping is not worth it."""

RETRY_INTERVAL: Final = 0.01
"""Seconds before a send that would have blocked is tried again, and between two looks at large messages: an XPUB does
not tell when it has room, nor when it has written."""

RECONNECT_MILLISECONDS: Final = 100
HEARTBEAT_MILLISECONDS: Final = 5000
"""ZMTP pings on tcp, so that a machine that vanished without a word is noticed within two of them."""

CONNECT_TIMEOUT: Final = 5.0
"""Seconds after which it is worth a line in the log that nobody has subscribed."""

EVENTS: Final = int(zmq.EVENTS)
POLLIN: Final = int(zmq.POLLIN)
"""Plain numbers: `&` on pyzmq's flags is Python code, and a look at a socket took twice the time."""

SUBSCRIBED, UNSUBSCRIBED = b"\x01", b"\x00"


class Mongrel2Link:
    """One PULL and one XPUB. Calls `received` for each message and `lost` at the end of each generation."""

    def __init__(
        self,
        recv: str,
        send: str,
        loop: asyncio.AbstractEventLoop,
        *,
        received: Callable[[bytes], None],
        lost: Callable[[], None],
        room: Callable[[], None],
        pressed: Callable[[], bool],
    ) -> None:
        """`room` is called when Mongrel2 takes answers again; `pressed` says whether requests wait for a worker."""
        self.generation = 0
        self._recv = recv
        self._send_to = send
        self._loop = loop
        self._received = received
        self._lost = lost
        self._room = room
        self._pressed = pressed
        self._context = zmq.Context()
        self._receiving = True
        self._without_requests = False
        """There are answers' subscriptions but no requests: told once, however often it is tried again."""
        self._closed = False
        self._unsent: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._passing: deque[tuple[zmq.MessageTracker, int]] = deque()
        """Large messages that ZeroMQ is at, with their sizes."""
        self._passing_bytes = 0
        self._watching: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Handle | None = None
        """When the unsent is sent, or tried again."""
        self._gathering = False
        """That only gathers, and may be hurried."""
        self._pull: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        with yielding_threads():
            self._xpub = self._open_xpub()
        self._nobody_yet: asyncio.TimerHandle | None = loop.call_later(CONNECT_TIMEOUT, self._say_nobody)

    @property
    def choked(self) -> bool:
        return self._unsent_bytes + self._passing_bytes > UNSENT_HIGH

    # Answers out.

    @property
    def connected(self) -> bool:
        """Requests can come."""
        return self._pull is not None

    def send(self, message: bytes, generation: int) -> bool:
        """Sends it at the end of this turn of the event loop or, when there is no hurry, with others shortly after;
        unless Mongrel2 goes before.

        False: the Mongrel2 of that generation is gone, and so is the client.
        """
        if generation != self.generation:
            return False
        self._unsent.append(message)
        self._unsent_bytes += len(message)
        self._flush_after(GATHER_TIME if len(self._unsent) < SENDS and self._pressed() else 0)
        return True

    def _flush_after(self, delay: float) -> None:
        if self._flushing is not None:
            if delay or not self._gathering:
                return
            self._flushing.cancel()
        self._gathering = delay == GATHER_TIME
        self._flushing = self._loop.call_later(delay, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        choked = self.choked
        if not self._send_unsent():
            self._flush_after(RETRY_INTERVAL)
        self._look()
        if choked and not self.choked:
            self._room()

    def _send_unsent(self) -> bool:
        """False when ZeroMQ takes no more for now."""
        while self._unsent:
            self._look()  # at the end of a generation nothing is unsent any more
            for _ in range(min(SENDS, len(self._unsent))):
                if not self._try(self._unsent[0]):
                    return False
                self._unsent_bytes -= len(self._unsent.popleft())
        return True

    def _try(self, message: bytes) -> bool:
        large = len(message) >= LARGE
        try:
            tracker = self._xpub.send(message, zmq.NOBLOCK, copy=not large, track=large)
        except zmq.Again:
            return False
        if tracker is not None:
            self._passing.append((tracker, len(message)))
            self._passing_bytes += len(message)
            self._watch_large()
        return True

    def _watch_large(self) -> None:
        if self._watching is None and self._passing:
            self._watching = self._loop.call_later(RETRY_INTERVAL, self._look_at_large)

    def _look_at_large(self) -> None:
        self._watching = None
        choked = self.choked
        while self._passing and self._passing[0][0].done:
            self._passing_bytes -= self._passing.popleft()[1]
        self._watch_large()
        if choked and not self.choked:
            self._room()

    def _forget_unsent(self) -> None:
        self._unsent.clear()
        self._unsent_bytes = 0
        self._passing.clear()
        self._passing_bytes = 0

    # Mongrel2 comes and goes.

    def _open_xpub(self) -> "zmq.Socket[bytes]":
        xpub: zmq.Socket[bytes] = self._context.socket(zmq.XPUB)
        xpub.setsockopt(zmq.XPUB_NODROP, 1)
        xpub.setsockopt(zmq.XPUB_VERBOSE, 1)
        xpub.setsockopt(zmq.IMMEDIATE, 1)
        xpub.setsockopt(zmq.SNDHWM, HIGH_WATER)
        xpub.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MILLISECONDS)
        _set_heartbeat(xpub, self._send_to)
        xpub.connect(self._send_to)
        self._loop.add_reader(xpub.fileno(), self._look)
        return xpub

    def _look(self) -> None:
        """Takes in what the XPUB has to say about subscriptions."""
        while not self._closed and _has_input(self._xpub):
            try:
                said = self._xpub.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if said[:1] in (SUBSCRIBED, UNSUBSCRIBED):
                self._tell(said[:1] == SUBSCRIBED)
                self._begin_generation(said[:1] == SUBSCRIBED)

    def _tell(self, subscribed: bool) -> None:
        if self._without_requests:
            return
        if subscribed:
            log.info("Mongrel2 is there: answers go to %s", self._send_to)
        else:
            log.warning("Mongrel2 at %s is gone; waiting for it", self._send_to)

    def _begin_generation(self, subscribed: bool) -> None:
        self.generation += 1
        self._forget_unsent()
        self._close_pull()
        self._lost()
        if subscribed:
            self._forget_timer()
            if self._receiving:
                self._open_pull()

    # Requests in.

    def _open_pull(self) -> None:
        pull: zmq.Socket[bytes] = self._context.socket(zmq.PULL)
        pull.setsockopt(zmq.RCVHWM, HIGH_WATER)
        pull.setsockopt(zmq.RECONNECT_IVL, -1)
        _set_heartbeat(pull, self._recv)
        self._pull = pull
        self._monitor = pull.get_monitor_socket(zmq.EVENT_CONNECTED | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED)
        self._loop.add_reader(self._monitor.fileno(), self._watch_pull)
        self._loop.add_reader(pull.fileno(), self._readable)
        pull.connect(self._recv)
        self._watch_pull()
        self._readable()

    def _close_pull(self) -> None:
        if self._pull is None or self._monitor is None:
            return
        self._loop.remove_reader(self._pull.fileno())
        self._loop.remove_reader(self._monitor.fileno())
        self._pull.disable_monitor()
        self._monitor.close(0)
        self._pull.close(0)
        self._pull = self._monitor = None

    def _readable(self) -> None:
        pull = self._pull
        if pull is None:
            return
        for _ in range(BATCH):
            try:
                message = pull.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._received(message)
            if self._pull is not pull:
                return
        self._loop.call_soon(self._readable)

    def _watch_pull(self) -> None:
        """PULL's connection failed or ended while the XPUB's stands (the wrong --recv, or a network that let only one
        of the two through): everything from the start, so that requests and answers are of one generation again."""
        monitor = self._monitor
        while monitor is not None and _has_input(monitor):
            event = recv_monitor_message(monitor, zmq.NOBLOCK)["event"]
            if event == zmq.EVENT_CONNECTED:
                self._without_requests = False
                log.info("requests come from %s", self._recv)
            else:  # DISCONNECTED or CLOSED: it failed
                self._loop.call_later(RECONNECT_MILLISECONDS / 1000, self._start_over, self.generation)
                return

    def _start_over(self, generation: int) -> None:
        if generation != self.generation or not self._receiving:
            return
        if not self._without_requests:
            self._without_requests = True
            log.warning("no connection to Mongrel2's send_spec %s; trying again and again", self._recv)
        self._close_xpub()
        self._xpub = self._open_xpub()
        self._begin_generation(subscribed=False)

    def stop_receiving(self) -> None:
        """Takes what has already arrived here, and nothing more."""
        self.take_arrived()
        self._close_pull()

    def take_arrived(self) -> None:
        """All of it at once. What comes later is still taken, but only from the Mongrel2 that is there now."""
        self._receiving = False
        pull = self._pull
        for _ in range(HIGH_WATER):
            if pull is None or self._pull is not pull:
                break
            try:
                self._received(pull.recv(zmq.NOBLOCK))
            except zmq.Again:
                break

    # The end.

    def _close_xpub(self, linger: int = 0) -> None:
        self._loop.remove_reader(self._xpub.fileno())
        self._xpub.close(linger)

    def close(self, linger: float) -> None:
        """Ends the generation: nothing is sent any more. What was sent before still goes out, for at most `linger`
        seconds, in which `terminate` waits for it."""
        self._flush()
        self._closed = True
        self.generation += 1
        self._forget_unsent()
        self._forget_timer()
        self._close_pull()
        self._close_xpub(int(linger * 1000))

    def terminate(self) -> None:
        """Blocks until ZeroMQ is done, after `close`; in any thread."""
        self._context.term()

    def _say_nobody(self) -> None:
        self._nobody_yet = None
        log.warning(
            "nobody subscribes at --send %s: is Mongrel2 running, and is this its handler's recv_spec?", self._send_to
        )

    def _forget_timer(self) -> None:
        if self._nobody_yet is not None:
            self._nobody_yet.cancel()
            self._nobody_yet = None


def _has_input(sock: "zmq.Socket[bytes]") -> bool:
    events: Any = sock.getsockopt(EVENTS)
    return bool(events & POLLIN)


def _set_heartbeat(sock: "zmq.Socket[bytes]", endpoint: str) -> None:
    if endpoint.startswith("tcp:"):
        sock.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MILLISECONDS)
        sock.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_MILLISECONDS)
