"""The children as processes: how each is born, what it holds, what is said to it and by it, how it is buried.

What the master holds open no child may keep (`_let_go`): when the master is killed, nobody else must hold the ends of
the pipes and sockets by which its children notice.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from wsgid.channel.orders import FromDispatcher, FromMaster
from wsgid.logs import about, configure
from wsgid.master import children
from wsgid.master.actions import Fork, ForkDispatcher, ForkWatcher, ForkWorker
from wsgid.master.facts import (
    DispatcherForked,
    DispatcherForkFailed,
    OfForks,
    StacksFound,
    WatcherForked,
    WatcherForkFailed,
    WorkerForked,
    WorkerForkFailed,
)
from wsgid.master.links import OrdersLink, Report
from wsgid.master.listeners import Listeners
from wsgid.master.options_in_use import OptionsInUse
from wsgid.master.run_dir import RunDir
from wsgid.master.stacks import Stacks
from wsgid.master.watcher import watch
from wsgid.posts import DispatcherPost, WorkerPost

log = logging.getLogger("wsgid.master")


@dataclass(frozen=True, slots=True)
class Entries:
    """Where the children begin; each returns its exit code."""

    dispatcher: Callable[[DispatcherPost], int]
    worker: Callable[[WorkerPost], int]


class Processes:
    def __init__(
        self,
        entries: Entries,
        options: OptionsInUse,
        run_dir: RunDir,
        listeners: Listeners,
        let_go: Iterable[Callable[[], None]],
    ) -> None:
        """`let_go` is called in every child: it closes what else the master has open."""
        # For the master's life
        self._entries = entries
        self._options = options
        self._run_dir = run_dir
        self._listeners = listeners
        self._others_let_go = tuple(let_go)
        self._since = time.time()
        self._dispatchers = 0
        """That there have been."""
        self._lifeline, self._lifeline_writer = os.pipe2(os.O_CLOEXEC)
        # Of the children
        self._orders: dict[int, OrdersLink] = {}
        """By the dispatcher's pid: one at most."""
        self._reports: dict[int, Report] = {}
        """By the child's pid."""
        self._stacks: dict[int, Stacks] = {}
        """The same."""

    def close(self) -> None:
        self._close_ours()
        os.close(self._lifeline)

    @property
    def sources(self) -> list[OrdersLink | Report]:
        """Readable when a child has said something."""
        links: list[OrdersLink | Report] = [*self._orders.values(), *self._reports.values()]
        return [link for link in links if not link.over]

    def tell(self, order: FromMaster) -> bool:
        """To the dispatcher. Was there one to take it?"""
        return any(link.tell(order) for link in self._orders.values())

    def hear(self) -> list[FromDispatcher | StacksFound]:
        """What the dispatcher has said since, and who has written stacks. Reports are read as well, and kept until
        `bury`. Never waits."""
        for report in self._reports.values():
            report.read()
        # Stacks do not wake us up, nothing tells of a file in memory: but the dispatcher does, four times a second.
        found = [StacksFound(pid) for pid, stacks in self._stacks.items() if stacks.grown()]
        return [*found, *(said for link in self._orders.values() for said in link.hear())]

    def fork(self, fork: Fork) -> OfForks:
        match fork:
            case ForkDispatcher():
                return self._fork_dispatcher()
            case ForkWorker():
                return self._fork_worker()
            case ForkWatcher():
                return self._fork_watcher()

    def _fork_dispatcher(self) -> DispatcherForked | DispatcherForkFailed:
        with ExitStack() as if_it_fails:
            try:
                link = OrdersLink()
                if_it_fails.callback(link.close)
                report = Report()
                if_it_fails.callback(report.close)
                stacks = Stacks()
                if_it_fails.callback(stacks.close)
                pid = children.fork(lambda: self._live_as_dispatcher(link, report, stacks))
            except OSError as error:
                return DispatcherForkFailed(str(error.strerror))
            if_it_fails.pop_all()
        link.close_theirs()
        report.close_writer()
        self._orders[pid], self._reports[pid], self._stacks[pid] = link, report, stacks
        self._dispatchers += 1
        return DispatcherForked(pid)

    def _fork_worker(self) -> WorkerForked | WorkerForkFailed:
        with ExitStack() as if_it_fails:
            try:
                report = Report()
                if_it_fails.callback(report.close)
                stacks = Stacks()
                if_it_fails.callback(stacks.close)
                pid = children.fork(lambda: self._live_as_worker(report, stacks))
            except OSError as error:
                return WorkerForkFailed(str(error.strerror))
            if_it_fails.pop_all()
        report.close_writer()
        self._reports[pid], self._stacks[pid] = report, stacks
        self._write_pid_file(pid)
        return WorkerForked(pid)

    def _fork_watcher(self) -> WatcherForked | WatcherForkFailed:
        master = os.getpid()
        try:
            return WatcherForked(children.fork(lambda: self._live_as_watcher(master)))
        except OSError as error:
            return WatcherForkFailed(str(error.strerror))

    def bury(self, pid: int) -> str:
        """Forgets a child that has been reaped, and logs its last stacks; gives its report."""
        report = self._reports.pop(pid, None)
        if report is None:
            return ""  # the watcher, or an orphan, see plan
        self.log_stacks(pid)
        self._stacks.pop(pid).close()
        if link := self._orders.pop(pid, None):
            link.close_ours()
        else:
            self._remove_pid_file(pid)
        text = report.text()
        report.close_reader()
        return text

    def log_stacks(self, pid: int, *, for_trace: bool = False) -> str:
        """Of a dispatcher or a worker: what it has written of them since the last time, if anything.

        ``for_trace``: nothing is wrong with it."""
        if text := self._stacks[pid].read():
            if pid in self._orders:
                log.error("stacks of dispatcher %d:", pid, extra=about(traceback=text))
            elif for_trace:
                told = "stacks of worker %d, as wsgid request trace wants to know where a request is:"
                log.info(told, pid, extra=about(worker=pid, traceback=text))
            else:
                log.error("stacks of worker %d:", pid, extra=about(worker=pid, traceback=text))
        return text

    def _write_pid_file(self, worker: int) -> None:
        try:
            self._run_dir.add_worker(worker)
        except OSError as error:
            log.error("worker %d has no pid file: %s", worker, error.strerror, extra=about(worker=worker))

    def _remove_pid_file(self, worker: int) -> None:
        try:
            self._run_dir.remove_worker(worker)
        except OSError as error:
            told = "the pid file of worker %d stays behind: %s"
            log.error(told, worker, error.strerror, extra=about(worker=worker))

    # In the children

    def _live_as_dispatcher(self, link: OrdersLink, report: Report, stacks: Stacks) -> int:
        self._let_go()
        link.close_ours()
        report.close_reader()
        os.close(self._lifeline)
        config = self._options.config
        configure(config, "dispatcher")
        try:
            return self._entries.dispatcher(
                DispatcherPost(
                    config,
                    self._run_dir.fd,
                    self._run_dir.path,
                    self._listeners.sockets,
                    link.theirs,
                    stacks.descriptor,
                    self._listeners.metrics,
                    self._since,
                    self._dispatchers,
                )
            )
        except Exception as error:
            # The log gets the traceback; the terminal, when this is at the start, should hear the reason as well.
            report.write(f"{type(error).__name__}: {error}")
            raise

    def _live_as_worker(self, report: Report, stacks: Stacks) -> int:
        self._let_go()
        report.close_reader()
        self._listeners.close_in_child()
        config = self._options.for_workers
        configure(config, "worker")
        return self._entries.worker(
            WorkerPost(config, self._run_dir.fd, self._run_dir.path, self._lifeline, report.writer, stacks.descriptor)
        )

    def _live_as_watcher(self, master: int) -> int:
        self._let_go()
        self._listeners.close_in_child()
        os.close(self._lifeline)
        configure(self._options.config, "watcher")
        return watch(self._options.config.app_path, master, self._options.config.loader_dir)

    def _let_go(self) -> None:
        self._close_ours()
        self._run_dir.close_in_child()
        for let_go in self._others_let_go:
            let_go()

    def _close_ours(self) -> None:
        os.close(self._lifeline_writer)
        for link in self._orders.values():
            link.close_ours()
        for report in self._reports.values():
            report.close_reader()
        for stacks in self._stacks.values():
            stacks.close()
