"""What the dispatcher decides: joins edges, queue and workers.

An edge opens an exchange when a request has arrived and submits it when it may be served; a slot takes it when idle.
"""

import logging
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count

from wsgid.channel.counts import Counts, EdgeCounts
from wsgid.channel.orders import FromDispatcher, Hung, Spent, WorkerDied, WorkerLeaving, WorkerReady, WornOut
from wsgid.channel.policy import Policy
from wsgid.dispatcher import deadlines, descriptors, quarantine
from wsgid.dispatcher.access_log import AccessLog, NoLog
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.counters import Counters
from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.exchange import Client, Exchange
from wsgid.dispatcher.fates import BY_HAND, TIME_LIMIT, Fate, Ground, fate, taken_away
from wsgid.dispatcher.outgoing import OutgoingOwner
from wsgid.dispatcher.pool import Pool, QueueFull
from wsgid.dispatcher.quarantine import Quarantine
from wsgid.dispatcher.question import Judged, Question
from wsgid.dispatcher.recycling import most_requests
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.snapshot import Snapshot, facts_of
from wsgid.dispatcher.storage import Storage
from wsgid.dispatcher.stored_answer import StoredAnswer
from wsgid.dispatcher.work import ANSWERING, ENDED, SENDING, Work
from wsgid.dispatcher.worker import NO_LIMIT, Lost, Worker, described
from wsgid.dispatcher.workers import Workers
from wsgid.logs import about
from wsgid.protocol.values import Request

STOPPING = "the server is stopping"

log = logging.getLogger("wsgid.dispatcher")


