"""Carries out the plan: tells it what has happened, does what it says, waits for the next thing to happen."""

import logging
import math
import os
import select
import time
from collections.abc import Callable
from signal import Signals
from types import TracebackType
from typing import Self

from wsgid.channel.orders import Adopt, Sizes, StackWritten
from wsgid.config import Config
from wsgid.config_sources import Loaded
from wsgid.logs import about, reopen
from wsgid.master import children, plan
from wsgid.master.actions import (
    Abort,
    AdoptOptions,
    AnnounceReady,
    Deed,
    DropOptions,
    FeedWatchdog,
    Finish,
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
    TellSizes,
    Weigh,
    Word,
    WriteStacks,
    logged,
)
from wsgid.master.daemon import Herald
from wsgid.master.facts import (
    Answer,
    Asked,
    Died,
    Fact,
    Looked,
    MeaninglessSignal,
    ReopenAsked,
    RestartAsked,
    StopAsked,
    Weighed,
    WorkersAsked,
)
from wsgid.master.kernel import signal_main_thread
from wsgid.master.listeners import Listeners
from wsgid.master.memory_kills import WORDS, MemoryKills
from wsgid.master.notify import Notify
from wsgid.master.options_in_use import OptionsInUse
from wsgid.master.proc_files import STOPPED, ProcFiles
from wsgid.master.processes import Entries, Processes
from wsgid.master.run_dir import RunDir
from wsgid.master.signals import SignalInbox
from wsgid.master.stacks import of_thread
from wsgid.master.state import Settings
from wsgid.posts import policy

STOP = (Signals.SIGTERM, Signals.SIGINT)
STOP_AT_ONCE = (Signals.SIGQUIT,)
RESTART, REOPEN_LOGS = Signals.SIGHUP, Signals.SIGUSR1
MORE_OR_FEWER = {Signals.SIGTTIN: 1, Signals.SIGTTOU: -1}
MEANINGLESS = (Signals.SIGUSR2,)
"""It would end a process that says nothing about it, and people send it to daemons of all kinds."""

SIGNALS = (*STOP, *STOP_AT_ONCE, RESTART, REOPEN_LOGS, *MORE_OR_FEWER, *MEANINGLESS, Signals.SIGCHLD)

log = logging.getLogger("wsgid.master")


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
        reread: Callable[[], Loaded] | None,
        notify: Notify,
        proc: ProcFiles,
    ) -> None:
        """`inbox` takes SIGNALS; `reread` is as in OptionsInUse, None leaves the options as they are."""
        # For the master's life
        self._inbox = inbox
        self._herald = herald
        self._notify = notify
        self._proc = proc
        self._memory_kills = MemoryKills(proc.oom_kills)
        self._words = {
            Word.READY: notify.ready,
            Word.RELOADING: notify.reloading,
            Word.STOPPING: notify.stopping,
            Word.STATUS: notify.status,
        }
        # Between two restarts
        self._options = OptionsInUse(config, reread or (lambda: Loaded(config, {}, [])))
        # Of the children
        self._state = plan.begin(settings)
        let_go = (inbox.close, herald.close_in_child, notify.close_in_child, proc.close_in_child)
        self._processes = Processes(entries, self._options, run_dir, listeners, let_go)
        self._shot: set[int] = set()
        """Who has been sent SIGKILL by us."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._processes.close()

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
        facts += self._processes.hear()
        return facts + [self._buried(each) for each in deaths]

    def _meaning(self, number: Signals) -> Asked:
        if number is RESTART and not (self._options.config.no_daemon and self._proc.terminal_gone()):
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
        return Died(death.pid, death.code, how, self._processes.bury(death.pid), of_memory)

    def _sleep(self, until: float) -> None:
        # Made anew each time: a master wakes up rarely, and so there is no second list of what is open.
        poll = select.poll()
        for source in (self._inbox, *self._processes.sources):
            poll.register(source, select.POLLIN)
        poll.poll(None if until == math.inf else max(0.0, until - time.monotonic()) * 1000)

    # What to do

    def _do(self, deed: Deed) -> list[Fact]:
        """Gives what came of it."""
        match deed:
            case ForkDispatcher() | ForkWorker() | ForkWatcher():
                return [self._processes.fork(deed)]
            case ReadOptions() | Weigh() | LookAt():
                return [self._answer(deed)]
            case Tell(order):
                self._processes.tell(order)
            case ReportDeath(death):
                if not self._processes.tell(death):
                    self._do(logged(death))
            case TellSizes(dispatcher, workers):
                rss = self._proc.rss
                sizes = Sizes(rss(os.getpid()), rss(dispatcher), {pid: rss(pid) for pid in workers})
                self._processes.tell(sizes)
            case Kill(pid, number):
                self._kill(pid, number)
            case Abort(pid):
                self._abort(pid)
            case WriteStacks(pid, wanted, for_trace):
                stacks = self._processes.log_stacks(pid, for_trace=for_trace)
                for thread in wanted:
                    self._processes.tell(StackWritten(pid, thread, of_thread(stacks, thread)))
            case Log(level, text, worker):
                log.log(level, "%s", text, extra=about(worker=worker))
            case AnnounceReady(text):
                self._herald.ready(text)
                self._notify.ready(text)
            case TellServiceManager(word, text):
                self._words[word](text)
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

    def _abort(self, pid: int) -> None:
        # A process that is stopped gets no signal but SIGKILL before it is continued. And it is the thread of the event
        # loop that has to die of this: were it another, the loop would take clients for a moment, that are then cut.
        signal_main_thread(pid, Signals.SIGABRT)
        os.kill(pid, Signals.SIGCONT)

    def _adopt(self) -> None:
        config = self._options.adopt()
        logging.getLogger("wsgid").setLevel(logging.DEBUG if config.debug else logging.INFO)
        self._processes.tell(Adopt(policy(config)))
