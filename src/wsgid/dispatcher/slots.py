"""One channel to one worker thread: gives it a request, or a question, and takes its answer.

asyncio's transports cannot carry descriptors, and a request is one write to an idle reader: so these are plain
non-blocking sockets, watched by the loop.
"""

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Final, Protocol

from wsgid.channel import frames
from wsgid.channel.frames import Kind
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.fates import Ground
from wsgid.dispatcher.question import Question
from wsgid.dispatcher.sent_file import PassedFile
from wsgid.dispatcher.work import ANSWERING, SENDING, SERVING, Work
from wsgid.logs import about
from wsgid.protocol.values import UnwritableHead

if TYPE_CHECKING:
    from wsgid.dispatcher.worker import Worker

log = logging.getLogger("wsgid.dispatcher")

ANSWER, HEAD, PART, END, CUT, DONE = Kind.ANSWER, Kind.HEAD, Kind.PART, Kind.END, Kind.CUT, Kind.DONE
"""Compared with for each frame: a global name costs a third of an enum's attribute (Python 3.11)."""

READ_SIZE = 64 * 1024
"""The most that is taken from one worker at once, so that the others have their turn. Each read allocates as much and
gives back what is over; with 256 KiB malloc would turn to mmap, three system calls more for each answer."""

NOT_FIRST: Final = (Kind.PART, Kind.END, Kind.DONE)
"""What cannot be the beginning of an answer."""

NOT_NEXT: Final = (Kind.ANSWER, Kind.FILE, Kind.DESCRIPTOR, Kind.HEAD, Kind.DONE)
"""What cannot go on with an answer that has begun."""

NO_FILE: Final = "the file that is the answer's body could not be passed on"


class SlotOwner(Protocol):
    """Who decides what a slot does next."""

    def slot_finished(self, slot: "Slot", work: Work) -> None:
        """The slot's work has ended and its thread waits for the next."""

    def slot_gone(self, slot: "Slot", why: str) -> None:
        """The channel has ended; the slot holds its work, if it had any. See `Slot.read`."""

    def close_file(self, descriptor: int) -> None:
        """See `Journal`."""


