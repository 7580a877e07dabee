"""What the dispatcher decides: joins edges, queue and workers.

An edge opens an exchange when a request has arrived and submits it when it may be served; a slot takes it when idle.
"""

import logging
from collections.abc import Callable, Iterator
from itertools import count

from wsgid.dispatcher.access_log import AccessLog
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Client, Exchange, Stage
from wsgid.dispatcher.pool import Pool, QueueFull
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.workers import Worker, Workers
from wsgid.protocol.values import Request

STOPPING = "the server is stopping"

log = logging.getLogger("wsgid.dispatcher")


class Dispatch:
    """The dispatcher's state: queue and slots (`pool`), the exchanges that have not ended, and whether it drains."""

    def __init__(self, clock: Clock, access_log: AccessLog, queue_size: int, id_prefix: str) -> None:
        self.clock = clock
        self.draining = False
        self.workers: Workers | None = None
        self.on_quiet: Callable[[], None] | None = None
        """Called whenever the last exchange has ended while draining."""
        self._access_log = access_log
        self._pool: Pool[Slot, Exchange] = Pool(queue_size)
        self._given_up = False
        self._open: set[Exchange] = set()
        self._ids: Iterator[int] = count(1)
        self._id_prefix = id_prefix
        self._connection_ids: Iterator[int] = count(1)

    # What the edges ask for.

    def connection_id(self) -> str:
        return str(next(self._connection_ids))

    def request_id(self) -> str:
        return f"{self._id_prefix}-{next(self._ids)}"

    def open(self, request: Request, client: Client, keep_alive: bool) -> Exchange:
        """A request has arrived. It must be submitted, refused or left: it is open until it ends."""
        exchange = Exchange(request, client, keep_alive, self, self.clock.now())
        self._open.add(exchange)
        return exchange

    def submit(self, exchange: Exchange) -> None:
        """It is this exchange's turn on its connection: to an idle slot, or into the queue."""
        if exchange.ended:
            return
        if self.draining and (self._given_up or self._nobody_comes()):
            exchange.fail(503, STOPPING)
            return
        try:
            slot = self._pool.arrive(exchange)
        except QueueFull:
            exchange.fail(503, "too many requests are waiting")
            return
        if slot is not None:
            slot.give(exchange, self.clock.now())

    def ended(self, exchange: Exchange, code: int, note: str) -> None:
        """Every exchange comes here, once (see `Journal`)."""
        self._open.discard(exchange)
        if exchange.slot is None:
            self._pool.leave(exchange)
        self._access_log.ended(exchange, code, note)
        self.check_quiet()

    @property
    def open_count(self) -> int:
        return len(self._open)

    # What the slots and workers report.

    def slot_idle(self, slot: Slot) -> None:
        """A thread has called, or has finished."""
        exchange = self._pool.free(slot) if not slot.worker.leaving or self._needed(slot) else None
        if exchange is not None:
            slot.give(exchange, self.clock.now())
        elif slot.worker.leaving and not self._needed(slot):
            self._pool.remove(slot)
            slot.release()

    def slot_finished(self, slot: Slot) -> None:
        self._pool.finished(slot)
        self.slot_idle(slot)

    def slot_gone(self, slot: Slot, why: str) -> None:
        self._pool.remove(slot)
        exchange = slot.exchange
        outcome = ""
        if exchange is not None:
            self._pool.finished(slot)
            outcome = _outcome(exchange)
            exchange.fail(502, "the worker that had this request died")
        if self.workers is not None:
            self.workers.slot_gone(slot, outcome)
        self._refuse_if_nobody_comes()

    def worker_leaving(self, worker: Worker) -> None:
        """It finishes what it has; its idle threads are let go at once."""
        for slot in list(worker.slots):
            if slot.exchange is None and not self._needed(slot):
                self._pool.remove(slot)
                slot.release()

    def _needed(self, slot: Slot) -> bool:
        """While we drain no new worker comes: a leaving one helps to empty the queue. (Ctrl-C and some supervisors
        signal the whole process group at once.)"""
        return self.draining and self._pool.queued > 0

    # The end.

    def drain(self) -> None:
        self.draining = True
        self._refuse_if_nobody_comes()
        self.check_quiet()

    def _nobody_comes(self) -> bool:
        """While we drain no new worker comes: without any, those who wait would wait for the time limit."""
        workers = self.workers.by_pid.values() if self.workers is not None else ()
        return not any(worker.slots for worker in workers)

    def _refuse_if_nobody_comes(self) -> None:
        if self.draining and self._nobody_comes():
            for exchange in self._pool.empty_queue():
                exchange.fail(503, STOPPING)

    def give_up(self) -> int:
        """The time for draining is over: what waits is refused, what is served is refused or cut. Returns how many."""
        unfinished = len(self._open)
        self._given_up = True
        # Those that wait for their turn on a connection are not here: their turn comes with the end of the one before,
        # and then `submit` refuses them, so that each client gets its answers in order to the last.
        for exchange in self._pool.empty_queue():
            exchange.fail(503, STOPPING)
        for worker in self.workers.by_pid.values() if self.workers is not None else ():
            for slot in worker.slots:
                if slot.exchange is not None:
                    slot.exchange.fail(503, STOPPING)
        return unfinished

    def check_quiet(self) -> None:
        """For whoever lets go of the last thing that a drain waits for."""
        if self.draining and not self._open and self.on_quiet is not None:
            self.on_quiet()


def _outcome(exchange: Exchange) -> str:
    """What the death of its worker does to an exchange, in the words of the log."""
    if exchange.ended:
        return "already answered or left by its client"
    return "answer cut" if exchange.stage is Stage.ANSWERING else "answered with 502"
