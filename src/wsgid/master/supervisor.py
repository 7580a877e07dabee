"""Carries out the plan: tells it what has happened, does what it says, waits for the next thing to happen.

What it holds open no child may keep (`_let_go`): when the master is killed, nobody else must hold the ends of the pipes
and sockets by which its children notice.
"""

import logging
import math
import os
import select
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from signal import Signals
from types import TracebackType
from typing import Self

from wsgid.channel.orders import Adopt, FromMaster
from wsgid.config import Config, Loaded
from wsgid.logs import configure, reopen
from wsgid.master import children, plan
from wsgid.master.actions import (
    AdoptOptions,
    AnnounceReady,
    Deed,
    DropOptions,
    FeedWatchdog,
    Finish,
    Fork,
    ForkDispatcher,
    ForkWatcher,
    ForkWorker,
    Kill,
    Log,
    LookAt,
    Question,
    ReadOptions,
    ReopenLogs,
    ReportDeath,
    Tell,
    TellServiceManager,
    Weigh,
    Word,
    logged,
)
from wsgid.master.daemon import Herald
from wsgid.master.facts import (
    Answer,
    Asked,
    Died,
    DispatcherForked,
    DispatcherForkFailed,
    Fact,
    Looked,
    MeaninglessSignal,
    OfForks,
    ReopenAsked,
    RestartAsked,
    StopAsked,
    WatcherForked,
    WatcherForkFailed,
    Weighed,
    WorkerForked,
    WorkerForkFailed,
    WorkersAsked,
)
from wsgid.master.links import OrdersLink, Report
from wsgid.master.listeners import Listeners
from wsgid.master.memory_kills import WORDS, MemoryKills
from wsgid.master.notify import Notify
from wsgid.master.options_in_use import OptionsInUse
from wsgid.master.proc_files import STOPPED, ProcFiles
from wsgid.master.run_dir import RunDir
from wsgid.master.signals import SignalInbox
from wsgid.master.state import Settings
from wsgid.posts import DispatcherPost, WorkerPost, policy

STOP = (Signals.SIGTERM, Signals.SIGINT)
STOP_AT_ONCE = (Signals.SIGQUIT,)
RESTART, REOPEN_LOGS = Signals.SIGHUP, Signals.SIGUSR1
MORE_OR_FEWER = {Signals.SIGTTIN: 1, Signals.SIGTTOU: -1}
MEANINGLESS = (Signals.SIGUSR2,)
"""It would end a process that says nothing about it, and people send it to daemons of all kinds."""

SIGNALS = (*STOP, *STOP_AT_ONCE, RESTART, REOPEN_LOGS, *MORE_OR_FEWER, *MEANINGLESS, Signals.SIGCHLD)

log = logging.getLogger("wsgid.master")


@dataclass(frozen=True, slots=True)
class Entries:
    """Where the children begin; each returns its exit code."""

    dispatcher: Callable[[DispatcherPost], int]
    worker: Callable[[WorkerPost], int]


