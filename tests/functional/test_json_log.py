"""``--log-format json``: each record is an object on a line of its own, whoever has written it, and however."""

import json
import os
import signal
from typing import Any

from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.conftest import MakeDaemon, MakeFolder
from tests.functional.daemon import Daemon

APPLICATION = """
import time

def application(environ, start_response):
    match environ["PATH_INFO"]:
        case "/complain":
            environ["wsgi.errors"].write("first line\\nsecond \\x1b[2J line\\n")
        case "/fail":
            raise LookupError("noth\\xefng")
        case "/hang":
            time.sleep(60)
    start_response("200 OK", [])
    return [b"done"]
"""


def records(daemon: Daemon) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (daemon.folder / "logs/wsgid.log").read_text().splitlines()]


def test_all_that_is_logged_is_json(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    folder = app_folder("told", {"app/wsgi.py": APPLICATION})
    daemon = serve(folder, "--bind", "127.0.0.1:0", "--no-stdout", "--log-format", "json", "--timeout", "1")
    for path, status in (("/complain", 200), ("/fail", 500), ("/hang", 504)):
        given = clients.request(f"{daemon.url}{path}", headers={"X-Request-Id": f"id-of{path}"})
        assert given.status == status
    wait_for(lambda: any("stacks of" in each["message"] for each in records(daemon)), "the stacks of the hung worker")
    [victim] = wait_for(lambda: daemon.worker_pids, "its successor")
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: any(each.get("worker") == victim and each["level"] == "ERROR" for each in records(daemon)), "it")
    daemon.stop()

    told = records(daemon)
    assert all(
        {"time", "level", "logger", "role", "pid", "message"} <= each.keys() and each["time"].endswith("Z")
        for each in told
    )
    by_request = {each["request_id"]: each for each in told if "request_id" in each}
    complaint = by_request["id-of/complain"]
    assert complaint["message"] == "request id-of/complain: first line\nsecond \x1b[2J line"
    assert complaint["level"] == "ERROR"
    assert by_request["id-of/fail"]["traceback"].endswith("LookupError: noth\xefng")
    assert by_request["id-of/fail"]["message"].endswith("the application failed")
    [stacks] = [each for each in told if each["message"].startswith("stacks of worker ")]
    assert stacks["role"] == "master"
    assert "most recent call first" in stacks["traceback"]
    assert stacks["worker"] == by_request["id-of/fail"]["pid"]
    assert {each["role"] for each in told} == {"master", "dispatcher", "worker"}


def test_a_daemon_that_cannot_start_says_so_in_json(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    """On the standard output as on standard error, which one reader may have both of."""
    folder = app_folder("told", {"app/wsgi.py": "import nothing_is_here\napplication = nothing_is_here.app\n"})
    outcome = serve(folder, "--bind", "127.0.0.1:0", "--log-format", "json", start=False).start_and_end()
    assert outcome.code == 1
    told = [json.loads(line) for line in outcome.output.splitlines()]
    assert told[-1]["level"] == "ERROR"
    assert "nothing_is_here" in told[-1]["message"]


def test_a_daemon_without_a_log_says_so_in_json(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    folder = app_folder("told", {"app/wsgi.py": APPLICATION, "run": "in the way of a folder"})
    outcome = serve(folder, "--bind", "127.0.0.1:0", "--log-format", "json", start=False).start_and_end()
    assert outcome.code == 1
    [told] = [json.loads(line) for line in outcome.output.splitlines()]
    assert (told["level"], told["role"]) == ("ERROR", "master")
    assert str(folder / "run") in told["message"]


def test_without_standard_output_the_terminal_is_for_people(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    folder = app_folder("told", {"app/wsgi.py": APPLICATION, "wsgid.json": '{"log_format": "json"}'})
    daemon = serve(folder, "--bind", "127.0.0.1:0", start=False)
    assert daemon.start_detached().output.startswith(f"wsgid {daemon.pid} serves http://")
    daemon.stop()
    assert records(daemon)[-1]["message"] == f"wsgid {daemon.pid} has ended"
