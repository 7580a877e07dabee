"""The commands for a running daemon, as people call them."""

import json
import os
import re
import signal
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional import metrics
from tests.functional.clients import Connection, request
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeSite
from tests.functional.daemon import Daemon, command, environment
from tests.functional.gate import Gates
from wsgid.dispatcher.control_socket import MAX_CALLERS

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

RELEASE = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'{}']\n"

BROKEN = "import no_such_payment_library\napplication = no_such_payment_library.pay\n"

AT_WORK = ("status", "request", "restart", "stop")
"""Commands that act on a daemon."""

ID = r"[0-9a-f]{6}-\d+"
"""Of a request."""

HELD = """
import os

def application(environ, start_response):
    with open(os.environ["GATES"] + "/report", "rb") as gate:
        gate.read()
    start_response("200 OK", [])
    return [b"done"]
"""


def wsgid(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command on the daemon's folder."""
    return subprocess.run(
        command(daemon.folder, *arguments), env=environment(), capture_output=True, text=True, timeout=seconds()
    )


def described(daemon: Daemon) -> dict[str, Any]:
    """What ``status --json`` has of this daemon."""
    told = json.loads(wsgid(daemon, "status", "--json").stdout)
    [found] = (each for each in told["daemons"] if each["pid"] == daemon.pid)
    return dict(found)


def address(daemon: Daemon) -> tuple[str, int]:
    host, port = daemon.url.removeprefix("http://").split(":")
    return host, int(port)


# check


def test_a_check_of_what_runs(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", *metrics.OPTION)
    text, asked = (url.removeprefix("http://") for url in (daemon.url, metrics.url(daemon)))
    done = wsgid(daemon, "check", "--bind", text, "--metrics", asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"--bind {text}: served by a daemon of this folder just now ({daemon.url})\n" in done.stdout
    assert f"--metrics {asked}: served by a daemon of this folder just now ({metrics.url(daemon)})\n" in done.stdout
    assert described(daemon)["metrics"] == [metrics.url(daemon)]


# status


def test_status_names_what_is_served(site: MakeSite, gates: Gates) -> None:
    served = site("plain", "--queue-size", "1", workers=1, env=gates.env)
    with served.connect() as held, served.connect() as waiting:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        waiting.ask("/")
        told = wait_for(lambda: found if (found := described(served.daemon))["queued"] else None, "a queued request")
        assert told["source"] == "control socket"
        assert told["addresses"] == served.daemon.addresses
        assert (told["queued"], told["busy"], told["unfinished"], told["draining"]) == (1, 1, 2, False)
        [worker] = told["workers"]
        assert worker["pid"] == served.daemon.worker_pids[0]
        assert (worker["state"], worker["threads"], worker["busy"], worker["served"]) == ("busy", 1, 1, 0)
        [request] = worker["serving"]
        assert (request["method"], request["target"]) == ("GET", "/hold?fifo=held")
        assert request["client"] == "127.0.0.1"
        assert request["age"] > 0
        text = wsgid(served.daemon, "status")
        assert text.returncode == 0
        assert text.stdout.startswith(f"Status: Running\nMaster pids: {served.daemon.pid}\n")
        assert f"    GET /hold?fifo=held (id {request['id']}, " in text.stdout
        gates.release("held")
        assert held.answer().status == waiting.answer().status == 200
    [worker] = described(served.daemon)["workers"]
    assert (worker["state"], worker["served"], worker["serving"]) == ("ready", 2, [])


def test_status_from_pid_files_when_the_dispatcher_does_not_answer(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "2")
    dispatcher = described(daemon)["dispatcher"]
    os.kill(daemon.pid, signal.SIGSTOP)  # or it would replace the other
    os.kill(dispatcher, signal.SIGSTOP)
    try:
        done = wsgid(daemon, "status")
        told = described(daemon)
    finally:
        os.kill(dispatcher, signal.SIGCONT)
        os.kill(daemon.pid, signal.SIGCONT)
    assert done.returncode == 0
    assert done.stdout.splitlines()[:3] == [
        "Status: Running",
        f"Master pids: {daemon.pid}",
        f"Worker pids: {', '.join(map(str, daemon.worker_pids))}",
    ]
    assert "its control socket does not answer, this is from its pid files" in done.stdout
    assert (told["source"], told["queued"]) == ("pid files", None)
    assert [each["state"] for each in told["workers"]] == ["unknown", "unknown"]


def test_status_of_the_dead(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0")
    daemon.kill()
    done = wsgid(daemon, "status")
    assert done.returncode == 3
    assert done.stdout.startswith(f"Status: Stopped\nMaster pids: {daemon.pid} (dead)\nWorker pids: ")
    assert done.stdout.count("(dead)") == 2


def test_several_daemons_on_one_folder_and_a_run_dir(serve: MakeDaemon, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    one = serve("plain", "--bind", "127.0.0.1:0")
    two = serve(one.folder, "--bind", "127.0.0.1:0")
    apart = serve(one.folder, "--bind", "127.0.0.1:0", "--run-dir", str(tmp_path / "elsewhere"))
    masters = ", ".join(map(str, sorted((one.pid, two.pid))))
    assert f"\nMaster pids: {masters}\n" in wsgid(one, "status").stdout
    assert f"\nMaster pids: {apart.pid}\n" in wsgid(one, "status", "--run-dir", str(tmp_path / "elsewhere")).stdout
    assert wsgid(one, "stop", "--pid", str(two.pid)).returncode == 0
    assert two.wait() == 0
    assert one.worker_pids
    assert wsgid(one, "--run-dir", str(tmp_path / "elsewhere"), "stop").returncode == 0
    assert apart.wait() == 0
    assert wsgid(one, "stop").stdout == f"wsgid {one.pid} has ended\n"
    assert one.wait() == 0
    one.assert_nothing_left()


# stop


def test_stop_lets_requests_finish_and_a_second_one_does_not(serve: MakeDaemon, gates: Gates) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", env=gates.env)
    with Connection(address(daemon)) as held:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        first = subprocess.Popen(command(daemon.folder, "stop"), env=environment(), stdout=subprocess.PIPE, text=True)
        wait_for(lambda: described(daemon)["draining"], "the daemon to drain")
        assert first.poll() is None
        assert wsgid(daemon, "stop").returncode == 0
        assert first.communicate(timeout=seconds())[0] == f"wsgid {daemon.pid} has ended\n"
    assert daemon.wait() == 0
    daemon.assert_nothing_left()
    nothing = wsgid(daemon, "stop")
    assert (nothing.returncode, nothing.stdout) == (0, f"nothing runs on {daemon.folder}\n")


# restart


def test_restart_brings_the_new_code_or_keeps_the_old(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    folder = app_folder("release", {"app/wsgi.py": RELEASE.format("one")})
    daemon = serve(folder, "--bind", "127.0.0.1:0", "--workers", "2")
    assert request(daemon.url).body == b"one"

    (folder / "app/wsgi.py").write_text(BROKEN)
    failed = wsgid(daemon, "restart")
    assert failed.returncode == 1
    assert "Traceback (most recent call last):" in failed.stderr
    assert "No module named 'no_such_payment_library'" in failed.stderr
    assert [request(daemon.url).body for _ in range(4)] == [b"one"] * 4

    (folder / "app/wsgi.py").write_text(RELEASE.format("three"))  # longer: Python tells sources by time and size
    done = wsgid(daemon, "restart")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"wsgid {daemon.pid}: worker 2 of 2 is replaced\n" in done.stdout
    assert [request(daemon.url).body for _ in range(4)] == [b"three"] * 4


def test_the_restart_of_old_signals_the_workers(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "2")
    before = daemon.worker_pids
    done = wsgid(daemon, "restart", "--send-signal", "15")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"wsgid {daemon.pid}: SIGTERM was sent to {', '.join(map(str, before))}\n"
    wait_for(lambda: len(now := daemon.worker_pids) == 2 and not {*now} & {*before}, "new workers")
    assert proc.alive(daemon.pid)


def test_a_restart_that_is_not_waited_for_goes_on(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0")
    before = daemon.worker_pids
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(f"{daemon.folder}/run/{daemon.pid}/control.sock")
        caller.sendall(b'{"type":"restart"}\n')
    wait_for(lambda: len(now := daemon.worker_pids) == 1 and now != before, "a new worker")
    assert wsgid(daemon, "status").returncode == 0


# The control socket


def test_callers_who_misbehave_harm_nobody(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0")
    path = f"{daemon.folder}/run/{daemon.pid}/control.sock"
    with ExitStack() as stack:
        callers = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(MAX_CALLERS)]
        for each in callers:
            each.connect(path)
        refused = wait_for(lambda: done if "try again" in (done := wsgid(daemon, "restart")).stderr else None, "it")
        assert refused.returncode == 1
        assert f"`kill -HUP {daemon.pid}`" in refused.stderr
        for number, each in enumerate(callers):
            each.sendall((b"\xff" * 1000, b"{}\n", b'{"type":"status"}\n' * 50, b"")[number % 4])
        assert request(daemon.url).status == 200
    wait_for(lambda: described(daemon)["source"] == "control socket", "the callers to be forgotten")


# The page about them


def test_the_examples_on_the_page(serve: MakeDaemon, app_folder: MakeFolder, gates: Gates) -> None:
    folder = app_folder("mysite", {"app/wsgi.py": HELD})
    daemon = serve(folder, "--bind", "127.0.0.1:0", "--workers", "2", env=gates.env)
    gates.make("report")
    with Connection(address(daemon)) as held:
        held.ask("/report")
        gates.wait_until_held("report")
        [serving] = [each["serving"][0]["id"] for each in described(daemon)["workers"] if each["serving"]]
        before = daemon.worker_pids
        shown = [each for each in examples() if each[0][0] in AT_WORK]
        assert len(shown) == 7
        for arguments, expected in shown:
            if arguments[0] == "restart":
                assert held.answer().status == 503
                wait_for(
                    lambda: len({*daemon.worker_pids} - {*before}) == 1 and len(daemon.worker_pids) == 2, "another"
                )
            arguments = [serving if re.fullmatch(ID, each) else each for each in arguments]
            done = subprocess.run(
                [*command(folder)[:3], *arguments],
                env=environment(),
                cwd=folder.parent,
                stdout=subprocess.PIPE,
                text=True,
                timeout=seconds(),
            )
            assert sorted(leveled(done.stdout)) == sorted(leveled(expected)), arguments
    assert daemon.wait() == 0


def examples() -> list[tuple[list[str], str]]:
    """Arguments of each ``$ wsgid``, and what stands below it."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    shown = re.findall(r"^\$ wsgid ([^\n]*)\n([^$]*)", "".join(blocks), re.MULTILINE)
    return [(arguments.split(), output) for arguments, output in shown]


def leveled(text: str) -> list[str]:
    """The lines with what differs from run to run made equal."""
    text = re.sub(rf"\b{ID}", "ID", text)
    text = re.sub(r"0x[0-9a-f]+", "THREAD", text)
    text = re.sub(r'File "\S+/mysite/', 'File "mysite/', text)
    text = re.sub(r" +", " ", text)
    return re.sub(r"\d+(\.\d+)?", "0", text).splitlines()