class Supervisor:
    def __init__(
        self,
        config: Config,
        settings: Settings,
        entries: Entries,
        *,
        inbox: SignalInbox,
        herald: Herald,
        run_dir: RunDir,
        listeners: Listeners,
        reread: Callable[[], Loaded] | None = None,
        notify: Notify | None = None,
        proc: ProcFiles | None = None,
    ) -> None:
        """`inbox` takes SIGNALS; `reread` is as in OptionsInUse; `settings` need not be by `config` yet."""
        # For the master's life
        self._no_daemon = config.no_daemon
        self._entries = entries
        self._inbox = inbox
        self._herald = herald
        self._run_dir = run_dir
        self._listeners = listeners
        self._notify = notify or Notify({})
        self._proc = proc or ProcFiles()
        self._memory_kills = MemoryKills(self._proc.oom_kills)
        self._lifeline, self._lifeline_writer = os.pipe2(os.O_CLOEXEC)
        # Between two restarts
        self._options = OptionsInUse(config, reread or (lambda: Loaded(config, {}, [])))
        # Of the children
        self._state = plan.begin(replace(settings.by(config), watchdog=self._notify.watchdog_interval))
        self._orders: dict[int, OrdersLink] = {}
        """By the dispatcher's pid: one at most."""
        self._reports: dict[int, Report] = {}
        """By the child's pid."""
        self._shot: set[int] = set()
        """Who has been sent SIGKILL by us."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_ours()
        os.close(self._lifeline)

    def run(self) -> Finish:
        """Until all is over."""
        facts: list[Fact] = []
        while True:
            facts = facts or self._wait(plan.next_moment(self._state))
            self._state, actions = plan.decide(self._state, facts, time.monotonic())
            facts = []
            for action in actions:
                if isinstance(action, Finish):
                    return action
                facts += self._do(action)

    # What happens

    def _wait(self, until: float) -> list[Fact]:
        """What has happened; none when it is ``until``, by the monotonic clock, and nothing has."""
        self._sleep(until)
        self._memory_kills.look(time.monotonic())
        signals = self._inbox.take()
        deaths = children.reap() if Signals.SIGCHLD in signals else []
        # Requests to stop come first: a child that got the same signal is not to be replaced. Deaths come last, though
        # what was said is listened to after the reaping: by then the dead have said all they had to say.
        facts: list[Fact] = [self._meaning(each) for each in signals if each is not Signals.SIGCHLD]
        facts += [said for link in self._orders.values() for said in link.hear()]
        for report in self._reports.values():
            report.read()
        return facts + [self._buried(each) for each in deaths]

    def _meaning(self, number: Signals) -> Asked:
        if number is RESTART and not (self._no_daemon and self._proc.terminal_gone()):
            return RestartAsked(number.name)
        if number is REOPEN_LOGS:
            return ReopenAsked()
        if number in MORE_OR_FEWER:
            return WorkersAsked(number.name, MORE_OR_FEWER[number])
        if number in MEANINGLESS:
            return MeaninglessSignal(number.name)
        # SIGHUP as well: with its terminal, one in the foreground has lost whoever could press Ctrl-C.
        return StopAsked(number.name, at_once=number in STOP_AT_ONCE)

    def _buried(self, death: children.Death) -> Died:
        ours = death.pid in self._shot
        self._shot.discard(death.pid)
        of_memory = death.code == -Signals.SIGKILL and not ours and self._memory_kills.explains_one(time.monotonic())
        how = death.how + WORDS if of_memory else death.how
        return Died(death.pid, death.code, how, self._close_books(death.pid))

    def _sleep(self, until: float) -> None:
        # Made anew each time: a master wakes up rarely, and so there is no second list of what is open.
        links: list[OrdersLink | Report] = [*self._orders.values(), *self._reports.values()]
        poll = select.poll()
        for source in (self._inbox, *(link for link in links if not link.over)):
            poll.register(source, select.POLLIN)
        poll.poll(None if until == math.inf else max(0.0, until - time.monotonic()) * 1000)

    def _close_books(self, pid: int) -> str:
        """Forgets a child; gives its report."""
        report = self._reports.pop(pid, None)
        if report is None:
            return ""  # the watcher, or an orphan, see plan
        if link := self._orders.pop(pid, None):
            link.close_ours()
        else:
            self._remove_pid_file(pid)
        text = report.text()
        report.close_reader()
        return text

    def _remove_pid_file(self, worker: int) -> None:
        try:
            self._run_dir.remove_worker(worker)
        except OSError as error:
            log.error("the pid file of worker %d stays behind: %s", worker, error.strerror)

    # What to do

    def _do(self, deed: Deed) -> list[Fact]:
        """Gives what came of it."""
        match deed:
            case ForkDispatcher() | ForkWorker() | ForkWatcher():
                return [self._fork(deed)]
            case ReadOptions() | Weigh() | LookAt():
                return [self._answer(deed)]
            case Tell(order):
                self._tell(order)
            case ReportDeath(death):
                if not self._tell(death):
                    self._do(logged(death))
            case Kill(pid, number):
                self._kill(pid, number)
            case Log(level, text):
                log.log(level, "%s", text)
            case AnnounceReady(text):
                self._herald.ready(text)
                self._notify.ready(text)
            case TellServiceManager(word, text):
                self._words()[word](text)
            case FeedWatchdog():
                self._notify.watchdog()
            case AdoptOptions():
                self._adopt()
            case DropOptions():
                self._options.drop()
            case ReopenLogs():
                reopen(self._options.config)
        return []

    def _answer(self, question: Question) -> Answer:
        match question:
            case ReadOptions():
                return self._options.read(self._state.settings)
            case Weigh(pid):
                return Weighed(pid, self._proc.rss(pid))
            case LookAt(pid):
                return Looked(pid, self._proc.state(pid) == STOPPED)

    def _kill(self, pid: int, number: int) -> None:
        if number == Signals.SIGKILL:
            self._shot.add(pid)
        os.kill(pid, number)  # it is there, if only as a zombie: nobody but us reaps it

    def _words(self) -> dict[Word, Callable[[str], None]]:
        return {
            Word.READY: self._notify.ready,
            Word.RELOADING: self._notify.reloading,
            Word.STOPPING: self._notify.stopping,
            Word.STATUS: self._notify.status,
        }

    def _adopt(self) -> None:
        config = self._options.adopt()
        logging.getLogger("wsgid").setLevel(logging.DEBUG if config.debug else logging.INFO)
        self._tell(Adopt(policy(config)))

    def _tell(self, order: FromMaster) -> bool:
        return any(link.tell(order) for link in self._orders.values())

    def _fork(self, fork: Fork) -> OfForks:
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
                link, report = OrdersLink(), Report()
                if_it_fails.callback(link.close)
                if_it_fails.callback(report.close)
                pid = children.fork(lambda: self._live_as_dispatcher(link, report))
            except OSError as error:
                return DispatcherForkFailed(str(error.strerror))
            if_it_fails.pop_all()
        link.close_theirs()
        report.close_writer()
        self._orders[pid], self._reports[pid] = link, report
        return DispatcherForked(pid)

    def _fork_worker(self) -> WorkerForked | WorkerForkFailed:
        with ExitStack() as if_it_fails:
            try:
                report = Report()
                if_it_fails.callback(report.close)
                pid = children.fork(lambda: self._live_as_worker(report))
            except OSError as error:
                return WorkerForkFailed(str(error.strerror))
            if_it_fails.pop_all()
        report.close_writer()
        self._reports[pid] = report
        self._write_pid_file(pid)
        return WorkerForked(pid)

    def _fork_watcher(self) -> WatcherForked | WatcherForkFailed:
        master = os.getpid()
        try:
            return WatcherForked(children.fork(lambda: self._live_as_watcher(master)))
        except OSError as error:
            return WatcherForkFailed(str(error.strerror))

    def _write_pid_file(self, worker: int) -> None:
        try:
            self._run_dir.add_worker(worker)
        except OSError as error:
            log.error("worker %d has no pid file: %s", worker, error.strerror)

    # In the children

    def _live_as_dispatcher(self, link: OrdersLink, report: Report) -> int:
        self._let_go()
        link.close_ours()
        report.close_reader()
        os.close(self._lifeline)
        config = self._options.config
        configure(config, "dispatcher")
        try:
            return self._entries.dispatcher(
                DispatcherPost(config, self._run_dir.fd, self._run_dir.path, self._listeners.sockets, link.theirs)
            )
        except Exception as error:
            # The log gets the traceback; the terminal, when this is at the start, should hear the reason as well.
            report.write(f"{type(error).__name__}: {error}")
            raise

    def _live_as_worker(self, report: Report) -> int:
        self._let_go()
        report.close_reader()
        self._listeners.close_in_child()
        config = self._options.for_workers
        configure(config, "worker")
        return self._entries.worker(
            WorkerPost(config, self._run_dir.fd, self._run_dir.path, self._lifeline, report.writer)
        )

    def _live_as_watcher(self, master: int) -> int:
        from wsgid.master.watcher import watch

        self._let_go()
        self._listeners.close_in_child()
        os.close(self._lifeline)
        configure(self._options.config, "watcher")
        return watch(self._options.config.app_path, master)

    def _let_go(self) -> None:
        self._close_ours()
        self._inbox.close()
        self._herald.close_in_child()
        self._run_dir.close_in_child()
        self._notify.close_in_child()
        self._proc.close_in_child()

    def _close_ours(self) -> None:
        os.close(self._lifeline_writer)
        for link in self._orders.values():
            link.close_ours()
        for report in self._reports.values():
            report.close_reader()
