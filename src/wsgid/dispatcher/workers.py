"""The workers that have called: takes their connections, knows which are ready, says what became of the dead ones."""

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Callable

from wsgid.channel import frames
from wsgid.channel.frames import Hello, Kind, Role, Stack
from wsgid.dispatcher.slots import Slot, SlotOwner
from wsgid.dispatcher.worker import NOTHING, Lost, Worker
from wsgid.logs import about

log = logging.getLogger("wsgid.dispatcher")

CALLERS = 1024
"""Backlog of the channel's socket: all threads of all workers may call at once."""

READ_SIZE = 64 * 1024

WORD_TIME = 5.0
"""Seconds that the master has to tell of a death. It does so at once, unless it is stopped, or dead."""

_CREDENTIALS = struct.Struct("3i")


class Workers:
    """Listens on the channel's socket. Directory and peer credentials let in only our own user."""

    def __init__(
        self,
        listener: socket.socket,
        owner: SlotOwner,
        loop: asyncio.AbstractEventLoop,
        *,
        ready: Callable[[Worker], None],
        leaving: Callable[[Worker], None],
        idle: Callable[[Slot], None],
        stack: Callable[[int, Stack], None],
    ) -> None:
        """`ready`: all its threads have called; `leaving`: it has said that it wants to leave; `idle`: a thread has
        called; `stack`: the worker of this process id has told where a thread is."""
        self.by_pid: dict[int, Worker] = {}
        self._filter_uploads = True
        self._to_retire: set[int] = set()
        """Those that the master wants to leave, and that have not called yet."""
        self._listener = listener
        self._owner = owner
        self._loop = loop
        self._ready = ready
        self._leaving = leaving
        self._idle = idle
        self._stack = stack
        loop.add_reader(listener.fileno(), self._accept)

    @property
    def filter_uploads(self) -> bool:
        """Has any of them upload filters? While there are none, what the last ones said; before the first has called
        they may have."""
        if self.by_pid:
            self._filter_uploads = any(worker.filters_uploads for worker in self.by_pid.values())
        return self._filter_uploads

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError as error:
            log.warning("a worker's call could not be taken: %s", error.strerror)
            return
        sock.setblocking(False)
        _, uid = caller(sock)
        if uid != os.geteuid():
            log.warning("a process of user id %d called on the channel and was turned away", uid)
            sock.close()
            return
        self._loop.add_reader(sock.fileno(), self._greet, sock, frames.FrameReader())

    def _greet(self, sock: socket.socket, reader: frames.FrameReader) -> None:
        """The first frame says who is calling."""
        try:
            data = sock.recv(READ_SIZE)
            said = reader.feed(data)
            if data and not said:
                return
            hello = _first_hello(said)
        except BlockingIOError:
            return
        except (OSError, frames.FrameError) as error:
            log.warning("a call on the channel without a greeting: %s", error)
            self._loop.remove_reader(sock.fileno())
            sock.close()
            return
        self._loop.remove_reader(sock.fileno())
        worker = self.by_pid.get(hello.pid) or self._new(hello.pid)
        if hello.role is Role.CONTROL:
            worker.control = sock
            self._loop.add_reader(sock.fileno(), self._hear, worker, sock, reader)
            self._heard(worker, said[1:])
        else:
            self._add_slot(worker, sock, hello, reader)

    def _new(self, pid: int) -> Worker:
        worker = self.by_pid[pid] = Worker(pid)
        worker.leaving = pid in self._to_retire
        self._to_retire.discard(pid)
        return worker

    def _add_slot(self, worker: Worker, sock: socket.socket, hello: Hello, reader: frames.FrameReader) -> None:
        worker.filters_uploads = hello.filters_uploads
        slot = Slot(sock, worker, hello.thread, reader, self._owner, self._loop)
        slot.identifier = hello.identifier
        worker.slots.append(slot)
        if not worker.ready and len(worker.slots) == hello.threads:
            worker.ready = True
            self._ready(worker)
        # A thread calls when the application is loaded. It need not wait for its fellows: when the dispatcher before us
        # died they may be busy for long, and call only then.
        self._idle(slot)

    def _hear(self, worker: Worker, sock: socket.socket, reader: frames.FrameReader) -> None:
        """The control connection: the worker wants to leave, or is gone."""
        try:
            data = sock.recv(READ_SIZE)
            said = reader.feed(data)
        except BlockingIOError:
            return
        except (OSError, frames.FrameError) as error:
            told = "worker %d: the control connection failed: %s"
            log.warning(told, worker.pid, error, extra=about(worker=worker.pid))
            data, said = b"", []
        self._heard(worker, said)
        if not data:
            self._loop.remove_reader(sock.fileno())
            sock.close()
            if worker.control is sock:
                worker.control = None
                self.forget_if_gone(worker)

    def _heard(self, worker: Worker, said: list[tuple[Kind, bytes]]) -> None:
        if any(kind is Kind.LEAVING for kind, _ in said) and not worker.leaving:
            worker.leaving = True
            self._leaving(worker)
        for kind, payload in said:
            if kind is Kind.STACK:
                self._take_stack(worker, payload)

    def _take_stack(self, worker: Worker, payload: bytes) -> None:
        try:
            stack = frames.read_stack(payload)
        except frames.FrameError as error:
            told = "worker %d: where a thread is was not understood: %s"
            log.warning(told, worker.pid, error, extra=about(worker=worker.pid))
        else:
            self._stack(worker.pid, stack)

    def retire(self, pid: int) -> Worker | None:
        """It shall leave. None: it has not called yet, and will be let go when it does."""
        worker = self.by_pid.get(pid)
        if worker is None:
            self._to_retire.add(pid)
        else:
            worker.leaving = True
        return worker

    def died(self, pid: int, how: str, expected: bool) -> list[Lost]:
        """The master has reaped it: everything it said lies in our sockets. Writes the one line about its end, and
        returns the requests it held."""
        self._to_retire.discard(pid)
        worker = self.by_pid.pop(pid, None)
        if worker is not None:
            for slot in list(worker.slots):
                slot.read_to_the_end()
            if worker.control is not None:
                self._loop.remove_reader(worker.control.fileno())
                worker.control.close()
                worker.control = None
        lost = worker.lost if worker is not None else []
        if expected and not lost:
            log.info("worker %d ended: %s", pid, how, extra=about(worker=pid))
        else:
            held = worker.held if worker is not None else NOTHING
            log.error("worker %d died: %s; it held %s", pid, how, held, extra=about(worker=pid))
        return lost

    def forget_if_gone(self, worker: Worker) -> None:
        """At once when it held nothing: else the line about its death names that, which comes with the master's word.

        The word may have come before, when its call was still in the listening socket as it died; or the master is
        dead as well."""
        if worker.connected:
            return
        if worker.lost:
            self._loop.call_later(WORD_TIME, self._forget_untold, worker)
        else:
            self.by_pid.pop(worker.pid, None)

    def _forget_untold(self, worker: Worker) -> None:
        if self.by_pid.get(worker.pid) is worker and not worker.connected:
            del self.by_pid[worker.pid]
            log.error("worker %d is gone; it held %s", worker.pid, worker.held, extra=about(worker=worker.pid))


def caller(sock: socket.socket) -> tuple[int, int]:
    """Process id and user id of who has called, as they were then: unix(7), SO_PEERCRED."""
    pid, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return pid, uid


def _first_hello(said: list[tuple[Kind, bytes]]) -> Hello:
    if not said or said[0][0] is not Kind.HELLO:
        raise frames.FrameError("the first frame is no HELLO" if said else "it was closed at once")
    hello = frames.read_hello(said[0][1])
    # A worker that was told to leave while there was no dispatcher says so in one breath.
    if len(said) > 1 and hello.role is not Role.CONTROL:
        raise frames.FrameError(f"{said[1][0].name} before there was a request")
    return hello
