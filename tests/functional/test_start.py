"""Starting: detached and in the foreground, with options from all their sources, and how a start that fails is told."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import proc
from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeMongrel2
from tests.functional.daemon import READY, Daemon, Outcome, command, environment

HELLO = b"Hello, World!\n"

HTTP = ("--bind", "127.0.0.1:0")

DETACHED = pytest.mark.parametrize("detached", [True, False], ids=["detached", "foreground"])

TELLING = """
import json, os
def application(environ, start_response):
    start_response("200 OK", [])
    return [json.dumps({
        "variables": dict(os.environ), "directory": os.getcwd(), "multithread": environ["wsgi.multithread"],
    }).encode()]
"""
"""An application that tells of its process."""


def end_of_start(daemon: Daemon, detached: bool) -> Outcome:
    """Of a start that must fail, and leave nothing in the app folder."""
    outcome = daemon.start_detached() if detached else daemon.start_and_end()
    left = [str(path) for name in ("pid", "run") for path in (daemon.folder / name).rglob("*") if not path.is_dir()]
    left += [str(path) for path in (daemon.folder / "run").glob("*")]
    assert left == []
    return outcome


# A daemon and its traces


class Place(NamedTuple):
    """Where a daemon is to serve: over the edge under test."""

    options: tuple[str, ...]
    url: str
    """``""`` when the daemon will tell it."""


@pytest.fixture
def place(edge: str, mongrel2: MakeMongrel2) -> Place:
    if edge == "http":
        return Place(HTTP, "")
    server = mongrel2()
    return Place(server.options, server.url)


def test_a_detached_daemon(serve: MakeDaemon, place: Place) -> None:
    daemon = serve("plain", *place.options, "--workers", "2", start=False)
    outcome = daemon.start_detached()
    assert outcome.code == 0
    assert READY.sub("", outcome.output).strip() == "", "the terminal hears where it serves, and no more"
    assert f"wsgid {daemon.pid} serves {daemon.addresses[0]} with 2 workers" in outcome.output
    _assert_is_a_daemon(daemon)
    _assert_has_its_files(daemon)
    assert clients.request(f"{place.url or daemon.url}/").body == HELLO
    assert '"GET / HTTP/1.1" 200' in daemon.wait_for_access(1)[0]
    daemon.stop()
    assert f"wsgid {daemon.pid} has ended" in daemon.log


def _assert_is_a_daemon(daemon: Daemon) -> None:
    """A session of its own that it does not lead, so that no terminal can become its own; no terminal open."""
    master = proc.process(daemon.pid)
    assert master is not None
    assert master.session not in (os.getsid(0), daemon.pid)
    log = str((daemon.folder / "logs/wsgid.log").resolve())
    processes = daemon.processes()
    assert len(processes) == 4
    for each in processes:
        assert each.session == master.session
        standard = [os.readlink(f"/proc/{each.pid}/fd/{number}") for number in range(3)]
        assert standard == ["/dev/null", log, log], each


def _assert_has_its_files(daemon: Daemon) -> None:
    folder = daemon.folder
    assert [file.name for file in (folder / "pid/master").iterdir()] == [f"{daemon.pid}.pid"]
    assert (folder / f"pid/master/{daemon.pid}.pid").read_text().strip() == str(daemon.pid)
    workers = {int(file.stem) for file in (folder / "pid/worker").iterdir()}
    assert len(workers) == 2
    assert all(each.parent == daemon.pid for pid in workers if (each := proc.process(pid)))
    assert [path.name for path in (folder / "run").iterdir()] == [str(daemon.pid)]
    own = folder / f"run/{daemon.pid}"
    assert own.stat().st_mode & 0o777 == 0o700
    for name in ("channel.sock", "control.sock"):
        assert (own / name).stat().st_mode & 0o777 == 0o600


def test_a_daemon_in_the_foreground(serve: MakeDaemon, place: Place) -> None:
    daemon = serve("plain", *place.options, "--workers", "2")
    _assert_has_its_files(daemon)
    assert clients.request(f"{place.url or daemon.url}/").body == HELLO
    assert not (daemon.folder / "logs/wsgid.log").exists(), "the log goes to the standard output"
    daemon.stop(signal.SIGINT)


def test_detached_with_its_log_on_the_standard_output(app_folder: MakeFolder, tmp_path: Path) -> None:
    """As under a supervisor that wants both; nothing is written into the app folder's log."""
    folder, output, environ = app_folder("plain"), tmp_path / "output", environment()
    with open(output, "wb") as writer:
        launched = subprocess.run(
            command(folder, *HTTP, "--stdout"), env=environ, stdout=writer, check=False, timeout=seconds()
        )
    assert launched.returncode == 0
    ready = READY.search(output.read_text())
    assert ready is not None
    clients.request(f"{ready['address']}/print?text=here")
    clients.request(f"{ready['address']}/raise")
    os.kill(int(ready["pid"]), signal.SIGTERM)
    wait_for(lambda: not proc.alive(int(ready["pid"])), "the daemon to end")
    told = output.read_text()
    for text in ("here to stdout", "here to stderr", "the application failed", '"GET /raise HTTP/1.1" 500', "ended"):
        assert text in told
    assert list((folder / "logs").iterdir()) == []