class Dispatch:
    """The dispatcher's state: queue and slots (`pool`), the exchanges that have not ended, and whether it drains."""

    def __init__(
        self,
        clock: Clock,
        access_log: AccessLog | NoLog,
        policy: Policy,
        id_prefix: str,
        tell_master: Callable[[FromDispatcher], None],
        disk: Disk,
    ) -> None:
        self.clock = clock
        self._now = clock.now
        """Bound once: a few times for each request it is asked what time it is."""
        self.disk = disk
        """For bodies in files, on their way in and out."""
        self.storage = Storage(disk, policy.answer_memory_total, policy.answer_spool_total, descriptors.files())
        self.counters = Counters(clock.now())
        self.draining = False
        self.workers: Workers | None = None
        self.on_quiet: Callable[[], None] | None = None
        """Called whenever the last exchange has ended while draining."""
        self._access_log = access_log
        self._policy = policy
        self._tell_master = tell_master
        self._pool: Pool[Slot, Exchange | Question] = Pool(policy.queue_size)
        self._quarantine = Quarantine()
        self._chance = random.Random()
        self._given_up = False
        self._open: set[Exchange] = set()
        self._ids: Iterator[int] = count(1)
        self._id_prefix = id_prefix
        self._connection_ids: Iterator[int] = count(1)
        self._ticked = clock.now()

    # What the edges ask for.

    def connection_id(self) -> str:
        return str(next(self._connection_ids))

    def request_key(self) -> str:
        return f"{self._id_prefix}-{next(self._ids)}"

    def stored_answer(self, owner: OutgoingOwner) -> StoredAnswer:
        """For what a client does not take at once."""
        return StoredAnswer(self._policy.answer_memory, self._policy.answer_spool, self.storage, owner)

    def open(self, request: Request, client: Client, keep_alive: bool) -> Exchange:
        """A request has arrived. It must be submitted, refused or left: it is open until it ends."""
        exchange = Exchange(request, client, keep_alive, self, self._now())
        self._open.add(exchange)
        return exchange

    @property
    def filters_uploads(self) -> bool:
        """See `Workers.filter_uploads`."""
        return self.workers is not None and self.workers.filter_uploads

    def ask(self, request: Request, judged: Judged) -> Question:
        """An upload has begun: may it go on? `judged` is called with the verdict, later, unless the question is closed
        before."""
        self.counters.uploads_asked += 1
        question = Question(request, judged, self, self.clock.now())
        self.disk.soon(partial(self.submit, question))  # not here: it may be refused, and whoever asks is not done yet
        return question

    def submit(self, work: Exchange | Question) -> None:
        """To an idle slot, or into the queue. Of an exchange it is the turn on its connection."""
        if work.stage is ENDED:
            return
        if (self.draining or self._quarantine.refused) and (why := self._why_not(work)):
            work.fail(503, why)
            return
        try:
            slot = self._pool.arrive(work)
        except QueueFull:
            work.fail(503, "too many requests are waiting")
            return
        if slot is not None:
            slot.give(work, self._now())
        else:
            work.queued_at = self._now()

    def _why_not(self, work: Work) -> str:
        """The reason why no worker shall have it; ``""`` when there is none."""
        if self.draining and (self._given_up or self._nobody_comes()):
            return STOPPING
        if _key(work.request) in self._quarantine.refused:
            return "workers have died over this request, it is not served for a while"
        return ""

    def unserved(self, exchange: Exchange) -> None:
        """See `Journal`."""
        self._pool.leave(exchange)

    def unasked(self, question: Question) -> None:
        """See `Asker`."""
        self._pool.leave(question)

    def upload_refused(self) -> None:
        """See `Asker`."""
        self.counters.uploads_refused += 1

    def ended(self, exchange: Exchange, code: int, note: str) -> None:
        """Every exchange comes here, once (see `Journal`)."""
        self._open.discard(exchange)
        if exchange.slot is None:
            self._pool.leave(exchange)
        now = self._now()
        self.counters.ended(exchange, code, note, now)
        self._access_log.ended(exchange, code, note, now)
        if self.draining:
            self.check_quiet()

    def close_file(self, descriptor: int) -> None:
        """See `Journal`."""
        self.disk.close(descriptor)

    @property
    def open_count(self) -> int:
        return len(self._open)

    # What the slots and workers report.

    def slot_idle(self, slot: Slot) -> None:
        """A thread has called."""
        self._next(slot, self._now())

    def _next(self, slot: Slot, now: float) -> None:
        """Whatever the slot, which has nothing to do, shall do next."""
        worker = slot.worker
        if not (worker.leaving or worker.shut) or self._needed(worker):
            work = self._pool.free(slot)
            if work is not None:
                slot.give(work, now)
        elif not worker.shut:
            slot.release()

    def slot_finished(self, slot: Slot, work: Work) -> None:
        worker, now = slot.worker, self._now()
        self.counters.busy_seconds += now - work.served_at
        worker.served += isinstance(work, Exchange)
        if worker.served >= worker.most:
            worker.most = NO_LIMIT
            self._tell_master(WornOut(worker.pid, f"it has served {worker.served} requests"))
        self._pool.finished(slot)
        self._next(slot, now)

    def slot_gone(self, slot: Slot, why: str) -> None:
        self._pool.remove(slot)
        worker = slot.worker
        worker.slots.remove(slot)
        work = slot.work
        if work is not None:
            told = "worker %d: thread %d is gone: %s"
            log.debug(told, worker.pid, slot.thread, why, extra=about(worker=worker.pid))
            self._pool.finished(slot)
            self.counters.busy_seconds += self.clock.now() - work.served_at
            if not slot.done:
                self._orphaned(work, slot)
        if self.workers is not None:
            self.workers.forget_if_gone(worker)
        self._refuse_if_nobody_comes()

    def _orphaned(self, work: Exchange | Question, slot: Slot) -> None:
        """Its worker is gone."""
        request, now = work.request, self.clock.now()
        # What made a leaving worker late has reached a limit: it would make the next one late as well.
        redeliver = self._policy.redeliver and not slot.worker.late(now)
        what = fate(work, read=slot.read, ground=slot.ground, redeliver=redeliver)
        again = what in (Fate.AGAIN, Fate.UNREAD)
        if again and self._why_not(work):
            what, again = Fate.REFUSED, False
        if what is not Fate.UNREAD:
            slot.worker.lost.append(Lost(*_key(request), described(work, what.value, now)))
        if again:
            self.counters.redelivered += 1
            work.take_back(request.attempt + (what is Fate.AGAIN), now)
            other = self._pool.come_back(work)
            if other is not None:
                other.give(work, now)
        else:
            work.fail(502, "the worker that had this request died")

    def worker_ready(self, worker: Worker) -> None:
        """All its threads have called."""
        worker.most = most_requests(self._policy, self._chance)
        self._tell_master(WorkerReady(worker.pid))

    def worker_leaving(self, worker: Worker) -> None:
        """It has said so of its own accord."""
        self._tell_master(WorkerLeaving(worker.pid))
        self._let_go(worker)

    def _let_go(self, worker: Worker) -> None:
        """It finishes what it has; its idle threads are released at once."""
        worker.leave_by = min(worker.leave_by, self.clock.now() + self._policy.graceful_timeout)
        for slot in worker.idle_slots():
            slot.release()
        for slot in [slot for slot in worker.slots if slot.done]:
            slot.resume()  # it waited for room for one more answer, and will have none

    def _needed(self, worker: Worker) -> bool:
        """While we drain no new worker comes: a leaving one helps to empty the queue. (Ctrl-C and some supervisors
        signal the whole process group at once.)"""
        return self.draining and not worker.shut and self._pool.queued > 0

    def _shut(self, worker: Worker) -> None:
        """It gets nothing new, and needs no release: it will be killed, or is dead."""
        worker.shut = True
        for slot in worker.idle_slots():
            self._pool.remove(slot)

    # What the master says.

    def adopt(self, policy: Policy) -> None:
        """Goes by these options from now on; those who wait stay, however long the queue may be."""
        self._policy = policy
        self._pool.queue_size = policy.queue_size
        self.storage.change(policy.answer_memory_total, policy.answer_spool_total)

    def retire(self, pid: int) -> None:
        worker = self.workers.retire(pid) if self.workers is not None else None
        if worker is not None:
            self._let_go(worker)

    def worker_died(self, death: WorkerDied) -> None:
        if self.workers is None:
            return
        if (worker := self.workers.by_pid.get(death.pid)) is not None:
            self._shut(worker)
        lost = self.workers.died(death.pid, death.how, death.expected)
        self.counters.worker_died(death, len(lost))
        by_us = worker is not None and (worker.hung or worker.late(self.clock.now()))
        if len(lost) == 1 and not (death.expected or by_us):
            self._suspect(lost[0])

    def _suspect(self, lost: Lost) -> None:
        """A worker died, and this was the only request it had."""
        most = self._policy.quarantine
        if not self._quarantine.died((lost.method, lost.path), most, self.clock.now()):
            return
        log.error(
            "%s %s is refused with 503 for %d s: it was the only request of each of %d workers that died within %d s",
            lost.method,
            lost.path,
            quarantine.PERIOD,
            most,
            quarantine.WINDOW,
        )
        for work in list(self._pool.queue):
            if why := self._why_not(work):
                work.fail(503, why)

    # Time limits, a few times a second.

    def tick(self) -> None:
        now = self.clock.now()
        for work in deadlines.waited_too_long(self._pool.queue, self._policy.queue_timeout, now):
            work.fail(503, "no worker was free in time")
        for worker in list(self.workers.by_pid.values()) if self.workers is not None else ():
            self._look_at(worker, now)
        for method, path in self._quarantine.over(now):
            log.info("%s %s is served again", method, path)
        self._ticked = now

    def _look_at(self, worker: Worker, now: float) -> None:
        # One step at each look: Hung, so that the master has the stacks written down while they tell where it hangs;
        # then the interruption; then, with a moment to give back what the request holds, Spent.
        if worker.to_interrupt:
            for request in worker.to_interrupt:
                worker.interrupt(request)
            worker.to_interrupt.clear()
        elif worker.hung and not worker.spent and deadlines.spent(worker):
            worker.spent = True
            self._tell_master(Spent(worker.pid))
        for slot in worker.slots:
            if slot.paused:
                slot.excused += now - self._ticked
        for slot in deadlines.overdue(worker.slots, self._policy.timeout, now):
            self._give_up_on(slot, TIME_LIMIT, now)

    def _give_up_on(self, slot: Slot, ground: Ground, now: float) -> None:
        """Its request is taken from it, and its worker is to be replaced."""
        worker, work = slot.worker, slot.work
        assert work is not None, "a slot that is given up is a busy one"
        told = described(work, taken_away(work, ground), now)
        slot.ground = ground
        worker.to_interrupt.append(work.request)
        if worker.hung:
            extra = about(work.request.id, worker.pid)
            log.error("worker %d: one more request %s: %s", worker.pid, ground.told, told, extra=extra)
        else:
            worker.hung = True
            self._shut(worker)
            # Which logs it, with the worker's stacks.
            self._tell_master(Hung(worker.pid, told, by_hand=ground is BY_HAND))
        work.fail(ground.code, ground.why, ground.note)
        self._refuse_if_nobody_comes()

    # What people ask for.

    def in_slots(self) -> list[Slot]:
        """Those that have something in hand, or have yet to be rid of an answer."""
        workers = self.workers.by_pid.values() if self.workers is not None else ()
        return [slot for worker in workers for slot in worker.slots if slot.work is not None]

    def in_queue(self) -> Sequence[Work]:
        """The first first."""
        return tuple(self._pool.queue)

    def unfinished(self) -> Iterable[Exchange]:
        """All that have arrived, wherever they are."""
        return self._open

    def kill(self, target: Slot | Work) -> None:
        """What this slot serves, and has not been taken from it before; or one that waits in the queue; or one whose
        answer is being sent, which is cut."""
        now = self.clock.now()
        if isinstance(target, Slot):
            self._give_up_on(target, BY_HAND, now)
            return
        id, waited = target.request.id, f"{now - target.queued_at:.2f} s"
        if isinstance(target, Exchange) and target.stage is SENDING:
            told = "request %s is killed by hand: its client has yet to take %d bytes of the answer"
            log.warning(told, id, target.client.unsent, extra=about(id))
            target.cut(BY_HAND.note)
            return
        log.warning("request %s is killed by hand: it has waited for a worker for %s", id, waited, extra=about(id))
        target.fail(BY_HAND.code, BY_HAND.why, BY_HAND.note)

    # How it is.

    @property
    def queued(self) -> int:
        return self._pool.queued

    @property
    def queue_size(self) -> int:
        return self._pool.queue_size

    @property
    def busy(self) -> int:
        """Requests in the workers' hands."""
        return sum(worker.busy for worker in self.workers.by_pid.values()) if self.workers is not None else 0

    def snapshot(self) -> Snapshot:
        workers = self.workers.by_pid.values() if self.workers is not None else ()
        now = self.clock.now()
        first = next(iter(self._pool.queue), None)
        waits = now - first.arrived if first is not None else 0.0
        return Snapshot(self.draining, len(self._open), self.queued, facts_of(workers, now), waits)

    def counts(self, *, edges: Iterable[EdgeCounts], lost_lines: dict[str, int]) -> Counts:
        now = self.clock.now()
        slots = [slot for worker in self.workers.by_pid.values() for slot in worker.slots] if self.workers else []
        at_it = sum(now - slot.work.served_at for slot in slots if slot.work is not None)
        return self.counters.counts(now, in_hand_seconds=at_it, edges=edges, lost_lines=lost_lines)

    # The end.

    def drain(self) -> None:
        self.draining = True
        self._refuse_if_nobody_comes()
        self.check_quiet()

    def _nobody_comes(self) -> bool:
        """While we drain no new worker comes: without any, those who wait would wait for the time limit."""
        workers = self.workers.by_pid.values() if self.workers is not None else ()
        return not any(worker.slots for worker in workers if not worker.shut)

    def _refuse_if_nobody_comes(self) -> None:
        if self.draining and self._nobody_comes():
            for work in self._pool.empty_queue():
                work.fail(503, STOPPING)

    def give_up(self) -> None:
        """The time for draining is over: what waits is refused, what is served is refused or cut."""
        self._given_up = True
        # Those that wait for their turn on a connection are not here: their turn comes with the end of the one before,
        # and then `submit` refuses them, so that each client gets its answers in order to the last. The queue comes
        # first: what is cut may make a worker idle.
        for work in self._pool.empty_queue():
            work.fail(503, STOPPING)
        for exchange in [exchange for exchange in self._open if exchange.stage in (ANSWERING, SENDING)]:
            exchange.cut()
        for worker in self.workers.by_pid.values() if self.workers is not None else ():
            for slot in worker.slots:
                if slot.work is not None:
                    slot.work.fail(503, STOPPING)

    def check_quiet(self) -> None:
        """For whoever lets go of the last thing that a drain waits for."""
        if self.draining and not self._open and self.on_quiet is not None:
            self.on_quiet()


def _key(request: Request) -> quarantine.Key:
    return request.method, request.script_name + request.path
