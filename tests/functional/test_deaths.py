"""Workers die with requests in hand: each request still gets exactly one answer, and the log tells what was lost."""

import itertools
import os
import re
import signal
from collections import Counter
from datetime import datetime

import pytest

from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.clients import Connection, Cut
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeSite
from tests.functional.gate import Gates
from tests.functional.ledger import Ledger
from tests.functional.load import HANG, Load, mixed
from tests.functional.shooter import BETWEEN, Shooter, judged

KILLS = 40
"""Of 8 workers under the load of 32 clients."""

WORDS = {"kill": "killed by SIGKILL", "segv": "killed by SIGSEGV", "exit": "exited with code 7"}


def test_every_request_gets_one_answer_while_workers_are_shot(site: MakeSite, ledger: Ledger) -> None:
    served, shooter = site("ledger", workers=8, env=ledger.env), Shooter(ledger)
    with Load(served.address, mixed(milliseconds=10)) as load:
        fired = [shooter.shoot(load) for _ in range(KILLS)]
        load.wait_for(BETWEEN)
        load.wait_for(200)
    assert judged(load, ledger, shooter.shots) == []
    assert max(each.took for each in load.records) < seconds(HANG)
    failed = Counter(each.method for each in load.records if each.status == 502)
    assert failed["POST"] > 0
    assert failed["GET"] == sum(each.method == "GET" and each.attempt == 2 for each in fired) > 0
    wait_for(lambda: len(served.daemon.worker_pids) == 8, "all workers to be replaced")
    for shot in fired:
        line = served.daemon.wait_for_log(f"worker {shot.pid} died: killed by SIGKILL")
        assert f"{shot.method} /{shot.number}?" in line
    assert len(served.daemon.wait_for_access(len(load.records))) == len(load.records)


def test_a_get_is_given_to_another_worker_once(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", workers=1, env=ledger.env)
    for number, how in enumerate(WORDS):
        answer = served.request(f"/{number}?die={how}&until=1")
        assert answer.status == 200
        ledger.look()
        first, second = ledger.begun[-2:]
        assert answer.text.split()[:4] == ["GET", str(number), str(second.pid), "2"]
        assert (first.number, first.attempt) == (second.number, 1)
        assert first.pid != second.pid
        line = served.daemon.wait_for_log(f"worker {first.pid} died")
        access = served.daemon.wait_for_access(number + 1)[-1]
        for word in (WORDS[how], f"GET /{number}?die={how}&until=1", "127.0.0.1", access.split("id=")[1].split()[0]):
            assert word in line
        assert " 200 " in access


def test_a_head_too(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", workers=1, env=ledger.env)
    assert served.request("/7?die=kill&until=1", "HEAD").status == 200
    assert ledger.runs() == {"7": 2}


def test_a_get_that_kills_two_workers_fails(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", workers=2, env=ledger.env)
    assert served.request("/7?die=kill").status == 502
    assert ledger.runs() == {"7": 2}
    assert served.request("/8").status == 200


def test_a_post_fails_at_once_and_is_not_run_again(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", workers=1, env=ledger.env)
    for how in WORDS:
        assert served.request(f"/{how}?die={how}", "POST", b"a body").status == 502
        assert ledger.runs()[how] == 1
        line = served.daemon.wait_for_log(f"worker {ledger.begun[-1].pid} died")
        assert WORDS[how] in line
        assert f"POST /{how}?die={how}" in line
    assert served.request("/8", "POST", b"a body").status == 200
    assert set(ledger.runs().values()) == {1}


def test_redeliver_off(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", "--redeliver", "off", workers=1, env=ledger.env)
    assert served.request("/7?die=kill&until=1").status == 502
    assert ledger.runs() == {"7": 1}
    assert served.request("/8").status == 200


def test_what_keeps_a_worker_from_leaving_in_time_is_not_run_again(
    site: MakeSite, ledger: Ledger, gates: Gates
) -> None:
    """The limit is ours, and the next worker would not leave in time either."""
    served = site("ledger", "--graceful-timeout", "0.1", workers=2, env={**ledger.env, **gates.env})
    with served.connect() as get, served.connect() as post:
        get.ask(f"/1?gate={gates.make('get')}")
        post.ask(f"/2?gate={gates.make('post')}", "POST", body=b"a body")
        for name in ("get", "post"):
            gates.wait_until_held(name)
        outcome = served.daemon.run("restart")
        assert outcome.code == 0, outcome.output
        assert [get.answer().status, post.answer().status] == [502, 502]
    assert ledger.runs() == {"1": 1, "2": 1}
    assert served.request("/3").status == 200


def test_a_client_that_has_only_finished_sending_hears_that_its_worker_died(
    serve: MakeDaemon, ledger: Ledger, gates: Gates
) -> None:
    """Of our own edge: Mongrel2 takes it for one that has left."""
    daemon = serve("ledger", "--bind", "127.0.0.1:0", "--workers", "1", env={**ledger.env, **gates.env})
    [worker] = daemon.worker_pids
    with Connection(daemon.address) as client:
        client.ask(f"/1?gate={gates.make('held')}", "POST", body=b"a body")
        gates.wait_until_held("held")
        client.finish_sending()
        os.kill(worker, signal.SIGKILL)
        assert client.answer().status == 502
    assert ledger.runs() == {"1": 1}


def test_an_answer_that_has_begun_is_cut(site: MakeSite, ledger: Ledger, gates: Gates) -> None:
    served = site("ledger", workers=1, env={**ledger.env, **gates.env})
    with served.connect() as client:
        client.ask(f"/7?parts=3&die=kill&late={gates.make('late')}")
        gates.release("late")
        with pytest.raises(Cut):
            client.answer()
    assert ledger.runs() == {"7": 1}
    assert "GET /7?" in served.daemon.wait_for_log("died: killed by SIGKILL")
    assert served.request("/8").status == 200


def test_quarantine(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", "--quarantine", "2", workers=1, env=ledger.env)
    assert served.request("/7?die=kill&first=1", "POST").status == 502
    assert served.request("/7?die=kill&other=2", "POST").status == 502
    served.daemon.wait_for_log("POST /7")
    refused = served.request("/7", "POST")
    assert refused.status == 503
    assert ledger.runs() == {"7": 2}
    assert served.request("/7").status == 200, "another method is not refused"
    assert served.request("/8", "POST").status == 200, "another path is not refused"
    line = next(line for line in served.daemon.access_log if "POST /7 " in line)
    assert "503" in line


DYING = "import os\n\nos._exit(9)\n"

STAMP = re.compile(r"^(\S+ \S+,\d{3}) .* worker \d+ died: exited with code 9", re.MULTILINE)


def test_one_that_dies_before_it_is_ready_is_tried_again_ever_more_rarely(
    app_folder: MakeFolder, serve: MakeDaemon, ledger: Ledger
) -> None:
    folder = app_folder("ledger")
    code = folder / "app/wsgi.py"
    sound = code.read_text()
    daemon = serve(folder, "--bind", "127.0.0.1:0", "--workers", "1", env=ledger.env)
    code.write_text(DYING + sound)
    [pid] = daemon.worker_pids
    os.kill(pid, signal.SIGKILL)
    stamps = wait_for(lambda: found if len(found := STAMP.findall(daemon.log)) >= 4 else None, "four vain attempts")
    times = [datetime.fromisoformat(each.replace(",", ".")) for each in stamps]
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=False):
        assert gap > least
    daemon.wait_for_log("failure 4 in a row")
    code.write_text(sound)
    assert clients.request(f"{daemon.url}/1").status == 200