@pytest.mark.parametrize("debug", [True, False])
def test_debug_tells_more(serve: MakeDaemon, debug: bool) -> None:
    daemon = serve("plain", *HTTP, *(["--debug"] if debug else []))
    assert (" DEBUG " in daemon.log) is debug
    assert ("the application is loaded by PlainLoader" in daemon.log) is debug


def test_several_daemons_on_one_app_folder(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    folder = app_folder("plain")
    first, second = serve(folder, *HTTP, "--workers", "2"), serve(folder, *HTTP, start=False)
    second.start_detached()
    assert first.pid != second.pid
    assert {path.name for path in (folder / "run").iterdir()} == {str(first.pid), str(second.pid)}
    assert {file.stem for file in (folder / "pid/master").iterdir()} == {str(first.pid), str(second.pid)}
    assert (len(first.worker_pids), len(second.worker_pids)) == (2, 1)
    for daemon in (first, second, first):
        assert int(clients.request(f"{daemon.url}/pid").body) in daemon.worker_pids
    first.stop()
    assert int(clients.request(f"{second.url}/pid").body) in second.worker_pids
    assert [path.name for path in (folder / "run").iterdir()] == [str(second.pid)]
    assert len(list((folder / "pid").rglob("*.pid"))) == 2


def test_without_keep_alive_dead_workers_are_not_replaced(serve: MakeDaemon) -> None:
    daemon = serve("plain", *HTTP, "--workers", "2", "--no-keep-alive")
    first, second = daemon.worker_pids
    os.kill(first, signal.SIGKILL)
    daemon.wait_for_log(f"worker {first} died: killed by SIGKILL")
    for _ in range(3):
        assert int(clients.request(f"{daemon.url}/pid").body) == second
    assert daemon.worker_pids == [second]
    os.kill(second, signal.SIGKILL)
    assert daemon.wait() == 1
    assert "no worker is left and none will come (keep-alive is off): stopping" in daemon.log
    daemon.assert_nothing_left()


@DETACHED
def test_a_folder_whose_path_is_longer_than_the_address_of_a_socket(
    serve: MakeDaemon, mongrel2: MakeMongrel2, app_folder: MakeFolder, tmp_path: Path, detached: bool
) -> None:
    long = tmp_path / ("long" * 20) / ("path" * 20)
    long.mkdir(parents=True)
    folder = app_folder("plain").rename(long / "plain")
    server = mongrel2()
    daemon = serve(folder, *HTTP, *server.options, start=False)
    if detached:
        assert daemon.start_detached().code == 0
    else:
        daemon.start()
    body = b"b" * 300_000
    for url in (daemon.url, server.url):
        assert clients.request(f"{url}/echo", "POST", body).body == body


# Options


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    serve: MakeDaemon, app_folder: MakeFolder
) -> None:
    saved = {"bind": ["127.0.0.1:0"], "workers": "4", "threads": "2", "debug": "true", "keep_alive": "False"}
    folder = app_folder("telling", {"app/wsgi.py": TELLING, "wsgid.json": json.dumps(saved)})
    environ = {"WSGID_WORKERS": "3", "WSGID_THREADS": " ", "WSGID_DEBUG": "false"}
    for options, workers in (((), 3), (("--workers", "1"), 1)):
        daemon = serve(folder, *options, env=environ)
        assert len(daemon.worker_pids) == workers
        assert clients.request(f"{daemon.url}/").json()["multithread"] is True
        assert " DEBUG " not in daemon.log
        daemon.stop()


