import os

import pytest

from tests.unit.channel.counted import NOTHING
from wsgid.channel.commands import MAX_NAMED, MAX_REPLY, MAX_TEXT, Report, Served, WorkerReport, WorkerState, line
from wsgid.dispatcher.report import report
from wsgid.dispatcher.snapshot import RequestFacts, Snapshot, WorkerFacts


def worker(
    *requests: RequestFacts, ready: bool = True, leaving: bool = False, hung: bool = False, busy: int = 0
) -> WorkerFacts:
    return WorkerFacts(7, ready, leaving, hung, 4, busy, 40, requests)


def served(**changed: str) -> Served:
    """What is told of a request."""
    facts = {"key": "1", "id": "id-1", "method": "GET", "target": "/", "client": "127.0.0.1", **changed}
    told = report(Snapshot(False, 1, 0, (worker(RequestFacts(**facts, age=1.23456), busy=1),), 0.0), [], NOTHING)
    [request] = told.workers[0].serving
    return request


def test_all_of_it() -> None:
    snapshot = Snapshot(True, 5, 3, (worker(RequestFacts("1", "id-1", "GET", "/x?y", "::1", 2.0), busy=2),), 1.5)
    assert report(snapshot, ["http://127.0.0.1:80"], NOTHING) == Report(
        dispatcher=os.getpid(),
        addresses=["http://127.0.0.1:80"],
        draining=True,
        unfinished=5,
        queued=3,
        busy=2,
        workers=[WorkerReport(7, WorkerState.BUSY, 4, 2, 40, [Served("id-1", "GET", "/x?y", "::1", 2.0)])],
        unnamed=0,
        longest_wait=1.5,
        counts=NOTHING,
    )


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (worker(), "ready"),
        (worker(ready=False), "starting"),
        (worker(busy=1), "busy"),
        (worker(ready=False, busy=1), "busy"),
        (worker(busy=1, leaving=True), "leaving"),
        (worker(busy=1, leaving=True, hung=True), "hung"),
    ],
)
def test_the_state_of_a_worker(facts: WorkerFacts, state: str) -> None:
    assert report(Snapshot(False, 0, 0, (facts,), 0.0), [], NOTHING).workers[0].state == state


def test_what_clients_write_is_printable_and_short() -> None:
    request = served(method="GE\x1b[2JT", target="/\u00e9\x07" + "x" * 1000, client="\x00")
    assert request.method == "GE\\x1b[2JT"
    assert request.target.startswith("/\\xe9\\x07x")
    assert request.client == "\\x00"
    assert len(request.target) == MAX_TEXT
    assert request.age == 1.235


def test_the_oldest_are_named_when_there_are_too_many() -> None:
    requests = [
        RequestFacts(str(age), str(age), "GET", "/" + "\x1b" * 500, "", float(age)) for age in range(MAX_NAMED + 5)
    ]
    told = report(Snapshot(False, 0, 0, (worker(*requests[::2]), worker(*requests[1::2])), 0.0), [], NOTHING)
    named = {each.id for worker in told.workers for each in worker.serving}
    assert named == {str(age) for age in range(5, MAX_NAMED + 5)}
    assert told.unnamed == 5
    assert len(line(told)) < MAX_REPLY


def test_those_of_the_same_age_and_id_are_not_more_than_may_be() -> None:
    requests = [RequestFacts(str(number), "id of all", "GET", "/", "", 1.0) for number in range(MAX_NAMED + 5)]
    told = report(Snapshot(False, 0, 0, (worker(*requests),), 0.0), [], NOTHING)
    assert len(told.workers[0].serving) == MAX_NAMED
