"""What must be heard while the application runs: signals, the master's end, and the dispatcher's word about requests.

A thread of its own waits for them (of a signal the handler only wrote to a pipe), and passes on what it has heard: that
this process is to leave or to reopen its log, that a request's client has left or may have, that its time is over. On
its way out the worker says LEAVING; the dispatcher then releases each of its threads when it has nothing in hand, and
the process ends with the last of them.
"""

import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Callable
from typing import Final

from wsgid.channel import frames
from wsgid.channel.frames import FrameError, FrameReader, Hello, Kind, Role, Stack
from wsgid.channel.stack import shortened
from wsgid.logs import about, enable_again
from wsgid.worker.channel import connect
from wsgid.worker.in_hand import Held, InHand
from wsgid.worker.take import next_pause

log = logging.getLogger(__name__)

READ_SIZE: Final = 4096
"""Bytes taken at once: some dozens of CLIENT_GONE."""


class Control:
    """The control connection and its thread.

    ``leaving`` and ``called`` are for other threads; all else is used by the control thread alone.
    """

    def __init__(
        self,
        run_path: str,
        threads: int,
        lifeline: int,
        signals: int,
        in_hand: InHand,
        reopen_log: Callable[[], None],
        orphaned: Callable[[], None],
    ) -> None:
        """`orphaned` is called once, when the master is gone."""
        self.leaving = threading.Event()
        """This process is to end."""
        self.called = threading.Event()
        """The dispatcher has had the first HELLO, or there is no need for it: the process is leaving."""
        self._run_path = run_path
        self._threads = threads
        self._lifeline = lifeline
        self._signals = signals
        self._in_hand = in_hand
        self._reopen_log = reopen_log
        self._orphaned = orphaned
        self._socket: socket.socket | None = None
        self._reader = FrameReader()
        self._master_gone = False
        self._poll = select.poll()
        self._poll.register(signals, select.POLLIN)
        self._poll.register(lifeline, select.POLLIN)

    def start(self) -> None:
        """Starts the thread. It is a daemon: the process ends without asking it."""
        threading.Thread(target=self._run, name="control", daemon=True).start()

    def close(self) -> None:
        """Closes the connection, in a process that the application forked: there the thread is no more."""
        if self._socket is not None:
            self._socket.close()

    def _run(self) -> None:
        pause = 0.0
        while True:
            if self._socket is not None:
                pause = 0.0
                self._hear(None)
            elif self._master_gone:
                return  # no dispatcher will come; the threads know that they are leaving
            else:
                self._hear(pause)
                self._call()
                pause = next_pause(pause)

    def _hear(self, limit: float | None) -> None:
        """Waits for something to happen, at most so many seconds."""
        for descriptor, _ in self._poll.poll(None if limit is None else limit * 1000):
            if descriptor == self._signals:
                self._take_signals(os.read(self._signals, READ_SIZE))
            elif descriptor == self._lifeline:
                self._poll.unregister(self._lifeline)
                self._master_gone = True
                self._orphaned()
                self._leave("the master is gone")
            else:
                self._read()

    def _take_signals(self, numbers: bytes) -> None:
        """A signal may be here twice (see `main`): both of these can be."""
        if signal.SIGUSR1 in numbers:
            self._reopen_log()
        if signal.SIGTERM in numbers:
            self._leave("told to by SIGTERM")

    def _call(self) -> None:
        try:
            self._socket = connect(self._run_path, Hello(os.getpid(), Role.CONTROL, 0, self._threads))
        except OSError as error:
            log.debug("control: no dispatcher yet: %s", error)
            return
        self._reader = FrameReader()
        self._poll.register(self._socket, select.POLLIN)
        self.called.set()
        if self.leaving.is_set():
            self._say_leaving()

    def _leave(self, why: str) -> None:
        if not self.leaving.is_set():
            log.info("leaving: %s", why)
            self.leaving.set()
            self.called.set()
            self._say_leaving()

    def _stack(self, key: str) -> str | None:
        stack = self._in_hand.stack(key)
        return None if stack is None else shortened("".join(stack.format()))

    def _say_leaving(self) -> None:
        self._say(frames.LEAVING)

    def _say(self, frame: bytes) -> None:
        if self._socket is not None:
            try:
                self._socket.sendall(frame)
            except OSError as error:
                self._lose(f"it failed: {error.strerror}")

    def _read(self) -> None:
        if self._socket is None:
            return  # lost while an event before this one was handled
        try:
            data = self._socket.recv(READ_SIZE)
            if not data:
                self._lose("it was closed")
            for kind, payload in self._reader.feed(data):
                self._take(kind, payload.decode())
        except OSError as error:
            self._lose(f"it failed: {error.strerror}")
        except (FrameError, UnicodeDecodeError) as error:
            self._lose(f"the dispatcher broke its rules: {error}")

    def _take(self, kind: Kind, key: str) -> None:
        if kind is Kind.CLIENT_GONE or kind is Kind.CLIENT_MAY_BE_GONE:
            self._in_hand.client_gone(key, certain=kind is Kind.CLIENT_GONE)
        elif kind is Kind.INTERRUPT:
            held = self._in_hand.taken_too_long(key)
            if held is not None:
                _interrupt(held)
        elif kind is Kind.TRACE:
            self._say(frames.stack(Stack(key, self._stack(key))))
        else:
            raise FrameError(f"{kind.name} on a control connection")

    def _lose(self, why: str) -> None:
        """The dispatcher is gone; the next round of the thread calls again."""
        assert self._socket is not None
        if not self.leaving.is_set():
            log.warning("the connection to the dispatcher is lost (%s): calling again", why)
        self._poll.unregister(self._socket)
        self._socket.close()
        self._socket = None


def _interrupt(held: Held) -> None:
    # Said before it is done: as long as the exception waits for its thread, CPython 3.11 lets no thread go on whose
    # lines are traced (coverage, a debugger). The number is as faulthandler writes it, so that it can be found among
    # the stacks of all threads.
    where = "".join(held.stack().format()).rstrip()
    enable_again()
    log.warning(
        "request %s is to end: its thread 0x%016x is interrupted here:",
        held.request_id,
        held.thread,
        extra=about(held.request_id, traceback=where),
    )
    held.interrupt()
