"""``--timeout``: a request that never ends gets 504 in time, and harms no other request more than it must."""

import os

import pytest

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional.clients import Cut
from tests.functional.conftest import MakeDaemon, MakeSite
from tests.functional.hanging import (
    FUNCTIONS,
    LATE,
    OPTIONS,
    RESPITE,
    TIMEOUT,
    assert_told_and_killed,
    is_stuck,
    stacks_of,
    stick,
)
from tests.functional.ledger import Ledger
from tests.functional.load import Load, complaints, mixed, other_than, same
from wsgid.posts import DUMP_SIGNAL


def test_each_gets_504_on_time_and_other_workers_are_untouched(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", *OPTIONS, workers=2 + len(FUNCTIONS), env=ledger.env)
    with Load(served.address, mixed(milliseconds=5), clients=2) as good:
        with Load(served.address, stick, clients=len(FUNCTIONS), limit=len(FUNCTIONS)) as stuck:
            stuck.join()
        good.wait_for(50)
    assert complaints(good) == []
    assert other_than(200, good.records) == []
    assert complaints(stuck) == []
    assert other_than(504, stuck.records) == []
    for record in stuck.records:
        assert TIMEOUT <= record.took < TIMEOUT + seconds(LATE)
    entries = [each for each in ledger.running() if is_stuck(each)]
    assert len(entries) == len(FUNCTIONS), "none was given to another worker"
    for entry in entries:
        assert_told_and_killed(served.daemon, entry)
    wait_for(lambda: len(served.daemon.worker_pids) == 2 + len(FUNCTIONS), "their replacements")


def test_a_worker_that_is_asked_by_hand_tells_where_it_is(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "1", "--threads", "50")
    [worker] = daemon.worker_pids
    os.kill(worker, DUMP_SIGNAL)
    [stacks] = wait_for(lambda: stacks_of(daemon, worker), "the stacks")
    assert stacks.count(" in take_requests\n") == 50
    assert daemon.worker_pids == [worker]


@pytest.mark.parametrize("how", FUNCTIONS)
def test_its_neighbours_in_other_threads_finish_where_the_interpreter_lets_them(
    serve: MakeDaemon, ledger: Ledger, how: str
) -> None:
    daemon = serve("ledger", "--bind", "127.0.0.1:0", *OPTIONS, "--workers", "1", "--threads", "4", env=ledger.env)
    [pid] = daemon.worker_pids
    # Each takes a part of the time limit, so that all three threads are at one when the fourth is given up.
    with Load(daemon.address, same("GET", "ms=200"), clients=3) as good:
        good.wait_for(3)
        with Load(daemon.address, lambda _: stick(list(FUNCTIONS).index(how)), clients=1, limit=1) as stuck:
            stuck.join()
        good.wait_for(9)
    assert complaints(good) == []
    assert [each.status for each in stuck.records] == [504]
    [entry] = [each for each in ledger.begun if is_stuck(each)] if ledger.running() else []
    assert_told_and_killed(daemon, entry)
    if how == "regex":  # nothing else runs in that worker any more, so these reach the time limit, too
        assert {each.status for each in good.records} == {200, 504}
    else:
        assert other_than(200, good.records) == []
        assert {each.attempt for each in good.records} == {1}
    assert {each.pid for each in good.records if each.pid} == {pid, *daemon.worker_pids}
    assert len(daemon.worker_pids) == 1


def test_an_answer_that_has_begun_is_cut(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", *OPTIONS, workers=1, env=ledger.env)
    with served.connect() as client:
        client.ask("/stuck-1?parts=3&stick_late=loop")
        with pytest.raises(Cut):
            client.answer()
    ledger.look()
    wait_for(lambda: not proc.alive(ledger.begun[0].pid), "the worker to be gone", RESPITE + LATE)
    assert served.request("/1").status == 200