def test_an_old_file_with_strings_and_keys_of_ones_own(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    saved = {
        "bind": "127.0.0.1:0",
        "wsgi_app": "own.place.served",
        "workers": "2",
        "keep_alive": "true",
        "debug": "true",
        "x_contact": {"any": ["thing"]},
        "envs": {"GREETING": "h\xe9llo", "WSGID_WORKERS": "7"},
    }
    code = {"app/own/place.py": TELLING.replace("application", "served"), "app/own/__init__.py": ""}
    daemon = serve(app_folder("telling", {**code, "wsgid.json": json.dumps(saved)}))
    assert len(daemon.worker_pids) == 2
    told = clients.request(f"{daemon.url}/", headers={"X_Own": "1"}).json()
    assert " DEBUG " in daemon.wait_for_log("header 'x_own' is dropped")
    assert told["variables"]["GREETING"] == "h\xe9llo"
    assert told["directory"] == str(daemon.folder)


@DETACHED
@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ('{"wokers": 4}', ["'wokers' is no option", "did you mean workers?", "x_"]),
        ('{"workers": "many"}', ["workers: 'many' is not a whole number from 1 to 1000"]),
        ('{"workers": 4,\n "debug" true}', ["line 2, column 10", "not valid JSON"]),
        ('{"recv": "tcp://127.0.0.1:1"}', ["--recv and --send go in pairs", "wsgid.json"]),
        ('{"envs": {"A": 1}, "bind": "nowhere"}', ["envs: A is 1", "bind: 'nowhere'"]),
    ],
)
def test_a_wrong_file_is_told(
    serve: MakeDaemon, app_folder: MakeFolder, saved: str, words: list[str], detached: bool
) -> None:
    folder = app_folder("plain", {"wsgid.json": saved})
    outcome = end_of_start(serve(folder, start=False), detached)
    assert outcome.code == 2
    for each in [f"wsgid: {folder}/wsgid.json" if "pairs" not in words[0] else "wsgid: ", *words]:
        assert each in outcome.output
    assert "Traceback" not in outcome.output


@pytest.mark.parametrize(
    ("options", "environ", "words"),
    [
        (("--wokers", "4"), {}, "No such option '--wokers'. Did you mean '--workers'?"),
        (("--workers", "0"), {}, "--workers: '0' is not a whole number from 1 to 1000"),
        (("serve",), {}, "there is no command 'serve'"),
        ((), {"WSGID_THREADS": "x"}, "WSGID_THREADS: 'x' is not a whole number from 1 to 1000"),
        (("--send", "ipc:///tmp/x"), {}, "--recv and --send go in pairs"),
        (("--recv", "http://a", "--send", "ipc:///tmp/x"), {}, "--recv: 'http://a'"),
    ],
)
def test_a_wrong_option_is_told(
    serve: MakeDaemon, options: tuple[str, ...], environ: Mapping[str, str], words: str
) -> None:
    outcome = end_of_start(serve("plain", *HTTP, *options, env=environ, start=False), detached=True)
    assert outcome.code == 2
    assert f"wsgid: {words}" in outcome.output


def test_an_unknown_variable_is_only_warned_about(serve: MakeDaemon) -> None:
    """Orchestrators make up such names."""
    daemon = serve("plain", *HTTP, env={"WSGID_WORKER": "3", "WSGID_PORT_8000_TCP": "tcp://10.0.0.1:8000"})
    assert "did you mean WSGID_WORKERS?; ignored" in daemon.wait_for_log("WSGID_WORKER in the environment is no option")
    assert "ignored" in daemon.wait_for_log("WSGID_PORT_8000_TCP")
    assert len(daemon.worker_pids) == 1


# Which application

SHOP = {
    "app/shop/__init__.py": "",
    "app/shop/front.py": """
class Shop:
    def __init__(self, greeting="served"):
        self.greeting = greeting

    def served(self, environ, start_response):
        start_response("200 OK", [])
        return [self.greeting.encode()]

    __call__ = served

shop = Shop()

def make_app():
    return Shop("made")

def open_shop(greeting, *, loud=False):
    return Shop(greeting.upper() if loud else greeting).served
""",
}


@pytest.mark.parametrize(
    ("name", "served"),
    [
        ("shop.front.shop", b"served"),
        ("shop.front:shop", b"served"),
        ("shop.front.shop.served", b"served"),
        ("shop.front:shop.served", b"served"),
        ("shop.front:make_app", b"made"),
        ("shop.front.make_app()", b"made"),
        ("shop.front:open_shop('hi', loud=True)", b"HI"),
    ],
)
def test_the_application_is_named(serve: MakeDaemon, app_folder: MakeFolder, name: str, served: bytes) -> None:
    daemon = serve(app_folder("shop", SHOP), *HTTP, "--wsgi-app", name)
    assert clients.request(f"{daemon.url}/").body == served


@pytest.mark.parametrize(
    ("file", "name"),
    [("wsgi.py", "application"), ("app.py", "app"), ("main.py", "create_app"), ("wsgi.py", "make_app")],
)
def test_the_application_is_found(serve: MakeDaemon, app_folder: MakeFolder, file: str, name: str) -> None:
    made = f"def {name}(): return shop" if "_" in name else f"{name} = shop"
    daemon = serve(app_folder("shop", {**SHOP, f"app/{file}": f"from shop.front import shop\n{made}\n"}), *HTTP)
    assert clients.request(f"{daemon.url}/").body == b"served"


FACTORY = "def create_app():\n    raise RuntimeError('no database')\n"
EXIT = "import sys\nsys.exit('not today')\napplication = None\n"