class Slot:
    """The channel's state is the worker thread's state: with work it is busy, without it waits."""

    __slots__ = (
        "_announced",
        "_descriptors",
        "_feed",
        "_loop",
        "_owner",
        "_sock",
        "_unsent",
        "done",
        "excused",
        "ground",
        "identifier",
        "paused",
        "read",
        "thread",
        "work",
        "worker",
    )

    def __init__(
        self,
        sock: socket.socket,
        worker: "Worker",
        thread: int,
        reader: frames.FrameReader,
        owner: SlotOwner,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.worker = worker
        self.thread = thread
        self.work: Exchange | Question | None = None
        self.read = True
        """The worker may have read the request. False only when it is known that it has not: its application has not
        begun with it, and never will."""
        self.paused = False
        """The client does not keep up: the worker is not read from."""
        self.excused = 0.0
        """Seconds that the request has spent so."""
        self.done = False
        """Its thread waits for the next request, and gets none yet: as much is kept for the client as may be."""
        self.ground: Ground | None = None
        """A request here was taken from it on this ground. The slot is used no more."""
        self.identifier = 0
        """Of the thread, as stacks have it."""
        self._sock = sock
        self._feed = reader.feed
        self._owner = owner
        self._loop = loop
        self._unsent = b""
        self._announced: frames.File | None = None
        """The worker is about to pass this file."""
        self._descriptors: list[int] = []
        """That have come, and belong to nobody yet."""
        loop.add_reader(sock.fileno(), self.readable)

    def give(self, work: Exchange | Question, now: float) -> None:
        """Hands it over; the slot must be idle."""
        self.work = work
        self.excused = 0.0
        work.given(self, now)
        data = work.frame()
        try:
            descriptor = work.body_fd
            sent = self._sock.send(data) if descriptor < 0 else socket.send_fds(self._sock, [data], [descriptor])
        except BlockingIOError:
            # Not with an idle reader and a frame of ordinary size; a descriptor has to go with the first byte.
            self.read = False
            self._loop.add_writer(self._sock.fileno(), self._give_late, work, data)
            return
        except OSError as error:
            # The thread has gone, or this process may pass on no more descriptors.
            self.read = not isinstance(error, ConnectionError)
            # Not here: the caller's state is not yet that of a slot with a request.
            self._loop.call_soon(self.close, f"a request could not be handed over: {error.strerror}")
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._loop.add_writer(self._sock.fileno(), self._send_rest)

    def _give_late(self, work: Exchange | Question, data: bytes) -> None:
        self._loop.remove_writer(self._sock.fileno())
        self.read = True
        if not work.settled:
            self.give(work, work.served_at)
        else:
            self._finished()

    def _send_rest(self) -> None:
        try:
            sent = self._sock.send(self._unsent)
        except OSError:
            return  # no room after all; or the thread has gone, which reading says
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._loop.remove_writer(self._sock.fileno())

    def readable(self) -> bool:
        """Takes what the worker has said. False when there was nothing."""
        try:
            data = self._sock.recv(READ_SIZE) if self._announced is None else self._receive_descriptor()
        except BlockingIOError:
            return False
        except ConnectionResetError:
            # Linux says so when the other end was closed with something in it that had not been read, and only after
            # all that the other end has said: unix_release_sock() in net/unix/af_unix.c.
            self.read = self._announced is not None  # then it is FILE_AWAITED that has not been read
            self.close("its channel was closed with something unread")
            return False
        except OSError as error:
            self.close(f"its channel failed: {error.strerror}")
            return False
        if not data:
            self.close("its channel was closed")
            return False
        try:
            for kind, payload in self._feed(data):
                self._take(kind, payload)
        except (frames.FrameError, UnwritableHead) as error:
            pid = self.worker.pid
            log.error(
                "worker %d broke the rules of its channel %d: %s", pid, self.thread, error, extra=about(worker=pid)
            )
            self.close("it broke the channel's rules")
        return True

    def _receive_descriptor(self) -> bytes:
        """As recv, and keeps what comes along. Raises OSError."""
        data, descriptors, _, _ = socket.recv_fds(self._sock, READ_SIZE, 1, socket.MSG_CMSG_CLOEXEC)
        self._descriptors += descriptors
        return data

    def read_to_the_end(self) -> None:
        """The worker is dead: whatever it still said is in the socket's buffer. The end of file need not follow, for a
        process that the application forked may hold the other end."""
        while self.readable():
            pass
        self.close("its worker died")

    def _take(self, kind: Kind, payload: bytes) -> None:
        work = self.work
        if work is None:
            raise frames.FrameError(f"{kind.name} with no request in hand")
        if kind is ANSWER and work.stage is not ANSWERING:  # nearly always
            answer = frames.read_answer(payload)
            work.answer(answer.head, answer.body)
            if answer.done:
                self._finished()
        elif isinstance(work, Exchange):
            self._take_of_answer(work, kind, payload)
        elif kind is Kind.ADMITTED:
            self._finished()
            work.admit()  # which may submit the request: now this slot can have it
        else:
            raise frames.FrameError(f"{kind.name} to a question")

    def _take_of_answer(self, exchange: Exchange, kind: Kind, payload: bytes) -> None:
        """Of one that comes in parts or in a file."""
        stage = exchange.stage
        if (stage is SERVING and kind in NOT_FIRST) or (stage is ANSWERING and kind in NOT_NEXT):
            raise frames.FrameError(f"{kind.name} out of turn")
        if kind is PART:
            exchange.part(payload)
            if exchange.stage is ANSWERING and exchange.client.choked:
                self._pause()
        elif kind is HEAD:
            exchange.begin(frames.read_head(payload))
        elif kind is END:
            exchange.finish()
        elif kind is CUT:
            exchange.fail(500, "the application failed")
        elif kind is DONE:
            if self._announced is not None:
                raise frames.FrameError("DONE before the file that was announced")
            self._finished()
        elif kind is Kind.FILE:
            self._announced = frames.read_file(payload)
            self._await_file()
        elif kind is Kind.DESCRIPTOR:
            self._take_file(exchange)
        else:
            raise frames.FrameError(f"{kind.name} on a channel")

    def _await_file(self) -> None:
        try:
            self._sock.send(frames.FILE_AWAITED)
        except OSError:
            pass  # the thread has gone, which reading says: nothing else lies in the buffer of one that serves

    def _take_file(self, exchange: Exchange) -> None:
        announced, self._announced = self._announced, None
        if announced is None:
            raise frames.FrameError("DESCRIPTOR without a file announced")
        if self._descriptors:
            passed = PassedFile(self._descriptors.pop(), announced.offset, announced.length)
            exchange.file(announced.head, passed)
        else:
            log.error(
                "request %s: %s: this process may open no more files; raise the limit with ulimit -n, or with "
                "LimitNOFILE of a systemd unit",
                exchange.request.id,
                NO_FILE,
                extra=about(exchange.request.id),
            )
            exchange.fail(500, NO_FILE)

    def _finished(self) -> None:
        work = self.work
        assert work is not None, "only what was given ends"
        if work.stage is SENDING and isinstance(work, Exchange) and work.client.choked and not self.worker.leaving:
            # With the next answer there would be more than may be.
            self.done = True
            self._pause()
            return
        if self.paused:
            self._go_on_reading()
        self.work = None
        self._owner.slot_finished(self, work)

    def client_left(self, exchange: Exchange) -> None:
        """Nobody waits for this answer any more: the worker is told."""
        self.worker.client_gone(exchange.request)

    def client_may_have_left(self, exchange: Exchange) -> None:
        """The application may ask whether to go on; what it answers is sent."""
        self.worker.client_may_be_gone(exchange.request)

    def _pause(self) -> None:
        if not self.paused:
            self.paused = True
            self._loop.remove_reader(self._sock.fileno())

    def resume(self) -> None:
        """The client keeps up again, or is nobody's business any more."""
        if self.paused and self._sock.fileno() >= 0:
            self._go_on_reading()
            if self.done:
                self.done = False
                self._finished()

    def _go_on_reading(self) -> None:
        self.paused = False
        self._loop.add_reader(self._sock.fileno(), self.readable)

    def release(self) -> None:
        """Tells an idle thread that it will get nothing more: it ends."""
        try:
            self._sock.send(frames.RELEASE)
        except OSError:
            pass  # it has ended already, which is what was asked
        self.close("released")

    def close(self, why: str) -> None:
        """Ends the channel; the owner hears of it once."""
        if self._sock.fileno() < 0:
            return
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        self._sock.close()
        while self._descriptors:
            self._owner.close_file(self._descriptors.pop())
        if self._unsent:
            self.read = False
        self._owner.slot_gone(self, why)
