"""The rule "a request ends exactly once", whatever happens and in whatever order.

All that decides is real: queue, slots, exchanges, workers, time limits, quarantine, access log, on real sockets and the
dispatcher's own event loop. Clients, worker processes, the master and the time are played.
"""

import os
import re
import select
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.dispatcher.fakes import HandClock, RecordingClient
from tests.unit.dispatcher.far_end import FarEnd, call, control, thread
from tests.unit.dispatcher.loops import faults_of, turns
from tests.unit.dispatcher.requests import a_head, a_policy, a_request
from wsgid.channel import frames
from wsgid.channel.frames import Answer, File, Kind
from wsgid.channel.orders import FromDispatcher, Hung, Spent, WornOut
from wsgid.dispatcher.access_log import AccessLog
from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.exchange import Exchange, Stage
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.workers import Workers

MOST_WORKERS = 3
QUEUE_SIZE = 3
TIMEOUT, QUEUE_TIMEOUT = 10.0, 5.0
SETTLED = 8
"""Turns of the loop after which all that has happened so far has had its effect: a call is taken, greeted, heard."""

ANSWER = re.compile(r"((whole|file) \d+|head \d+(,part)*(,(end|cut))?)?")
KEPT_ANSWER = re.compile(ANSWER.pattern.replace("(end|cut)", "end") + "(,cut)?")
"""Of a client that did not take it at once: it can be cut as long as the last byte has not been taken."""


@dataclass(eq=False, repr=False)
class Visit:
    """A request and its client."""

    exchange: Exchange
    client: RecordingClient
    method: str
    slow: bool
    """The client does not take everything at once."""
    submitted: bool = False
    readers: list[int] = field(default_factory=list)
    """Processes that have read it."""


@dataclass(eq=False, repr=False)
class Thread:
    """Of a worker."""

    far_end: FarEnd
    serving: bool = False
    begun: bool = False
    announced: bool = False
    """It has a file to pass, and waits for the word."""
    answered: bool = False

    def is_spoken_to(self) -> bool:
        """There is something that it has not read: to look at it would be to read it."""
        return self.far_end.sock.fileno() >= 0 and bool(select.select([self.far_end.sock], [], [], 0)[0])

    def listen(self) -> str:
        """The id of a request, once for each."""
        self.far_end.listen()
        heard, self.far_end._heard = self.far_end._heard, []
        for kind, payload in heard:
            if kind is Kind.REQUEST:
                assert not self.serving, "one request at a time"
                self.serving, self.begun, self.announced, self.answered = True, False, False, False
                return frames.read_request(payload).id
            if kind is Kind.FILE_AWAITED:
                assert self.announced
                self.pass_file()
            else:
                assert kind is Kind.RELEASE
        return ""

    def pass_file(self) -> None:
        self.announced, self.answered = False, True
        file = os.memfd_create("file")
        socket.send_fds(self.far_end.sock, [frames.DESCRIPTOR], [file])
        os.close(file)


@dataclass(eq=False, repr=False)
class Process:
    pid: int
    control: FarEnd
    threads: list[Thread]

    def close(self) -> None:
        for each in (self.control, *(its.far_end for its in self.threads)):
            each.close()


