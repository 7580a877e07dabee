"""A socket of the test stands where systemd's would be; the sockets that it would open are the test's too."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.conftest import MakeDaemon, MakeFolder
from tests.functional.daemon import environment
from tests.functional.gate import Gates
from tests.functional.systemd import Activated, ServiceManager

UNIT = Path(__file__).parents[2] / "deploy" / "wsgid.service"

HELLO = b"Hello, World!\n"

GATED = """
import os
with open(os.environ["GATES"] + "/load", "rb") as gate:
    gate.read()
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"loaded"]
"""

VARIABLES = """
import os
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [" ".join(sorted(os.environ)).encode()]
"""

RELEASE = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%s"]
"""

WATCHDOG = {"WATCHDOG_USEC": "20000"}
"""A word is due every 10 ms: so that one that should not come would come while the test looks."""


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[ServiceManager]:
    made = ServiceManager(tmp_path / "notify")
    yield made
    made.close()


class TestNotify:
    def test_ready_comes_when_the_application_is_loaded(
        self, app_folder: MakeFolder, serve: MakeDaemon, systemd: ServiceManager, gates: Gates
    ) -> None:
        folder = app_folder("gated", {"app/wsgi.py": GATED})
        gates.make("load")
        daemon = serve(folder, "--bind", "127.0.0.1:0", env={**systemd.env, **gates.env}, start=False)
        with ThreadPoolExecutor(1) as pool:
            started = pool.submit(daemon.start)
            gates.wait_until_held("load")
            assert systemd.count("READY") == 0
            gates.release("load")
            started.result()
        assert systemd.wait_for("READY")["STATUS"]
        assert clients.request(daemon.url).text == "loaded"
        assert systemd.count("READY") == 1

    def test_a_start_that_fails_is_never_ready(self, serve: MakeDaemon, systemd: ServiceManager) -> None:
        assert serve("broken_import", env=systemd.env, start=False).start_and_end().code == 1
        assert systemd.count("READY") == 0

    def test_a_reload_is_told_with_its_end(self, serve: MakeDaemon, systemd: ServiceManager) -> None:
        daemon = serve("plain", "--bind", "127.0.0.1:0", "--workers", "2", env=systemd.env)
        systemd.wait_for("READY")
        daemon.send(signal.SIGHUP)
        reloading = systemd.wait_for("RELOADING")
        assert int(reloading["MONOTONIC_USEC"]) > 0
        systemd.wait_for("READY", 2)
        assert systemd.moments("READY", "RELOADING") == ["READY", "RELOADING", "READY"]
        assert "restarting: worker 1 of 2 is replaced" in [each.get("STATUS") for each in systemd.heard]

    def test_a_reload_that_fails_ends_too(
        self, app_folder: MakeFolder, serve: MakeDaemon, systemd: ServiceManager
    ) -> None:
        folder = app_folder("release", {"app/wsgi.py": RELEASE % "old"})
        daemon = serve(folder, "--bind", "127.0.0.1:0", env=systemd.env)
        (folder / "app/wsgi.py").write_text("def application(")
        daemon.send(signal.SIGHUP)
        assert systemd.wait_for("READY", 2)["STATUS"].startswith("the restart failed: ")
        assert clients.request(daemon.url).text == "old"

    def test_stopping_is_told_while_requests_finish(
        self, serve: MakeDaemon, systemd: ServiceManager, gates: Gates
    ) -> None:
        daemon = serve("plain", "--bind", "127.0.0.1:0", env={**systemd.env, **gates.env})
        with clients.Connection(daemon.address) as held:
            held.ask(f"/hold?fifo={gates.make('held')}")
            gates.wait_until_held("held")
            daemon.send(signal.SIGTERM)
            systemd.wait_for("STOPPING")
            gates.release("held", b"finished")
            assert held.answer().body == b"finished"
        assert daemon.wait() == 0
        assert systemd.moments("READY", "STOPPING") == ["READY", "STOPPING"]

    def test_the_application_inherits_nothing_of_it(
        self, app_folder: MakeFolder, serve: MakeDaemon, systemd: ServiceManager
    ) -> None:
        folder = app_folder("variables", {"app/wsgi.py": VARIABLES})
        daemon = serve(folder, "--bind", "127.0.0.1:0", env={**systemd.env, **WATCHDOG})
        assert re.findall(r"(NOTIFY|WATCHDOG|LISTEN)_\w+", clients.request(daemon.url).text) == []