CANNOT_BE_LOADED = {
    "broken_syntax": (None, ["app/wsgi.py, line 4: SyntaxError: 'return' outside function"]),
    "broken_import": (
        None,
        [
            "app/shop/orders.py, line 1: ModuleNotFoundError: No module named 'no_such_payment_library'",
            "It is neither in app/ nor installed",
            "Traceback (most recent call last)",
        ],
    ),
    "empty": (None, ["none was found in", "app/wsgi.py: not there", "Django: ", "--wsgi-app=package.module:object"]),
    "failing-factory": (FACTORY, ["app/wsgi.py, line 2: RuntimeError: no database"]),
    "exiting": (EXIT, ["app/wsgi.py, line 2: SystemExit: not today", 'if __name__ == "__main__":']),
    "no-application": ("application = 3\n", ["app/wsgi.py has nothing that can be called", "application, app"]),
}


@DETACHED
@pytest.mark.parametrize("app", CANNOT_BE_LOADED)
def test_an_application_that_cannot_be_loaded(
    serve: MakeDaemon, app_folder: MakeFolder, tmp_path: Path, app: str, detached: bool
) -> None:
    code, words = CANNOT_BE_LOADED[app]
    folder = app_folder(app, {"app/wsgi.py": code} if code else None)
    socket = tmp_path / "socket"
    outcome = end_of_start(
        serve(folder, *HTTP, "--bind", f"unix:{socket}", "--workers", "2", start=False),
        detached,
    )
    assert outcome.code == 1
    for each in ["cannot load the application: ", *words]:
        assert each in outcome.output
    assert not socket.exists()
    if detached:
        log = (folder / "logs/wsgid.log").read_text()
        assert words[0] in log
        assert "serves" not in outcome.output + log


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wsgi:aplication", "has no 'aplication'; did you mean 'application'?"),
        ("wsgi.aplication", "has no 'aplication'; did you mean 'application'?"),
        ("wsjy:application", "there is no 'wsjy', neither in app/ nor installed"),
        ("wsgi:ENDPOINTS", "is no application"),
        ("wsgi", "a module and an object in it are needed"),
        ("wsgi:open(", "it cannot be read"),
    ],
)
def test_an_application_that_is_not_where_it_is_said_to_be(serve: MakeDaemon, name: str, words: str) -> None:
    outcome = end_of_start(serve("plain", *HTTP, "--wsgi-app", name, start=False), detached=True)
    assert outcome.code == 1
    assert "cannot load the application: " in outcome.output
    assert words in outcome.output


@DETACHED
@pytest.mark.parametrize(("code", "how"), [("os._exit(9)", "exited with code 9"), ("os.abort()", "killed by SIGABRT")])
def test_an_application_whose_process_dies_while_it_is_loaded(
    serve: MakeDaemon, app_folder: MakeFolder, code: str, how: str, detached: bool
) -> None:
    folder = app_folder("dying", {"app/wsgi.py": f"import os\n{code}\napplication = None\n"})
    outcome = end_of_start(serve(folder, *HTTP, start=False), detached)
    assert outcome.code == 1
    assert f"died before it was ready: {how}" in outcome.output


# A folder that is none


@DETACHED
@pytest.mark.parametrize("name", ["logs", "run", "pid", "pid/worker"])
def test_a_folder_that_cannot_be_written_to(
    serve: MakeDaemon, app_folder: MakeFolder, name: str, detached: bool
) -> None:
    """A file in its place stands for all that may keep a daemon from it: as root one may write anywhere."""
    folder = app_folder("plain")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("")
    daemon = serve(folder, *HTTP, start=False)
    outcome = daemon.start_detached() if detached else daemon.start_and_end()
    assert outcome.code == 1
    assert f"{folder}/{name}: " in outcome.output
    assert "run wsgid as the owner of the app folder" in outcome.output
    assert "Traceback" not in outcome.output


def test_a_folder_that_is_not_there_or_has_no_code(serve: MakeDaemon, tmp_path: Path) -> None:
    outcome = serve(tmp_path / "nowhere", *HTTP, start=False).start_detached()
    assert (outcome.code, "is not a directory that exists" in outcome.output) == (2, True)
    (tmp_path / "bare").mkdir()
    outcome = serve(tmp_path / "bare", *HTTP, start=False).start_detached()
    assert outcome.code == 2
    assert f"{tmp_path}/bare is no app folder: the application's code must be in {tmp_path}/bare/app" in outcome.output
    assert list((tmp_path / "bare").iterdir()) == []


# What it takes


def test_workers_share_what_they_import(serve: MakeDaemon) -> None:
    daemon = serve("plain", *HTTP, "--workers", "3", "--no-daemon", env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = [line.split()[-1] for line in daemon.output.splitlines() if line.startswith("import time:")]
    assert [imported.count(name) for name in ("wsgid.worker.main", "importlib.metadata")] == [1, 1]
