"""A request goes only to an idle worker, the others wait; the answers of one connection come in order."""

import os
import re
import select
import signal
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.functional.conftest import MakeSite
from tests.functional.full_queue import refused_one
from tests.functional.gate import Gates

HELLO = b"Hello, World!\n"
ACCESS_LINE = re.compile(r'" (?P<code>\d{3}) .* id=\w+-(?P<id>\d+)')


def test_quick_requests_pass_by_those_that_are_held(site: MakeSite, gates: Gates) -> None:
    served = site("plain", workers=4, env=gates.env)
    held = []
    for name in ("a", "b", "c"):
        connection = served.connect()
        connection.ask(f"/hold?fifo={gates.make(name)}")
        gates.wait_until_held(name)
        held.append((name, connection))
    with served.connect() as quick:
        for _ in range(200):
            quick.ask("/")
            assert quick.answer().body == HELLO
    for name, connection in held:
        gates.release(name, name.encode())
        assert connection.answer().body == name.encode()
        connection.close()


def test_pipelined_answers_come_in_order(site: MakeSite, gates: Gates) -> None:
    served = site("plain", workers=4, env=gates.env)
    with served.connect() as connection:
        for number in range(100):
            connection.ask(f"/hold?fifo={gates.make(f'first-{number}')}")
            connection.ask(f"/echo?{number}", "POST", body=b"second %d" % number)
            gates.wait_until_held(f"first-{number}")
            # Something that is served meanwhile shows that the second is not waiting for want of a worker.
            assert served.request("/").body == HELLO
            gates.release(f"first-{number}", b"first %d" % number)
            assert connection.answer().body == b"first %d" % number
            assert connection.answer().body == b"second %d" % number


def test_with_all_workers_busy_the_others_wait_or_are_refused(site: MakeSite, gates: Gates) -> None:
    served = site("plain", "--queue-size", "2", workers=1, env=gates.env)
    first, *others = connections = [served.connect() for _ in range(4)]
    first.ask(f"/hold?fifo={gates.make('first')}")
    gates.wait_until_held("first")
    for connection in others:
        connection.ask("/pid")
    refused, answer = refused_one(others)
    assert answer.header("retry-after") is not None
    waiting = [each for each in others if each is not refused]
    assert select.select([each.socket for each in waiting], [], [], 0)[0] == []
    gates.release("first", b"1")
    assert first.answer().body == b"1"
    assert [int(each.answer().body) for each in waiting] == served.daemon.worker_pids * 2
    for connection in connections:
        connection.close()
    # Ids are counted up as requests arrive: the one refused is the first that ends, the others keep their order.
    ended = [ACCESS_LINE.search(line) for line in served.daemon.wait_for_access(4)]
    codes, ids = zip(*((each["code"], int(each["id"])) for each in ended if each), strict=True)
    assert codes == ("503", "200", "200", "200")
    assert list(ids[1:]) == sorted(ids[1:])


def test_threads_of_one_worker_serve_side_by_side(site: MakeSite, gates: Gates) -> None:
    served = site("plain", workers=1, threads=4, env=gates.env)
    held = []
    for name in ("a", "b", "c"):
        connection = served.connect()
        connection.ask(f"/hold?fifo={gates.make(name)}")
        gates.wait_until_held(name)
        held.append((name, connection))
    told = served.request("/environ").json()
    assert told["wsgi.multithread"] is True
    for name, connection in reversed(held):
        gates.release(name, name.encode())
        assert connection.answer().body == name.encode()
        connection.close()


def test_a_client_that_leaves_the_queue_is_not_served(site: MakeSite, gates: Gates, tmp_path: Path) -> None:
    served = site("plain", workers=1, env=gates.env)
    ledger = f"{tmp_path}/ledger"
    with served.connect() as first:
        first.ask(f"/hold?fifo={gates.make('first')}")
        gates.wait_until_held("first")
        second = served.connect()
        second.ask(f"/ledger?path={ledger}&id=left")
        third = served.connect()
        third.ask(f"/ledger?path={ledger}&id=stayed")
        second.reset()
        wait_for(lambda: any(" 499 " in line for line in served.daemon.access_log), "the line of the one that left")
        gates.release("first", b"1")
        assert first.answer().body == b"1"
        assert third.answer().status == 200
        third.close()
    with open(ledger) as lines:
        assert [line.split()[1] for line in lines] == ["stayed"]


@pytest.mark.parametrize("how", ["kill", "exit", "segv"])
def test_a_worker_that_dies_is_replaced_and_its_client_told(site: MakeSite, how: str) -> None:
    served = site("plain", workers=1)
    pid = int(served.request("/pid").body)
    answer = served.request(f"/die?how={how}")
    assert answer.status == 502
    line = served.daemon.wait_for_log(f"worker {pid} died")
    words = {"kill": "SIGKILL", "exit": "code 7", "segv": "SIGSEGV"}[how]
    assert words in line
    assert f"GET /die?how={how}" in line
    log = served.daemon.log
    if how == "segv":
        assert log.index(f"stacks of worker {pid}:\n    Fatal Python error: Seg") < log.index(line)
    else:
        assert "stacks" not in log
    assert int(served.request("/pid").body) != pid
    assert any(" 502 " in line and "/die" in line for line in served.daemon.wait_for_access(3))


def test_a_worker_told_to_leave_finishes_first(site: MakeSite, gates: Gates) -> None:
    served = site("plain", workers=1, env=gates.env)
    pid = int(served.request("/pid").body)
    with served.connect() as held:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        os.kill(pid, signal.SIGTERM)
        served.daemon.wait_for_log("leaving: told to by SIGTERM")
        gates.release("held", b"finished")
        assert held.answer().body == b"finished"
    assert int(served.request("/pid").body) != pid
    served.daemon.wait_for_log(f"worker {pid} ended: left")


def test_an_endless_answer_ends_when_its_client_leaves(site: MakeSite, tmp_path: Path) -> None:
    served = site("plain", workers=1)
    ledger = f"{tmp_path}/closed"
    connection = served.connect()
    connection.ask(f"/endless?path={ledger}")
    assert connection.receive()
    connection.reset()
    assert served.request("/").body == HELLO
    with open(ledger) as lines:
        assert len(lines.readlines()) == 1