class TestWatchdog:
    def test_it_is_fed_again_and_again(self, serve: MakeDaemon, systemd: ServiceManager) -> None:
        serve("plain", "--bind", "127.0.0.1:0", env={**systemd.env, **WATCHDOG})
        systemd.wait_for("WATCHDOG", 10)
        assert systemd.moments("READY", "WATCHDOG")[0] == "READY"

    def test_not_without_a_dispatcher(self, serve: MakeDaemon, systemd: ServiceManager) -> None:
        daemon = serve("plain", "--bind", "127.0.0.1:0", env={**systemd.env, **WATCHDOG})
        systemd.wait_for("WATCHDOG")
        # No new dispatcher can open its socket.
        obstacle = daemon.folder / f"run/{daemon.pid}/channel.sock"
        dispatcher = daemon.dispatcher_pid
        obstacle.unlink()
        (obstacle / "full").mkdir(parents=True)
        os.kill(dispatcher, signal.SIGKILL)
        failed = re.compile(r"dispatcher \d+ .*the next one comes in")
        wait_for(lambda: len(failed.findall(daemon.log)) >= 1, "a dispatcher that cannot start")
        fed = systemd.count("WATCHDOG")
        wait_for(lambda: len(failed.findall(daemon.log)) >= 3, "more of them")
        assert systemd.count("WATCHDOG") == fed
        (obstacle / "full").rmdir()
        obstacle.rmdir()
        systemd.wait_for("WATCHDOG", fed + 1)
        assert clients.request(daemon.url).body == HELLO

    def test_a_dispatcher_that_is_stopped_is_replaced_and_then_it_is_fed(
        self, serve: MakeDaemon, systemd: ServiceManager
    ) -> None:
        daemon = serve("plain", "--bind", "127.0.0.1:0", env={**systemd.env, **WATCHDOG})
        stopped = daemon.dispatcher_pid
        os.kill(stopped, signal.SIGSTOP)
        wait_for(lambda: daemon.dispatcher_pid != stopped, "another dispatcher")
        systemd.wait_for("WATCHDOG", systemd.count("WATCHDOG") + 1)
        assert clients.request(daemon.url).body == HELLO


class TestReload:
    """By the line of the unit, with the folders of the test."""

    @pytest.fixture
    def folder(self, app_folder: MakeFolder) -> Path:
        return app_folder("release", {"app/wsgi.py": RELEASE % "old"})

    def reload(self, pid: int, folder: Path, run_dir: Path) -> subprocess.CompletedProcess[str]:
        [line] = re.findall(r"^ExecReload=(.*)$", UNIT.read_text(), re.MULTILINE)
        places = {
            "/srv/mysite/venv/bin/wsgid": f"{sys.executable} -m wsgid",
            "/srv/mysite": f"{folder}",
            "/run/mysite": f"{run_dir}",
            "$MAINPID": f"{pid}",
        }
        for place, here in places.items():
            assert place in line
            line = line.replace(place, here)
        return subprocess.run(
            shlex.split(line),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds(),
            check=False,
        )

    def test_it_waits_for_the_new_code(self, folder: Path, serve: MakeDaemon, tmp_path: Path) -> None:
        run_dir = tmp_path / "run"
        run_dir.mkdir()
        daemon = serve(folder, "--bind", "127.0.0.1:0", "--run-dir", str(run_dir))
        (folder / "app/wsgi.py").write_text(RELEASE % "new, longer")
        done = self.reload(daemon.pid, folder, run_dir)
        assert done.returncode == 0, done.stdout
        assert clients.request(daemon.url).text == "new, longer"

    def test_it_fails_when_that_does(self, folder: Path, serve: MakeDaemon, tmp_path: Path) -> None:
        run_dir = tmp_path / "run"
        run_dir.mkdir()
        daemon = serve(folder, "--bind", "127.0.0.1:0", "--run-dir", str(run_dir))
        (folder / "app/wsgi.py").write_text("import no_such_module_at_all\n" + RELEASE % "new")
        done = self.reload(daemon.pid, folder, run_dir)
        assert done.returncode == 1
        assert "No module named 'no_such_module_at_all'" in done.stdout
        assert clients.request(daemon.url).text == "old"


