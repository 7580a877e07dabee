"""The dispatcher's life: open the edges, serve until told to drain, end at the master's word."""

import asyncio
import faulthandler
import gc
import logging
import math
import os
import resource
import secrets
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvloop

from wsgid import logs
from wsgid.channel.commands import Report
from wsgid.channel.orders import (
    HEARTBEAT,
    Adopt,
    Drain,
    Drained,
    Exit,
    FromMaster,
    Listening,
    RestartNews,
    RestartWanted,
    Retire,
    Sizes,
    StackWritten,
    WorkerDied,
)
from wsgid.dispatcher import orphans
from wsgid.dispatcher.access_log import open_access_log
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.control_socket import ControlSocket
from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.edges.body_times import BodyTimes
from wsgid.dispatcher.edges.http import HttpEdge
from wsgid.dispatcher.edges.http_connection import HttpTimes
from wsgid.dispatcher.edges.mongrel2 import Mongrel2Edge
from wsgid.dispatcher.master_link import MasterLink
from wsgid.dispatcher.metrics import Facts
from wsgid.dispatcher.metrics_server import MetricsServer
from wsgid.dispatcher.report import report
from wsgid.dispatcher.single_requests import SingleRequests
from wsgid.dispatcher.traces import Traces
from wsgid.dispatcher.weighing import Weighing
from wsgid.dispatcher.workers import CALLERS, Workers
from wsgid.posts import CHANNEL_SOCKET, SOCKET_MODE, DispatcherPost, policy
from wsgid.protocol.forwarded import FrontEnds
from wsgid.protocol.limits import HttpLimits
from wsgid.upload_journal import UploadJournal

log = logging.getLogger("wsgid.dispatcher")

FILE_THREADS = 4
"""Threads that write and read spooled bodies and answers, and files: disks take few at once."""

WORD_TIME = 1.0
"""Seconds that the master has to say Drain when a signal has made us drain already."""

FLUSH_TIME = 2.0
"""Seconds that the last answers get to leave our buffers, once every exchange has ended."""

LAST_TIME = 0.5
"""The same when we are to end at once."""

CUT_TIME = 0.1
"""Seconds in which the event loop tells connections that they have been cut off, which have lines to log then."""

LOOK = 0.05
"""Seconds between two looks at whether the workers have left, when the master is gone."""


def run(post: DispatcherPost) -> int:
    """Serves until the end; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the master says what to do
    # A master that hears nothing from us sends SIGABRT: the log, in which it writes our stacks, then tells where we are
    # stuck.
    faulthandler.enable(post.stacks)
    _allow_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(post))


def _allow_open_files() -> None:
    """As many as the hard limit allows: each client is one. The soft limit is low, usually 1024, for the sake of
    programs that use select(2), which we do not."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:  # where fs.nr_open has been set below the hard limit
        log.warning("the limit of open files stays as it was, it cannot be raised to %d: %s", hard, error)


async def _serve(post: DispatcherPost) -> int:
    loop = asyncio.get_running_loop()
    dispatcher = Dispatcher(post, loop)
    await dispatcher.open_edges()
    gc.collect()
    gc.freeze()
    return await dispatcher.ended


