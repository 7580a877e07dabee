"""``run/<master pid>/control.sock``: where commands such as ``status`` ask (`wsgid.channel.commands`).

A caller says one line and hears one or more. Whatever it does, hang, rave or vanish, it costs nobody else anything: the
number of callers, what they may say and what is kept for them have limits, and so has their time.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

from wsgid.channel.commands import (
    MAX_COMMAND,
    Command,
    Kill,
    Killed,
    LineReader,
    Listing,
    News,
    Noted,
    NotThere,
    Refused,
    Reply,
    Report,
    Requests,
    Restart,
    Status,
    Trace,
    line,
    read_command,
)
from wsgid.channel.orders import RestartNews
from wsgid.posts import CONTROL_SOCKET, SOCKET_MODE

MAX_CALLERS = 32
"""Commands at one time. A person runs one or two; monitoring may ask every second, and is answered in milliseconds."""

PATIENCE = 10.0
"""Seconds in which a caller has to say its line, and again to take its last answer."""

MAX_UNREAD = 1024 * 1024
"""Bytes of news kept for one that does not read: sixteen tracebacks of the greatest length (`orders.MAX_NEWS`)."""

STOPPING = "the daemon has been told to stop"

log = logging.getLogger("wsgid.dispatcher")


class KnowsRequests(Protocol):
    """Who answers for single requests."""

    def listing(self, named: str) -> Listing: ...

    def kill(self, key: str) -> Killed | NotThere: ...

    def trace(self, key: str, answer: Callable[[Reply], None]) -> None:
        """`answer` is called once, later or at once."""


class ControlSocket:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        status: Callable[[], Report],
        restart: Callable[[], None],
        requests: KnowsRequests,
    ) -> None:
        """`restart` tells the master; what the master says to it comes to `news`."""
        self._loop = loop
        self._status = status
        self._restart = restart
        self._requests = requests
        self._server: asyncio.Server | None = None
        self.callers: set[Caller] = set()
        self.waiting: set[Caller] = set()
        """Those who want to hear how a restart goes."""

    async def listen(self, run_dir: int, run_path: str) -> None:
        """Replaces the socket that an earlier dispatcher of the same master may have left. Raises OSError."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.unlink(CONTROL_SOCKET, dir_fd=run_dir)
        except FileNotFoundError:
            pass  # we are the first
        listener.bind(f"{run_path}/{CONTROL_SOCKET}")
        os.chmod(CONTROL_SOCKET, SOCKET_MODE, dir_fd=run_dir)
        self._server = await self._loop.create_unix_server(  # type: ignore[call-arg]  # in Python 3.11; uvloop's has it
            lambda: Caller(self, self._loop),
            sock=listener,
            backlog=MAX_CALLERS,
            cleanup_socket=False,  # it goes with the run directory; by then the path may be our successor's
        )

    def news(self, news: RestartNews) -> None:
        """Hands on what the master says about a restart, to all who wait for it."""
        for caller in list(self.waiting):
            caller.tell(News(news.text, news.over, news.ok), last=news.over)
        if news.over:
            self.waiting.clear()

    def close(self) -> None:
        """No new callers; those who wait for a restart hear that they wait in vain."""
        if self._server is not None:
            self._server.close()
        self.news(RestartNews(STOPPING, over=True, ok=False))
        for caller in list(self.callers):
            caller.end()

    # What callers do

    def admit(self, caller: "Caller") -> bool:
        if len(self.callers) >= MAX_CALLERS:
            return False
        self.callers.add(caller)
        return True

    def obey(self, command: Command, caller: "Caller") -> None:
        match command:
            case Status():
                caller.tell(self._status(), last=True)
            case Restart():
                log.info("a restart is asked for on the control socket")
                self.waiting.add(caller)
                caller.tell(Noted())
                self._restart()
            case Requests(named):
                caller.tell(self._requests.listing(named), last=True)
            case Kill(key):
                caller.tell(self._requests.kill(key), last=True)
            case Trace(key):
                self._requests.trace(key, partial(caller.tell, last=True))

    def forget(self, caller: "Caller") -> None:
        self.callers.discard(caller)
        self.waiting.discard(caller)


class Caller(asyncio.Protocol):
    """One connection: one command."""

    _transport: asyncio.Transport
    _deadline: asyncio.TimerHandle

    def __init__(self, control: ControlSocket, loop: asyncio.AbstractEventLoop) -> None:
        self._control = control
        self._loop = loop
        self._lines = LineReader(MAX_COMMAND)
        self._asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._deadline = self._loop.call_later(PATIENCE, self._transport.abort)
        if not self._control.admit(self):
            self._asked = True
            self.tell(Refused(f"{MAX_CALLERS} others are asking at this moment: try again"), last=True)

    def data_received(self, data: bytes) -> None:
        if self._asked:  # it waits for its answer, and has nothing to say meanwhile
            self._transport.abort()
            return
        try:
            lines = self._lines.feed(data)
            if not lines:
                return
            command = read_command(lines[0])
        except ValueError as error:
            self._asked = True
            self.tell(Refused(f"this is no command: {error}"), last=True)
            return
        self._asked = True
        self._deadline.cancel()
        self._control.obey(command, self)

    def tell(self, reply: Reply, last: bool = False) -> None:
        if self._transport.is_closing():
            return  # it has left, and does not wait for this any more
        if self._transport.get_write_buffer_size() > MAX_UNREAD:
            self._transport.abort()
            return
        self._transport.write(line(reply))
        if last:
            self.end()

    def end(self) -> None:
        """As soon as what was told has been read."""
        self._deadline.cancel()
        self._deadline = self._loop.call_later(PATIENCE, self._transport.abort)
        self._transport.close()

    def eof_received(self) -> None:
        """It has left, or only finished sending: that cannot be told apart. Most answers have been written by then; one
        who waits for a restart, or a stack, must keep its side open."""
        self.end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self._control.forget(self)
