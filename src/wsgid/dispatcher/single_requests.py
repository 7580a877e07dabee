"""What people ask about single requests at the control socket: which there are, where one is; and that one be ended."""

import heapq
from collections.abc import Callable, Iterable

from wsgid.channel.commands import MAX_NAMED, Killed, Listed, Listing, NotThere, Reply, RequestState, Traced
from wsgid.dispatcher.dispatch import Dispatch
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.fates import BY_HAND, Fate, taken_away
from wsgid.dispatcher.question import Question
from wsgid.dispatcher.report import shown
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.traces import Found, NotFound, Traces
from wsgid.dispatcher.work import SENDING, Work

NOT_ANY_MORE = "it has ended, or never was here"

NOT_HERE = {
    RequestState.ARRIVING: "it has yet to arrive in full, or to be its turn on its connection",
    RequestState.SENDING: "its worker has done with it, and its client has yet to take the rest of the answer",
}


class SingleRequests:
    def __init__(self, dispatch: Dispatch, traces: Traces) -> None:
        self._dispatch = dispatch
        self._traces = traces

    def listing(self, named: str) -> Listing:
        """All, or those of this name only: the one with this key, else those with this id."""
        if named:
            found = self._named(named)
            return Listing(found[:MAX_NAMED], max(0, len(found) - MAX_NAMED))
        now = self._dispatch.clock.now()
        running = [slot for slot in self._dispatch.in_slots() if not slot.done]
        oldest = heapq.nlargest(MAX_NAMED, running, key=lambda slot: now - slot.work.arrived if slot.work else 0.0)
        queue = self._dispatch.in_queue()
        others = self._others(running, queue)
        found = [listed_in(slot, now) for slot in oldest]
        found += [listed(work, _waiting(work), now) for work in queue[:MAX_NAMED]]
        rest = heapq.nsmallest(MAX_NAMED - len(oldest), others, key=lambda work: work.arrived)
        found += [listed(work, _elsewhere(work), now) for work in rest]
        return Listing(found, len(running) + len(queue) + len(others) - len(found))

    def kill(self, key: str) -> Killed | NotThere:
        if (slot := self._slot(key)) is not None:
            if slot.ground is not None:
                return NotThere(f"it {slot.ground.told} already: its worker {slot.worker.pid} is about to be killed")
            assert slot.work is not None, "it is a busy one"
            outcome = taken_away(slot.work, BY_HAND)
            self._dispatch.kill(slot)
            return Killed(outcome, slot.worker.pid)
        if (work := _with_key(key, self._dispatch.in_queue())) is not None:
            self._dispatch.kill(work)
            return Killed(f"answered with {BY_HAND.code}", None)
        if (sent := _with_key(key, self._dispatch.unfinished())) is not None and sent.stage is SENDING:
            self._dispatch.kill(sent)
            return Killed(Fate.CUT.value, None)
        return NotThere(self._why_not(key))

    def trace(self, key: str, answer: Callable[[Reply], None]) -> None:
        """`answer` is called once."""
        slot = self._slot(key)
        if slot is None or slot.work is None:
            queued = _with_key(key, self._dispatch.in_queue()) is not None
            answer(NotThere("it waits for a worker, so no thread has it" if queued else self._why_not(key)))
            return
        traced, thread = slot.work, (slot.worker.pid, slot.identifier)

        def heard(found: Found | NotFound) -> None:
            if isinstance(found, NotFound):
                answer(NotThere(str(found)))
            else:
                now = self._dispatch.clock.now()
                request = listed(traced, _in_hand(traced), now, *thread)
                answer(Traced(request, found.text, found.from_outside))

        self._traces.begin(slot, traced, heard)

    def _slot(self, key: str) -> Slot | None:
        """That has this request in hand."""
        slots = self._dispatch.in_slots()
        return next((each for each in slots if not each.done and each.work and each.work.request.key == key), None)

    def _why_not(self, key: str) -> str:
        return next((NOT_HERE[each.state] for each in self._named(key) if each.state in NOT_HERE), NOT_ANY_MORE)

    def _named(self, name: str) -> list[Listed]:
        """Wherever they are, the oldest first. Of the others, which may be thousands, nothing is written."""
        found: dict[str, tuple[Work, RequestState, Slot | None]] = {}
        for each in self._everywhere():
            request = each[0].request
            if request.key == name:
                return [self._listed(*each)]
            if request.id == name:
                found.setdefault(request.key, each)
        return [self._listed(*each) for each in sorted(found.values(), key=lambda each: each[0].arrived)]

    def _everywhere(self) -> Iterable[tuple[Work, RequestState, Slot | None]]:
        """Some twice: the first is where they are."""
        for slot in self._dispatch.in_slots():
            if not slot.done and slot.work is not None:
                yield slot.work, _in_hand(slot.work), slot
        for work in self._dispatch.in_queue():
            yield work, _waiting(work), None
        for work in self._dispatch.unfinished():
            yield work, _elsewhere(work), None

    def _others(self, running: Iterable[Slot], queue: Iterable[Work]) -> list[Exchange]:
        """Those that no worker has in hand, and that do not wait for one."""
        placed = {slot.work.request.key for slot in running if slot.work is not None}
        placed.update(work.request.key for work in queue)
        return [each for each in self._dispatch.unfinished() if each.request.key not in placed]

    def _listed(self, work: Work, state: RequestState, slot: Slot | None) -> Listed:
        now = self._dispatch.clock.now()
        return listed(work, state, now) if slot is None else listed_in(slot, now)


def listed_in(slot: Slot, now: float) -> Listed:
    """What is in hand there."""
    assert slot.work is not None, "it is a busy one"
    return listed(slot.work, _in_hand(slot.work), now, slot.worker.pid, slot.identifier)


def listed(work: Work, state: RequestState, now: float, worker: int | None = None, thread: int | None = None) -> Listed:
    """`worker` and `thread`: which have it in hand."""
    request = work.request
    return Listed(
        key=request.key,
        id=shown(request.id),
        state=state,
        method=shown(request.method),
        target=shown(request.target),
        client=shown(request.remote_addr),
        age=round(now - work.arrived, 3),
        wait=round((work.served_at or now) - work.arrived, 3),
        worker=worker,
        thread=thread,
    )


def _in_hand(work: Work) -> RequestState:
    return RequestState.ASKED if isinstance(work, Question) else RequestState.RUNNING


def _waiting(work: Work) -> RequestState:
    return RequestState.ASKED if isinstance(work, Question) else RequestState.QUEUED


def _elsewhere(work: Work) -> RequestState:
    return RequestState.SENDING if work.stage is SENDING else RequestState.ARRIVING


def _with_key(key: str, works: Iterable[Work]) -> Work | None:
    return next((work for work in works if work.request.key == key), None)