def _log_mistake(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """In the main log as all else: asyncio's own logger would write raw lines onto standard error."""
    log.error("a mistake in the event loop: %s", context.get("message", ""), exc_info=context.get("exception"))


class Dispatcher:
    """Ties the parts together: each of them knows only what it calls."""

    def __init__(self, post: DispatcherPost, loop: asyncio.AbstractEventLoop) -> None:
        config = post.config
        self._post = post
        self._loop = loop
        self._clock = Clock()
        self._access_log = open_access_log(config, self._clock, loop.call_soon, loop.call_later)
        self._link = MasterLink(post.orders, loop, obey=self._obey, gone=self._lost_master)
        self._executor = ThreadPoolExecutor(FILE_THREADS, "wsgid-files")
        self._dispatch = Dispatch(
            self._clock,
            self._access_log,
            policy(config),
            secrets.token_hex(3),
            self._link.say,
            Disk(post.run_path, self._executor, loop),
        )
        self._dispatch.on_quiet = self._quiet
        self._traces = Traces(loop, self._link.say)
        self._workers = Workers(
            _listen_for_workers(post.run_dir, post.run_path),
            self._dispatch,
            loop,
            ready=self._dispatch.worker_ready,
            leaving=self._dispatch.worker_leaving,
            idle=self._dispatch.slot_idle,
            stack=self._traces.told,
        )
        self._dispatch.workers = self._workers
        self._edges: list[HttpEdge | Mongrel2Edge] = []
        self._addresses: list[str] = []
        self._control = ControlSocket(
            loop,
            status=self._report,
            restart=lambda: self._link.say(RestartWanted()),
            requests=SingleRequests(self._dispatch, self._traces),
        )
        self._weighing = Weighing(self._link.say, loop)
        self._metrics = MetricsServer(
            loop,
            self._clock,
            config.server_header,
            report=self._report,
            facts=lambda sizes: Facts(self._report(), sizes, self._dispatch.queue_size, post.daemon_since, post.deaths),
            weigh=self._weighing.ask,
        )
        self._drain_asked = False
        self._drained_said = False
        self._drain_over: asyncio.TimerHandle | None = None
        self._master_gone = False
        self._ending = False
        self._unfinished = 0
        self.ended: asyncio.Future[int] = loop.create_future()
        loop.set_exception_handler(_log_mistake)
        loop.add_signal_handler(signal.SIGTERM, self._drain, config.graceful_timeout)
        loop.add_signal_handler(signal.SIGUSR1, self._reopen_logs)
        self._beat()

    def _report(self) -> Report:
        counts = self._dispatch.counts(
            edges=[edge.counts() for edge in self._edges],
            lost_lines={"access": self._access_log.lost_ever, "main": logs.lost()},
        )
        return report(self._dispatch.snapshot(), self._addresses, counts, self._metrics.addresses)

    async def open_edges(self) -> None:
        config = self._post.config
        addresses = self._addresses
        # Before the first request can come, that of an upload which an earlier dispatcher was killed over. In a thread,
        # while we say that we are alive: large files take a while to remove.
        journal = await self._loop.run_in_executor(self._executor, UploadJournal, self._post.run_dir)
        if self._drain_over is not None:
            return  # told to end meanwhile
        body_times = BodyTimes(config.body_timeout, 1 / config.min_body_rate if config.min_body_rate else math.inf)
        limits = HttpLimits(
            request_line=config.limit_request_line,
            fields=config.limit_request_fields,
            headers=config.limit_request_headers,
            body=config.max_body,
        )
        front_ends = FrontEnds(config.forwarded_allow_ips, config.forwarded_headers)
        if self._post.listeners:
            times = HttpTimes(header=config.header_timeout, keepalive=config.keepalive_timeout, body=body_times)
            http = HttpEdge(
                self._dispatch, limits, times, self._loop, config.server_header, front_ends, config.script_name
            )
            self._edges.append(http)
            addresses += [await http.listen(listener, config.backlog) for listener in self._post.listeners]
        for recv, send in zip(config.recv, config.send, strict=True):
            edge = Mongrel2Edge(
                self._dispatch,
                recv,
                send,
                chroot=str(config.mongrel2_chroot or ""),
                shared=config.shared_handler,
                limits=limits,
                trusts=front_ends.trusts,
                body_times=body_times,
                executor=self._executor,
                journal=journal,
                loop=self._loop,
                server=config.server_header,
            )
            self._edges.append(edge)
            addresses.append(edge.address)
        await self._control.listen(self._post.run_dir, self._post.run_path)
        for listener in self._post.metrics:
            await self._metrics.listen(listener)
        self._link.say(Listening(addresses))

    # What happens.

    def _beat(self) -> None:
        """From the loop that does the work: when it does not go round, the master hears nothing."""
        if self.ended.done():
            return
        self._loop.call_later(HEARTBEAT, self._beat)
        self._dispatch.tick()
        if not self._master_gone:
            self._link.say_alive(self._dispatch.queued, self._dispatch.busy)

    def _obey(self, order: FromMaster) -> None:
        match order:
            case WorkerDied():
                self._dispatch.worker_died(order)
            case Retire(pid):
                self._dispatch.retire(pid)
            case Adopt(changed):
                self._dispatch.adopt(changed)
            case RestartNews():
                self._control.news(order)
            case StackWritten():
                self._traces.written(order)
            case Sizes():
                self._weighing.answered(order)
            case Drain(seconds):
                self._drain_asked = True
                self._drain(seconds)
            case Exit():
                self._end()

    def _reopen_logs(self) -> None:
        """They have been moved away (SIGUSR1, after logrotate). Opening a file is all that this loop waits for."""
        logs.reopen(self._post.config)
        self._access_log.reopen()

    def _lost_master(self) -> None:
        log.error("the master is gone: finishing what is in progress, then leaving")
        self._master_gone = True
        seconds = self._post.config.graceful_timeout
        self._drain(seconds)
        self._loop.call_later(seconds + orphans.LEAVE_TIME, self._end_orphans)

    def _drain(self, seconds: float) -> None:
        """Takes nothing new. At SIGTERM, which a supervisor may send to the whole group, at the master's word, or when
        there is none left to give it."""
        if self._drain_over is None:
            self._drain_over = self._loop.call_later(seconds, self._give_up)
            for edge in self._edges:
                edge.drain()
        self._dispatch.drain()

    def _give_up(self) -> None:
        # Before they end: with the last of them all is quiet, and we say so.
        self._unfinished = self._dispatch.open_count
        if self._unfinished:
            log.error("stopping: %d requests did not finish in time and are refused or cut", self._unfinished)
        self._dispatch.give_up()
        self._loop.call_later(FLUSH_TIME, self._drained)
        self._dispatch.check_quiet()

    def _quiet(self) -> None:
        if not all(edge.quiet for edge in self._edges):
            return
        if self._ending:
            self._close()
        else:
            self._drained()

    def _drained(self) -> None:
        if self._master_gone:
            self._outlast_workers()
        elif self._drained_said:
            return
        elif self._drain_asked:
            self._drained_said = True
            self._link.say(Drained(self._unfinished))
        else:
            # Of our own accord, because of a signal: when that went to the whole group, the master's word is on its
            # way; when not, a master that lives replaces us.
            self._loop.call_later(WORD_TIME, self._end)

    def _outlast_workers(self) -> None:
        """We are the last to leave, as nobody else would end those that do not."""
        if not orphans.any_left(self._workers.by_pid.values()):
            self._end()
        elif not self._ending:
            self._loop.call_later(LOOK, self._outlast_workers)

    def _end_orphans(self) -> None:
        """The workers' time is over, as is ours."""
        if not self._ending:
            orphans.kill_those_left(self._workers.by_pid.values(), self._clock.now())
            self._end()

    def _end(self) -> None:
        """Now: what has no answer yet is refused or cut, and the last answers have a moment to leave our buffers."""
        if self._ending:
            return
        self._ending = True
        self._loop.call_later(LAST_TIME, self._cut_off)
        self._drain(LAST_TIME)
        if self._drain_over is not None:
            self._drain_over.cancel()
        self._dispatch.give_up()
        self._dispatch.check_quiet()

    def _cut_off(self) -> None:
        if not self.ended.done():
            self._loop.call_later(CUT_TIME, self._close)
            for edge in self._edges:
                edge.abort()

    def _close(self) -> None:
        if not self.ended.done():
            # First: an edge that closes may find its Mongrel2 gone, and all quiet thereby, which would bring us here.
            self.ended.set_result(0)
            for edge in self._edges:
                edge.close()
            self._control.close()
            self._metrics.close()
            self._executor.shutdown()
            self._access_log.flush()


def _listen_for_workers(run_dir: int, run_path: str) -> socket.socket:
    """Replaces the socket that an earlier dispatcher of the same master may have left."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.unlink(CHANNEL_SOCKET, dir_fd=run_dir)
    except FileNotFoundError:
        pass  # we are the first
    listener.bind(f"{run_path}/{CHANNEL_SOCKET}")
    os.chmod(CHANNEL_SOCKET, SOCKET_MODE, dir_fd=run_dir)
    listener.listen(CALLERS)
    listener.setblocking(False)
    return listener