class TestActivation:
    @pytest.fixture
    def stack(self) -> Iterator[ExitStack]:
        with ExitStack() as stack:
            yield stack

    def start(self, stack: ExitStack, folder: Path, *options: str, sockets: list[socket.socket]) -> Activated:
        daemon = Activated(folder, *options, sockets=sockets)
        stack.callback(daemon.kill)
        daemon.start()
        return daemon

    def test_the_sockets_that_were_passed_are_served(
        self, stack: ExitStack, app_folder: MakeFolder, tmp_path: Path
    ) -> None:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        path = tmp_path / "http.sock"
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(str(path))
        local.listen()
        unopened = tmp_path / "unopened.sock"
        daemon = self.start(stack, app_folder("plain"), "--bind", f"unix:{unopened}", sockets=[tcp, local])
        assert sorted(daemon.addresses) == [f"http://127.0.0.1:{tcp.getsockname()[1]}", f"unix:{path}"]
        assert clients.request(daemon.url).body == HELLO
        with clients.Connection(str(path)) as client:
            client.ask("/")
            assert client.answer().body == HELLO
        assert f"not --bind unix:{unopened}" in daemon.log
        daemon.addresses.clear()  # what is left of them is ours
        daemon.stop()
        assert path.exists()
        assert not unopened.exists()

    def test_nobody_is_refused_between_two_daemons(self, stack: ExitStack, app_folder: MakeFolder) -> None:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        folder = app_folder("plain")
        self.start(stack, folder, sockets=[tcp]).stop()
        with clients.Connection(tcp.getsockname()) as client:
            client.ask("/")
            daemon = self.start(stack, folder, sockets=[tcp])
            assert client.answer().body == HELLO
            daemon.stop()

    def test_what_cannot_be_served_is_refused(self, stack: ExitStack, app_folder: MakeFolder) -> None:
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        outcome = Activated(app_folder("plain"), sockets=[udp]).start_and_end()
        assert outcome.code == 1
        assert "socket 3 (web), passed by systemd, carries no HTTP" in outcome.output

    def test_the_application_inherits_nothing_of_it(self, stack: ExitStack, app_folder: MakeFolder) -> None:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        daemon = self.start(stack, app_folder("variables", {"app/wsgi.py": VARIABLES}), sockets=[tcp])
        assert re.findall(r"LISTEN_\w+", clients.request(daemon.url).text) == []
        daemon.stop()


def test_a_taken_address_is_refused_with_who_has_it(serve: MakeDaemon, app_folder: MakeFolder, tmp_path: Path) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--bind", f"unix:{tmp_path}/s")
    folder = app_folder("second", {"app/wsgi.py": RELEASE % "second"})
    for bind in (f"127.0.0.1:{daemon.address[1]}", f"unix:{tmp_path}/s"):
        outcome = serve(folder, "--bind", bind, start=False).start_and_end()
        assert outcome.code == 1
        who = f"process {daemon.pid} ({sys.executable} -m wsgid --app-path {daemon.folder}"
        assert re.search(rf"--bind {bind}: .*{re.escape(who[:100])}", outcome.output)
