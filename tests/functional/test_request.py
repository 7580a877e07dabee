"""``wsgid request list``, ``kill`` and ``trace`` on real daemons."""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeSite
from tests.functional.daemon import Daemon, command, environment
from tests.functional.gate import Gates
from tests.functional.hanging import FUNCTIONS, stacks_of
from tests.functional.ledger import Ledger
from tests.functional.test_slow_readers import FLOW_CONTROL, MORE_THAN_SOCKETS_TAKE


def request(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(daemon.folder, "request", *arguments),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=seconds(),
    )


def listed(daemon: Daemon) -> dict[str, Any]:
    """By target."""
    done = request(daemon, "list", "--json")
    assert done.returncode == 0, done.stderr
    return {each["request"]["target"]: each["request"] for each in json.loads(done.stdout)["requests"]}


def test_one_that_runs_and_one_that_waits(site: MakeSite, gates: Gates) -> None:
    served = site("plain", workers=1, env=gates.env)
    daemon = served.daemon
    [worker] = daemon.worker_pids
    with served.connect() as held, served.connect() as waiting, served.connect() as last:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        for number, client in enumerate((waiting, last), 2):
            client.ask(f"/?{number}")
            found = wait_for(lambda count=number: told if len(told := listed(daemon)) == count else None, "all")  # type: ignore[misc]
        running, second, third = found["/hold?fifo=held"], found["/?2"], found["/?3"]
        assert (running["state"], running["worker"], running["client"]) == ("running", worker, "127.0.0.1")
        assert (second["state"], second["worker"], second["wait"]) == ("queued", None, second["age"])
        assert running["age"] > second["age"] > third["age"] > 0
        table = request(daemon, "list").stdout.splitlines()
        assert [row.split()[0] for row in table] == ["ID", running["id"], second["id"], third["id"]]

        traced = request(daemon, "trace", running["id"])
        assert traced.returncode == 0, traced.stderr
        assert f" of worker {worker}, client 127.0.0.1:\n" in traced.stdout
        assert ", in hold\n" in traced.stdout
        assert request(daemon, "trace", second["id"]).returncode == 4

        killed = request(daemon, "kill", second["id"])
        assert (killed.returncode, killed.stderr) == (0, "")
        assert waiting.answer().status == 503
        assert daemon.worker_pids == [worker]

        assert request(daemon, "kill", running["id"]).returncode == 0
        answer = held.answer()
        assert (answer.status, answer.body) == (503, b"503 Service Unavailable: it was killed by hand\n")
        assert last.answer().status == 200, "by the worker that came in its place"
    wait_for(lambda: not proc.alive(worker), "the worker to be killed")
    daemon.wait_for_log(f"worker {worker} has a request that is killed by hand, and will be replaced")
    [stacks] = stacks_of(daemon, worker)
    assert " in hold\n" in stacks
    ends = {line.rpartition("id=")[2] for line in daemon.wait_for_access(3)}
    assert ends == {f"{running['id']} end=killed", f"{second['id']} end=killed", third["id"]}
    gone = request(daemon, "kill", running["id"])
    assert gone.returncode == 4
    assert gone.stderr.startswith(f"wsgid: there is no request '{running['id']}'")


def test_where_each_of_the_threads_of_a_worker_is(serve: MakeDaemon, ledger: Ledger) -> None:
    """Also while one of them lets no other run. The worker goes on, whoever looks at it."""
    daemon = serve("ledger", "--bind", "127.0.0.1:0", "--workers", "1", "--threads", "4", env=ledger.env)
    [worker] = daemon.worker_pids
    with ExitStack() as stack:
        for number, how in enumerate(("loop", "sleep", "stubborn", "regex"), 1):
            if how == "regex":
                traces = traces_of_all(daemon)
                assert_told(traces, worker)
                assert not any("interpreter lock" in told for _, told in traces)
            stack.enter_context(Connection(daemon.address)).ask(f"/{number}?stick={how}")
            wait_for(lambda count=number: len(ledger.running()) == count, "it to run")  # type: ignore[misc]
        traces = wait_for(lambda: found if len(found := traces_of_all(daemon)) == 4 else None, "all four")
        assert_told(traces, worker)
        assert all("interpreter lock" in told for _, told in traces)
        [level] = set(
            re.findall(rf"(\w+) +master\[\d+\] stacks of worker {worker}, as wsgid request trace ", daemon.log)
        )
        assert level == "INFO"
        assert " ERROR " not in daemon.log
        assert daemon.worker_pids == [worker]
        assert list(listed(daemon)) == [target for target, _ in traces], "nothing has happened to them"
        daemon.kill()


def traces_of_all(daemon: Daemon) -> list[tuple[str, str]]:
    """Of each request its target, and what is said of where it is."""
    found = listed(daemon)
    with ThreadPoolExecutor(4) as executor:
        done = list(executor.map(lambda each: request(daemon, "trace", each["key"]), found.values()))
    assert [(each.returncode, each.stderr) for each in done] == [(0, "")] * len(found)
    return [(target, each.stdout) for target, each in zip(found, done, strict=True)]


def assert_told(traces: list[tuple[str, str]], worker: int) -> None:
    for target, told in traces:
        how = FUNCTIONS[target.rpartition("=")[2]]
        assert [name for name in FUNCTIONS.values() if f" in {name}\n" in told] == [how]
        assert re.match(rf"GET /\d.stick=\w+ \(id \S+\), for \d+\.\d s in thread 0x\w{{16}} of worker {worker}, ", told)


def test_an_answer_that_nobody_takes(site: MakeSite) -> None:
    served = site("downloads", workers=1, settings=FLOW_CONTROL)
    [worker] = served.daemon.worker_pids
    target = f"/parts?n={MORE_THAN_SOCKETS_TAKE}"
    with served.connect() as client:
        client.ask(target, version="1.0")
        sent = wait_for(
            lambda: found if (found := listed(served.daemon).get(target)) and found["state"] == "sending" else None,
            "the worker to be done with it",
        )
        assert (sent["worker"], sent["thread"]) == (None, None)
        assert request(served.daemon, "trace", sent["id"]).returncode == 4
        killed = request(served.daemon, "kill", sent["id"])
        assert (killed.returncode, killed.stderr) == (0, "")
        assert killed.stdout.endswith(" is killed: answer cut\n")
        [line] = served.daemon.wait_for_access(1)
        assert line.endswith(f" id={sent['id']} end=killed")
        assert listed(served.daemon) == {}
    assert served.daemon.worker_pids == [worker]


def test_ids_that_a_front_end_has_given(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "2", env=gates.env)
    with Connection(daemon.address) as one, Connection(daemon.address) as other:
        for client, name in ((one, "one"), (other, "other")):
            client.ask(f"/hold?fifo={gates.make(name)}", headers={"X-Request-Id": "the-same"})
            gates.wait_until_held(name)
        several = request(daemon, "kill", "the-same")
        assert several.returncode == 5
        key = listed(daemon)["/hold?fifo=other"]["key"]
        assert f"wsgid:   {key}: GET /hold?fifo=other (id the-same), of the daemon {daemon.pid}\n" in several.stderr
        assert request(daemon, "kill", key).returncode == 0
        assert other.answer().status == 503
        wait_for(lambda: list(listed(daemon)) == ["/hold?fifo=one"], "its worker to be killed")
        assert request(daemon, "trace", "the-same").returncode == 0
        gates.release("one")
        assert one.answer().status == 200
