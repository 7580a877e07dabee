"""The rule "a request ends exactly once", whatever happens and in whatever order, with clients that are played.

That clients are real down to their bytes is tried in `test_exactly_once_edges`.
"""

import os
import re
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.unit.dispatcher.fakes import RecordingClient
from tests.unit.dispatcher.machine import DispatcherMachine, no_run_breaks
from tests.unit.dispatcher.requests import a_request
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.question import Question
from wsgid.dispatcher.work import Stage
from wsgid.protocol.http_request import Refused

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
class Upload:
    """That is being asked about."""

    question: Question
    closed: bool = False
    verdicts: list[Refused | None] = field(default_factory=list)


class ExactlyOnce(DispatcherMachine):
    def __init__(self) -> None:
        super().__init__()
        self.visits: dict[str, Visit] = {}
        self.uploads: list[Upload] = []

    def was_read(self, name: str, pid: int) -> None:
        self.visits[name].readers.append(pid)

    # Clients.

    @rule(
        method=st.sampled_from(["GET", "GET", "POST"]),
        path=st.sampled_from("ab"),
        at_once=st.booleans(),
        slow=st.booleans(),
    )
    def arrive(self, method: str, path: str, at_once: bool, slow: bool) -> None:
        self.arrived += 1
        name = self.dispatch.request_key()
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

    # Uploads.

    @rule(path=st.sampled_from("ab"))
    def an_upload_begins(self, path: str) -> None:
        verdicts: list[Refused | None] = []
        request = a_request(id=self.dispatch.request_key(), method="POST", path=f"/{path}")
        self.uploads.append(Upload(self.dispatch.ask(request, verdicts.append), verdicts=verdicts))
        self.go_round(1)

    @precondition(lambda self: self.uploads)
    @rule(data=st.data())
    def an_upload_is_over(self, data: st.DataObject) -> None:
        upload = data.draw(st.sampled_from(self.uploads))
        upload.closed |= not upload.verdicts
        upload.question.close()

    # What is always true.

    @invariant()
    def each_upload_has_one_verdict_at_most(self) -> None:
        queue = set(self.dispatch._pool.queue)
        asked = Counter(slot.work for slot in self.slots() if slot.work is not None)
        for upload in self.uploads:
            question = upload.question
            assert len(upload.verdicts) + upload.closed == question.ended
            if question.ended:
                assert question not in queue
            else:
                assert (question in queue) + asked[question] == 1

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
        served = Counter(slot.work for slot in self.slots() if slot.work is not None)
        for visit in self.visits.values():
            exchange = visit.exchange
            if exchange.settled or not visit.submitted:
                assert exchange not in queue
            else:
                assert (exchange in queue) + served[exchange] == 1
                assert (exchange.stage is Stage.WAITING) == (exchange in queue)
        assert len(queue) <= len(self.visits) + len(self.uploads)

    @invariant()
    def no_worker_has_it_that_should_not(self) -> None:
        """A POST is read once. Another is read twice at most; two deaths are too many."""
        for visit in self.visits.values():
            assert len(visit.readers) <= (2 if self.redeliver and visit.method == "GET" else 1)
            if visit.client.body.startswith(b"502"):
                expected = 2 if self.redeliver and visit.method == "GET" else 1
                excused = self.dispatch.draining or bool(self.quarantine) or visit.exchange.doubtful
                # It may have had no time left.
                excused = excused or not self.leavers.isdisjoint(visit.readers)
                assert excused or len(visit.readers) == expected

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
        assert all(upload.question.ended for upload in self.uploads)
        self.each_upload_has_one_verdict_at_most()
        self.each_has_ended_once_or_is_open()
        self.each_client_gets_one_answer_at_most()
        assert self.quiet
        super().everything_ends()


def test_every_request_ends_exactly_once() -> None:
    no_run_breaks(ExactlyOnce)