class ExactlyOnce(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = uvloop.new_event_loop()
        self.faults = faults_of(self.loop)
        self.faults.__enter__()
        self.directory = TemporaryDirectory()
        self.path = Path(self.directory.name, "channel.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.listener.setblocking(False)
        self.executor = ThreadPoolExecutor(1)
        self.log_file = os.memfd_create("access.log")
        self.clock = HandClock()
        self.access_log = AccessLog(self.log_file, self.clock, self.loop.call_soon, self.loop.call_later)
        self.told: list[FromDispatcher] = []
        self.quiet = 0
        self.visits: dict[str, Visit] = {}
        self.processes: list[Process] = []
        self.zombies: list[int] = []
        """Dead processes of which the master has not said so."""
        self.pids = 0
        self.gave_up = False

    @initialize(redeliver=st.booleans(), quarantine=st.integers(0, 2), max_requests=st.integers(0, 3))
    def the_dispatcher_starts(self, redeliver: bool, quarantine: int, max_requests: int) -> None:
        self.redeliver = redeliver
        self.quarantine = quarantine
        self.policy = {
            "redeliver": redeliver,
            "quarantine": quarantine,
            "queue_size": QUEUE_SIZE,
            "max_requests": max_requests,
        }
        self.limits = {"timeout": TIMEOUT, "queue_timeout": QUEUE_TIMEOUT}
        policy = a_policy(**self.policy, **self.limits)
        disk = Disk(self.directory.name, self.executor, self.loop)
        self.dispatch = Dispatch(self.clock, self.access_log, policy, "id", self.told.append, disk)
        self.dispatch.on_quiet = self.is_quiet
        self.workers = Workers(
            self.listener,
            self.dispatch,
            self.loop,
            ready=self.dispatch.worker_ready,
            leaving=self.dispatch.worker_leaving,
            idle=self.dispatch.slot_idle,
        )
        self.dispatch.workers = self.workers
        self.a_worker_calls(threads=1)
        self.a_worker_calls(threads=2)
        self.go_round(SETTLED)

    def is_quiet(self) -> None:
        assert self.dispatch.open_count == 0
        self.quiet += 1

    def go_round(self, times: int) -> None:
        self.loop.run_until_complete(turns(times))

    @rule(times=st.integers(1, SETTLED))
    def the_loop_goes_round(self, times: int) -> None:
        self.go_round(times)

    # Clients.

    @rule(
        method=st.sampled_from(["GET", "GET", "POST"]),
        path=st.sampled_from("ab"),
        at_once=st.booleans(),
        slow=st.booleans(),
    )
    def arrive(self, method: str, path: str, at_once: bool, slow: bool) -> None:
        name = self.dispatch.request_id()
        client = RecordingClient(keeps=slow)
        request = a_request(id=name, method=method, path=f"/{path}", body_in_file=method == "POST")
        exchange = self.dispatch.open(request, client, keep_alive=True)
        if method == "POST":
            exchange.body_fd = os.memfd_create("body")
        self.visits[name] = Visit(exchange, client, method, slow)
        if at_once:
            self.submit(self.visits[name])

    def submit(self, visit: Visit) -> None:
        visit.submitted = True
        self.dispatch.submit(visit.exchange)

    @precondition(lambda self: any(not visit.submitted for visit in self.visits.values()))
    @rule(data=st.data())
    def its_turn_comes(self, data: st.DataObject) -> None:
        self.submit(data.draw(st.sampled_from([visit for visit in self.visits.values() if not visit.submitted])))

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), surely=st.booleans())
    def a_client_leaves(self, data: st.DataObject, surely: bool) -> None:
        exchange = self.some_visit(data).exchange
        if surely:
            exchange.client_left()
        else:
            exchange.client_may_have_left()

    @precondition(lambda self: self.kept())
    @rule(data=st.data())
    def a_client_takes_the_rest(self, data: st.DataObject) -> None:
        visit = data.draw(st.sampled_from(self.kept()))
        visit.client.unsent = 0
        visit.exchange.room()
        if visit.exchange.stage is Stage.SENDING:
            visit.exchange.sent_all()
            assert visit.exchange.ended

    @precondition(lambda self: self.kept())
    @rule(data=st.data())
    def the_disk_fails(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.kept())).exchange.cut()

    def kept(self) -> list[Visit]:
        """Those of whose answers something is kept."""
        return [visit for visit in self.visits.values() if visit.client.unsent]

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), choked=st.booleans())
    def a_client_does_not_keep_up(self, data: st.DataObject, choked: bool) -> None:
        visit = self.some_visit(data)
        visit.client.choked = choked
        if not choked and visit.exchange.slot is not None and not visit.exchange.ended:
            visit.exchange.slot.resume()

    def some_visit(self, data: st.DataObject) -> Visit:
        return data.draw(st.sampled_from(list(self.visits.values())))

    # Worker processes.

    @precondition(lambda self: len(self.processes) < MOST_WORKERS)
    @rule(threads=st.integers(1, 2))
    def a_worker_calls(self, threads: int) -> None:
        self.pids += 1
        said = [thread(self.pids, number, threads) for number in range(threads)]
        ours = call(self.path, control(self.pids))
        self.processes.append(Process(self.pids, ours, [Thread(call(self.path, each)) for each in said]))

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), steps=st.lists(st.tuples(*[st.booleans()] * 4), min_size=1, max_size=4))
    def a_thread_goes_on(self, data: st.DataObject, steps: list[tuple[bool, bool, bool, bool]]) -> None:
        process, its = self.some_thread(data)
        for step in steps:
            self.goes_on(process, its, *step)
            self.go_round(2)

    def goes_on(self, process: Process, its: Thread, done: bool, whole: bool, cut: bool, file: bool) -> None:
        """It takes a request, or says the next of what an application may say."""
        if not its.serving:
            if name := its.listen():
                self.visits[name].readers.append(process.pid)
        elif its.announced:
            its.listen()
        elif its.answered:
            self.say(its, frames.DONE)
            its.serving = False
        elif its.begun:
            its.answered = done
            self.say(its, frames.frame(Kind.PART, b"part") if not done else frames.CUT if cut else frames.END)
        elif whole and file:
            its.announced = True
            self.say(its, frames.file(File(a_head(length=4), 0)))
        elif whole:
            its.answered, its.serving = True, not done
            self.say(its, frames.answer(Answer(a_head(), b"hello", done)))
        else:
            its.begun = True
            self.say(its, frames.head(a_head()))

    def some_thread(self, data: st.DataObject) -> tuple[Process, Thread]:
        """Mostly one of those that are at work, if there are any."""
        threads = [(process, its) for process in self.processes for its in process.threads]
        at_work = [(process, its) for process, its in threads if its.serving or its.is_spoken_to()]
        return data.draw(st.sampled_from(at_work or threads) | st.sampled_from(threads))

    def say(self, its: Thread, frame: bytes) -> None:
        if not its.far_end.ended:
            its.far_end.say(frame)

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def a_worker_wants_to_leave(self, data: st.DataObject) -> None:
        process, _ = self.some_thread(data)
        process.control.say(frames.LEAVING)

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), told=st.booleans())
    def a_worker_dies(self, data: st.DataObject, told: bool) -> None:
        """And the master says so at once, or later."""
        process, _ = self.some_thread(data)
        self.kill(process)
        if told:
            self.the_master_says_so()

    def kill(self, process: Process) -> None:
        self.processes.remove(process)
        process.close()
        self.zombies.append(process.pid)

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def a_thread_ends(self, data: st.DataObject) -> None:
        _, its = self.some_thread(data)
        its.far_end.close()
        its.far_end.ended = True
        its.serving = False

    # The master.

    @precondition(lambda self: self.zombies)
    @rule()
    def the_master_says_so(self) -> None:
        self.dispatch.worker_died(self.zombies.pop(0), "killed by SIGKILL", expected=False)

    @rule(ahead=st.integers(0, 3))
    def the_master_retires_one(self, ahead: int) -> None:
        """That is there, or about to call."""
        self.dispatch.retire(max(1, self.pids + 1 - ahead))

    @precondition(lambda self: any(isinstance(each, Hung) for each in self.told))
    @rule()
    def the_master_kills_those_that_hang(self) -> None:
        hung = {each.pid for each in self.told if isinstance(each, Hung)}
        for process in [each for each in self.processes if each.pid in hung]:
            self.kill(process)

    @rule(timeout=st.sampled_from([0.0, TIMEOUT]), queue_timeout=st.sampled_from([0.0, QUEUE_TIMEOUT]))
    def the_options_change(self, timeout: float, queue_timeout: float) -> None:
        self.limits = {"timeout": timeout, "queue_timeout": queue_timeout}
        self.dispatch.adopt(a_policy(**self.policy, **self.limits))

    @rule(seconds=st.sampled_from([0.1, 3.0, 6.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.time += seconds
        self.dispatch.tick()
        limit = self.limits["timeout"]
        for slot in self.slots():
            if limit and slot.exchange is not None and not slot.paused and not slot.excused:
                assert slot.overdue or self.clock.time - slot.exchange.served_at < limit
            assert not slot.overdue or slot.exchange is None or slot.exchange.settled
        assert not (self.limits["queue_timeout"] and any(self.waits_too_long(visit) for visit in self.visits.values()))

    def waits_too_long(self, visit: Visit) -> bool:
        exchange = visit.exchange
        waits = visit.submitted and exchange.stage is Stage.WAITING
        return waits and self.clock.time - exchange.queued_at >= self.limits["queue_timeout"]

    @precondition(lambda self: len(self.visits) > 4)
    @rule()
    def stop(self) -> None:
        self.dispatch.drain()

    @precondition(lambda self: self.dispatch.draining)
    @rule()
    def the_time_to_stop_is_over(self) -> None:
        self.gave_up = True
        self.dispatch.give_up()

    # What is always true.

    def slots(self) -> list[Slot]:
        return [slot for worker in self.workers.by_pid.values() for slot in worker.slots]

    def endings(self) -> Counter[str]:
        self.access_log.flush()
        return Counter(re.findall(r" id=(\S+)", os.pread(self.log_file, 1 << 20, 0).decode("ascii")))

    @invariant()
    def each_has_ended_once_or_is_open(self) -> None:
        endings = self.endings()
        for name, visit in self.visits.items():
            assert endings[name] == visit.exchange.ended == visit.client.turns_over
            assert not (visit.exchange.ended and visit.exchange.body_fd >= 0)
        assert self.dispatch.open_count == len(self.visits) - endings.total()

    @invariant()
    def each_client_gets_one_answer_at_most(self) -> None:
        for visit in self.visits.values():
            rule = KEPT_ANSWER if visit.slow or "file 200" in visit.client.told else ANSWER
            assert rule.fullmatch(",".join(visit.client.told)), visit.client.told
            assert not (visit.exchange.ended and visit.client.unsent)

    @invariant()
    def each_is_in_one_place(self) -> None:
        """In the queue or in one slot, unless it is settled; a slot may still be at work on one that is."""
        queue = set(self.dispatch._pool.queue)
        served = Counter(slot.exchange for slot in self.slots() if slot.exchange is not None)
        for visit in self.visits.values():
            exchange = visit.exchange
            if exchange.settled or not visit.submitted:
                assert exchange not in queue
            else:
                assert (exchange in queue) + served[exchange] == 1
                assert (exchange.stage is Stage.WAITING) == (exchange in queue)
        assert len(queue) <= len(self.visits)

    @invariant()
    def nobody_waits_while_a_slot_is_idle(self) -> None:
        if self.dispatch.queued:
            idle = [slot for slot in self.slots() if slot.exchange is None]
            assert all(slot.worker.leaving or slot.worker.shut for slot in idle)

    @invariant()
    def it_is_known_how_busy_each_worker_is(self) -> None:
        for worker in self.workers.by_pid.values():
            assert worker.busy == sum(slot.exchange is not None for slot in worker.slots)

    @invariant()
    def no_worker_has_it_that_should_not(self) -> None:
        """A POST is read once. Another is read twice at most; two deaths are too many."""
        for visit in self.visits.values():
            assert len(visit.readers) <= (2 if self.redeliver and visit.method == "GET" else 1)
            if visit.client.body.startswith(b"502"):
                expected = 2 if self.redeliver and visit.method == "GET" else 1
                excused = self.dispatch.draining or bool(self.quarantine)
                assert excused or len(visit.readers) == expected

    @invariant()
    def the_master_hears_of_each_thing_once(self) -> None:
        for kind in (Hung, Spent, WornOut):
            pids = [each.pid for each in self.told if isinstance(each, kind)]
            assert len(pids) == len(set(pids))

    def teardown(self) -> None:
        try:
            if hasattr(self, "dispatch"):
                self.everything_ends()
        finally:
            self.close()

    def everything_ends(self) -> None:
        """Without any worker's help."""
        for visit in self.visits.values():
            visit.client.keeps = False
        self.dispatch.drain()
        self.dispatch.give_up()
        for visit in self.visits.values():
            if not visit.submitted:
                self.submit(visit)
        assert all(visit.exchange.ended for visit in self.visits.values())
        self.each_has_ended_once_or_is_open()
        self.each_client_gets_one_answer_at_most()
        assert self.quiet
        for process in list(self.processes):
            self.kill(process)
        while self.zombies:
            self.the_master_says_so()
        self.go_round(SETTLED + 30 * self.pids)  # some have just called: one is taken in each turn, then greeted, read
        assert not self.workers.by_pid

    def close(self) -> None:
        for process in self.processes:
            process.close()
        self.go_round(SETTLED)
        self.faults.__exit__(None, None, None)
        self.loop.close()
        self.listener.close()
        self.executor.shutdown()
        os.close(self.log_file)
        self.directory.cleanup()


TestExactlyOnce = ExactlyOnce.TestCase
TestExactlyOnce.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.reuse, Phase.generate],  # to make a failure smaller takes minutes, as each step takes a millisecond
)
