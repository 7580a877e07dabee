"""--metrics: what is counted agrees with what clients and ledger have seen, and it is told whatever goes on."""

import os
import signal
import socket
import subprocess
from collections import Counter
from contextlib import ExitStack

from tests.deadlines import seconds, wait_for
from tests.functional import clients, metrics
from tests.functional.conftest import MakeDaemon, MakeSite
from tests.functional.full_queue import refused_one
from tests.functional.gate import Gates
from tests.functional.ledger import Ledger
from tests.functional.load import Load, complaints, mixed
from tests.functional.shooter import Shooter
from wsgid.dispatcher.metrics_server import MOST_CONNECTIONS

LEAST = {"http": 10_000, "mongrel2": 2_000}
"""Requests, the refused ones among them: of these there are thousands a second while a worker is being replaced."""

SHOTS = 4

QUEUE = 8
"""So short that some of the clients are refused."""


def test_after_ten_thousand_requests_with_deaths_and_refusals(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", *metrics.OPTION, "--queue-size", str(QUEUE), workers=2, env=ledger.env)
    shooter, least = Shooter(ledger), LEAST[served.edge]
    with Load(served.address, mixed()) as load:
        for _ in range(SHOTS):
            shooter.shoot(load)
        load.wait_for(max(1, least - len(load.records)))
    many = len(load.records)
    assert complaints(load) == []
    served.daemon.wait_for_access(many)
    found = metrics.samples(served.daemon)
    seen = Counter((each.method, f"{each.status // 100}xx") for each in load.records)
    assert metrics.nonzero(found, "wsgid_requests_total") == {
        f'{{method="{method}",status="{status}"}}': count for (method, status), count in seen.items()
    }
    by_status = Counter(each.status for each in load.records)
    assert by_status[503] > 0, "some were to be refused"
    assert metrics.nonzero(found, "wsgid_requests_refused_total") == {
        f'{{code="{status}"}}': by_status[status] for status in (502, 503) if by_status[status]
    }
    assert metrics.nonzero(found, "wsgid_request_ends_total") == {
        '{end="answered"}': by_status[200],
        '{end="refused"}': many - by_status[200],
    }
    had_a_worker = many - by_status[503]
    assert found["wsgid_request_wait_seconds_count"] == had_a_worker
    assert found["wsgid_request_service_seconds_count"] == had_a_worker
    assert metrics.nonzero(found, "wsgid_worker_deaths_total") == {'{cause="signal"}': SHOTS}
    assert found["wsgid_requests_redelivered_total"] == ledger.runs().total() - had_a_worker
    asked = [mixed()(each.number) for each in load.records if each.status != 503]
    assert found["wsgid_request_body_bytes_total"] == sum(len(each.body) for each in asked)
    took = sum(each.took for each in load.records if each.status != 503)
    inside = found["wsgid_request_wait_seconds_sum"] + found["wsgid_request_service_seconds_sum"]
    assert inside <= took
    assert found["wsgid_requests_in_progress"] == 0


def test_promtool_has_nothing_to_complain_of(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", *metrics.OPTION)
    clients.request(daemon.url)
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=metrics.ask(daemon, "/metrics").body,
        capture_output=True,
        timeout=seconds(),
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_it_answers_while_the_queue_is_full_and_while_the_daemon_stops(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", *metrics.OPTION, "--queue-size", "1", env=gates.env)
    assert metrics.ask(daemon, "/readyz").text == "ready: 1 worker serves\n"
    held, *others = (clients.Connection(daemon.address) for _ in range(3))
    held.ask(f"/hold?fifo={gates.make('first')}")
    gates.wait_until_held("first")
    for each in others:
        each.ask("/")
    refused_one(others)
    found = metrics.samples(daemon)
    assert (found["wsgid_queue_length"], found["wsgid_queue_limit"]) == (1, 1)
    assert found["wsgid_queue_oldest_wait_seconds"] > 0
    assert found['wsgid_worker_threads{state="busy"}'] == 1
    assert found['wsgid_worker_threads{state="idle"}'] == 0
    assert found['wsgid_workers{state="busy"}'] == 1
    assert metrics.ask(daemon, "/readyz").status == 200
    daemon.send(signal.SIGTERM)
    wait_for(lambda: metrics.ask(daemon, "/readyz").status == 503, "it not to be ready any more")
    assert metrics.ask(daemon, "/readyz").text == "not ready: the daemon stops\n"
    assert metrics.ask(daemon, "/healthz").text == "ok\n"
    assert metrics.samples(daemon)["wsgid_draining"] == 1
    gates.release("first")
    assert held.answer().status == 200
    assert daemon.wait() == 0
    for each in (held, *others):
        each.close()


def test_of_each_process_it_tells_the_memory_and_of_each_death_the_cause(serve: MakeDaemon) -> None:
    options = ("--workers", "2", "--max-requests", "1", "--max-requests-jitter", "0")
    daemon = serve("plain", "--bind", "127.0.0.1:0", *metrics.OPTION, *options)
    found = metrics.samples(daemon)
    for process in ("master", "dispatcher", "workers"):
        assert 2**20 < found[f'wsgid_resident_memory_bytes{{process="{process}"}}'] < 2**32
    assert found["wsgid_worker_resident_memory_max_bytes"] < found['wsgid_resident_memory_bytes{process="workers"}']
    os.kill(daemon.worker_pids[0], signal.SIGSEGV)

    def deaths() -> dict[str, float]:
        return metrics.nonzero(metrics.samples(daemon), "wsgid_worker_deaths_total")

    wait_for(lambda: deaths() == {'{cause="signal"}': 1}, "the death to be counted")
    clients.request(daemon.url)
    wait_for(lambda: deaths() == {'{cause="signal"}': 1, '{cause="max_requests"}': 1}, "the other")
    assert daemon.run("restart").code == 0
    wait_for(lambda: deaths().get('{cause="restart"}') == 2, "the restart")


def test_with_another_dispatcher_it_begins_anew_at_the_same_address(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", *metrics.OPTION)
    clients.request(daemon.url)
    before = metrics.samples(daemon)
    assert before["wsgid_request_service_seconds_count"] == 1
    assert before["wsgid_dispatcher_deaths_total"] == 0
    os.kill(daemon.dispatcher_pid, signal.SIGKILL)
    wait_for(lambda: daemon.log.count("answering Prometheus and probes at") == 2, "the next one")
    after = metrics.samples(daemon)
    assert after["wsgid_request_service_seconds_count"] == 0
    assert after["wsgid_dispatcher_deaths_total"] == 1
    assert after["wsgid_start_time_seconds"] == before["wsgid_start_time_seconds"]
    wait_for(lambda: metrics.ask(daemon, "/readyz").status == 200, "the worker to call")


def test_scrapers_that_hang_keep_nobody_from_being_served(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", *metrics.OPTION)
    host, port = metrics.url(daemon).removeprefix("http://").split(":")
    with ExitStack() as stack:
        for _ in range(2 * MOST_CONNECTIONS):
            stack.enter_context(socket.create_connection((host, int(port)))).send(b"GET /met")
        assert clients.request(daemon.url).status == 200
        for path in ("/healthz", "/readyz", "/metrics"):
            assert metrics.ask(daemon, path).status == 200
