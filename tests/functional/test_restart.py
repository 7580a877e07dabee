"""New code and new options under load, without a request lost; code that cannot be loaded changes nothing."""

import json
import os
import re
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeSite, Site
from tests.functional.daemon import Daemon, Outcome
from tests.functional.ledger import Ledger
from tests.functional.load import Load, complaints, mixed, other_than
from tests.functional.releases import HANGING, LIBRARY, MISSING, release

RESTARTS = 3
"""One after the other, under load."""

WORKERS = 4

HTTP = ("--bind", "127.0.0.1:0")


def only_200(load: Load) -> None:
    assert complaints(load) == []
    assert other_than(200, load.records) == []


# Releases


def test_only_200_while_it_restarts_again_and_again(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", workers=WORKERS, env=ledger.env)
    with Load(served.address, mixed(milliseconds=5)) as load:
        for number in range(2, 2 + RESTARTS):
            before = set(served.daemon.worker_pids)
            release(served.daemon.folder, str(number))
            outcome = served.daemon.run("restart")
            assert outcome.code == 0, outcome.output
            seen = len(load.records)
            load.wait_for(100)
            # What had been answered by an old worker before it left may still have been on its way to its client.
            assert {each.release for each in load.records[seen + 32 :]} == {str(number)}
            assert before.isdisjoint(served.daemon.worker_pids)
    only_200(load)
    assert max(ledger.runs().values()) == 1
    assert len(served.daemon.wait_for_access(len(load.records))) == len(load.records)


@pytest.mark.parametrize(("code", "told"), [(MISSING, LIBRARY), (HANGING, "start-timeout")], ids=["fails", "hangs"])
def test_a_release_that_cannot_be_loaded_changes_nothing(site: MakeSite, ledger: Ledger, code: str, told: str) -> None:
    served = site("ledger", workers=2, env=ledger.env)
    before = served.daemon.worker_pids
    with Load(served.address, mixed(milliseconds=5)) as load:
        release(served.daemon.folder, "2", code)
        # Long enough for the one that hangs to come to where it hangs, also on a busy machine.
        limit = seconds(2.0 if code == HANGING else 60.0)
        (served.daemon.folder / "wsgid.json").write_text(json.dumps({"start_timeout": limit}))
        outcome = served.daemon.run("restart")
        load.wait_for(100)
    only_200(load)
    assert outcome.code not in (0, 2)
    assert told in outcome.output
    if code == MISSING:
        assert "Traceback" in outcome.output
        assert f'{served.daemon.folder}/app/wsgi.py", line 1' in outcome.output
    else:
        assert 'wsgi.py", line 5 in wait_for_ever' in served.daemon.log
    assert {each.release for each in load.records} == {"1"}
    assert served.daemon.worker_pids == before
    release(served.daemon.folder, "3")
    _mend(served.daemon.folder, code)
    assert served.daemon.run("restart").code == 0
    assert _release(served) == "3"


def _mend(folder: Path, code: str) -> None:
    file = folder / "app/wsgi.py"
    file.write_text(file.read_text().removeprefix(code))
    (folder / "wsgid.json").unlink()


def _release(served: Site) -> str:
    return served.request("/1").text.split()[4]


def test_sighup_restarts_too(serve: MakeDaemon, ledger: Ledger) -> None:
    daemon = serve("ledger", *HTTP, env=ledger.env)
    release(daemon.folder, "2")
    daemon.send(signal.SIGHUP)
    wait_for(lambda: clients.request(f"{daemon.url}/1").text.split()[4] == "2", "the new release")


def test_asked_twice_both_hear_the_end_with_the_newest_code(serve: MakeDaemon, ledger: Ledger) -> None:
    daemon = serve("ledger", *HTTP, "--workers", "2", env=ledger.env)
    release(daemon.folder, "2")
    outcomes: list[Outcome] = []
    askers = [threading.Thread(target=lambda: outcomes.append(daemon.run("restart"))) for _ in range(2)]
    for each in askers:
        each.start()
    for each in askers:
        each.join()
    assert [each.code for each in outcomes] == [0, 0], outcomes
    assert clients.request(f"{daemon.url}/1").text.split()[4] == "2"
    assert len(daemon.worker_pids) == 2


# Options


def test_options_are_read_again(serve: MakeDaemon, app_folder: MakeFolder, ledger: Ledger) -> None:
    folder = app_folder("ledger")
    _options(folder, workers=1, bind="127.0.0.1:0", envs={"COLOUR": "blue"})
    daemon = serve(folder, env=ledger.env)
    _options(folder, workers=3, bind="127.0.0.1:1", envs={"COLOUR": "green"})
    outcome = daemon.run("restart")
    assert outcome.code == 0, outcome.output
    assert "bind" in outcome.output, "what a restart cannot change is named"
    assert "bind" in daemon.wait_for_log("bind")
    wait_for(lambda: len(daemon.worker_pids) == 3, "three workers")
    _options(folder, workers="many")
    refused = daemon.run("restart")
    assert refused.code not in (0, 2)
    assert "workers" in refused.output
    assert len(daemon.worker_pids) == 3
    assert clients.request(f"{daemon.url}/1").status == 200


def _options(folder: Path, **options: object) -> None:
    (folder / "wsgid.json").write_text(json.dumps(options))


# One worker


@pytest.mark.parametrize("by_command", [True, False], ids=["by restart --send-signal", "by hand"])
def test_a_worker_that_is_told_to_leave_loses_nothing(site: MakeSite, ledger: Ledger, by_command: bool) -> None:
    served = site("ledger", workers=WORKERS, env=ledger.env)
    before = served.daemon.worker_pids
    with Load(served.address, mixed(milliseconds=5)) as load:
        release(served.daemon.folder, "2")
        if by_command:
            assert served.daemon.run("restart", "--send-signal", "15").code == 0
        else:
            for pid in before:
                os.kill(pid, signal.SIGTERM)
                load.wait_for(20)
        wait_for(lambda: len(set(served.daemon.worker_pids).difference(before)) == WORKERS, "new workers")
        load.wait_for(100)
    only_200(load)
    assert {each.release for each in load.records} == {"1", "2"}
    wait_for(lambda: not any(proc.alive(pid) for pid in before), "the old ones to be gone")


def test_one_more_and_one_fewer(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", workers=1, env=ledger.env)
    daemon = served.daemon
    with Load(served.address, mixed(milliseconds=5)) as load:
        for number, count in ((signal.SIGTTIN, 2), (signal.SIGTTIN, 3), (signal.SIGTTOU, 2), (signal.SIGTTOU, 1)):
            daemon.send(number)
            wait_for(lambda count=count: len(daemon.worker_pids) == count, f"{count} workers")  # type: ignore[misc]
            wait_for(lambda: _serving(load) == set(daemon.worker_pids), "all of them to serve")
    only_200(load)


def _serving(load: Load) -> set[int]:
    """The workers that have answered of late."""
    return {each.pid for each in load.records[-100:]}


MOST = 25

LEAVERS = 3


def test_max_requests(site: MakeSite, ledger: Ledger) -> None:
    limits = ("--max-requests", str(MOST), "--max-requests-jitter", "5")
    served = site("ledger", *limits, workers=2, env=ledger.env)
    with Load(served.address, mixed(), clients=4) as load:
        wait_for(lambda: len(_ended(served.daemon)) >= LEAVERS, f"{LEAVERS} workers to have been replaced")
    only_200(load)
    ran = Counter(each.pid for each in load.records)
    assert all(ran[pid] >= MOST for pid in _ended(served.daemon)[:LEAVERS])
    _assert_one_at_a_time(served.daemon.log, workers=2)


def _ended(daemon: Daemon) -> list[int]:
    return [int(pid) for pid in re.findall(r"worker (\d+) ended: left", daemon.log)]


def _assert_one_at_a_time(log: str, workers: int) -> None:
    """Never fewer are ready than there should be; one comes, and one is on its way out."""
    ready = 0
    for line in log.splitlines():
        if "the application is loaded" in line:
            ready += 1
            assert ready <= workers + 2, line
        elif re.search(r" worker\[\d+\] left", line):
            ready -= 1
            assert ready >= workers, line


def test_max_rss(site: MakeSite, ledger: Ledger) -> None:
    served = site("ledger", "--max-rss", "150m", workers=1, env=ledger.env)
    [fat] = served.daemon.worker_pids
    with Load(served.address, mixed(), clients=2) as load:
        assert served.request(f"/0?grow={200_000_000}", "POST").status == 200
        wait_for(lambda: not proc.alive(fat), "the fat one to leave")
        load.wait_for(10)
    only_200(load)
    assert len(served.daemon.worker_pids) == 1


# Logs


def test_the_logs_are_reopened_by_all_processes(serve: MakeDaemon, ledger: Ledger) -> None:
    daemon = serve("plain", *HTTP, "--workers", "2", start=False)
    assert daemon.start_detached().code == 0
    logs = daemon.folder / "logs"
    clients.request(f"{daemon.url}/")
    daemon.wait_for_access(1)
    for name in ("wsgid.log", "access.log"):
        (logs / name).rename(logs / f"{name}.1")
    old = {name: (logs / name).read_text() for name in ("wsgid.log.1", "access.log.1")}
    daemon.send(signal.SIGUSR1)
    wait_for(lambda: not _holders(daemon, "wsgid.log.1"), "all to let go of the old wsgid.log")
    wait_for(lambda: not _holders(daemon, "access.log.1"), "all to let go of the old access.log")
    assert _holders(daemon, "wsgid.log") == {each.pid for each in daemon.processes()}
    clients.request(f"{daemon.url}/print?text=marked")
    assert "/print" in daemon.wait_for_access(1)[0]
    for stream in ("stdout", "stderr", "wsgi.errors"):
        daemon.wait_for_log(f"marked to {stream}")
    [first, *_] = daemon.worker_pids
    os.kill(first, signal.SIGKILL)
    assert "dispatcher[" in daemon.wait_for_log(f"worker {first} died")
    assert {name: (logs / name).read_text().startswith(text) for name, text in old.items()} == dict.fromkeys(old, True)
    assert "marked" not in (logs / "wsgid.log.1").read_text()
    assert (logs / "access.log.1").read_text() == old["access.log.1"]


def _holders(daemon: Daemon, name: str) -> set[int]:
    """Processes of the daemon that have this log open."""
    path = str((daemon.folder / "logs" / name).resolve())
    return {each.pid for each in daemon.processes() if path in proc.descriptors(each.pid).values()}
