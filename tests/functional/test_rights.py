"""Started by root: who every process of the daemon is then, what it may, and what it sees, also with --chroot."""

import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests import proc
from tests.apps.django_project import make_django_project
from tests.deadlines import seconds, wait_for
from tests.functional import clients, metrics, mounts
from tests.functional.conftest import MakeFolder
from tests.functional.daemon import Daemon, command, environment
from tests.functional.syslogd import Syslogd
from wsgid.posts import DUMP_SIGNAL

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root: nobody can be become, and no jail be made")

GUEST = 12345
"""Of a number that has no account."""

NOBODY = 65534

HTTP = ("--bind", "127.0.0.1:0")

NOT_PERMITTED = "the system does not let this process make a jail"

TELLING = """
import json, os, sys

def see(path):
    try:
        if os.path.isdir(path):
            return sorted(os.listdir(path))
        with open(path) as file:
            return file.read()
    except OSError as error:
        return error.strerror

def write(path):
    try:
        with open(path, "w") as file:
            file.write("x")
        return "written"
    except OSError as error:
        return error.strerror

def late():
    import multiprocessing, sqlite3, ssl, subprocess, tempfile, zoneinfo, zmq
    multiprocessing.Lock()
    with tempfile.NamedTemporaryFile() as file:
        code = "import ssl, sqlite3; print('alive')"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        return [str(zoneinfo.ZoneInfo("Europe/Vienna")), os.path.dirname(file.name), done.stdout + done.stderr]

ACTIONS = {"/see": see, "/write": write, "/late": lambda _: late()}

def application(environ, start_response):
    start_response("200 OK", [])
    told = {"ids": [os.getresuid(), os.getresgid(), os.getgroups()], "directory": os.getcwd(), "pid": os.getpid(),
            "variables": {name: os.environ.get(name) for name in ("HOME", "USER", "LOGNAME")}}
    action = ACTIONS.get(environ["PATH_INFO"])
    return [json.dumps(action(environ["QUERY_STRING"]) if action else told).encode()]
"""


class Launch(Protocol):
    def __call__(self, folder: Path, *options: str, launcher: tuple[str, ...] | None = None) -> Daemon: ...


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """pytest keeps its own to their owner, also with a new session while this one runs."""
    with tempfile.TemporaryDirectory(prefix="wsgid-") as name:
        path = Path(name).resolve()
        path.chmod(0o755)
        yield path


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launch]:
    """Daemons that are not started yet; unless told otherwise, with an interpreter that everybody can read."""
    # Their processes can write no coverage data.
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)
    made: list[Daemon] = []

    def make(folder: Path, *options: str, launcher: tuple[str, ...] | None = None) -> Daemon:
        prefix = mounts.readable_interpreter(tmp_path) if launcher is None else launcher
        made.append(Daemon(folder, *options, launcher=prefix))
        return made[-1]

    yield make
    for daemon in made:
        print(daemon.report())
    try:
        for daemon in made:
            if daemon.running:
                daemon.stop()
    finally:
        for daemon in made:
            daemon.kill()


@pytest.fixture
def folder(app_folder: MakeFolder) -> Path:
    """The guest's, with an application that tells what it sees."""
    return given_to(app_folder("telling", {"app/wsgi.py": TELLING}), GUEST)


def given_to(folder: Path, owner: int) -> Path:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner)
    return folder


def ask(daemon: Daemon, target: str = "/") -> Any:
    return clients.request(daemon.url + target).json()


def status(pid: int) -> dict[str, list[str]]:
    """proc_pid_status(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def assert_rightless(daemon: Daemon, owner: int, *, root: Path, processes: int = 4) -> None:
    """Every process is that user with that group, can do nothing beyond, and has this root directory."""
    found = daemon.processes()
    assert len(found) == processes
    for each in found:
        told = status(each.pid)
        assert told["Uid"] == told["Gid"] == [str(owner)] * 4
        assert told["Groups"] == [str(owner)]
        assert {int(told[name][0], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        assert os.path.samestat(os.stat(f"/proc/{each.pid}/root"), root.stat())


def assert_nothing_leads_out(daemon: Daemon) -> None:
    """No directory outside is open in a process that runs other people's code or speaks with clients."""
    for each in daemon.processes():
        points = [line.split()[4] for line in Path(f"/proc/{each.pid}/mountinfo").read_text().splitlines()]
        assert "/proc" not in points
        if each.pid == daemon.pid:
            continue  # the master reads its children's /proc
        for descriptor in Path(f"/proc/{each.pid}/fd").iterdir():
            if descriptor.is_dir():
                seen = daemon.folder / os.readlink(descriptor).lstrip("/")
                assert os.path.samestat(descriptor.stat(), seen.stat())


def shoot_a_worker(daemon: Daemon) -> None:
    victim = daemon.worker_pids[0]
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: victim not in daemon.worker_pids and len(daemon.worker_pids) == 2, "another worker")
    wait_for(lambda: daemon.log.count("the application is loaded") == 3, "the application to be loaded again")


def refusal(daemon: Daemon) -> str:
    outcome = daemon.start_and_end()
    assert outcome.code == 1, outcome.output
    assert "Traceback" not in outcome.output
    return outcome.output


def free_low_port() -> int:
    for port in range(1023, 600, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port below 1024 is free")


# Who they are


def test_all_become_the_owner_of_the_folder(launch: Launch, folder: Path) -> None:
    port = free_low_port()
    unix = folder / "site.sock"
    daemon = launch(folder, *HTTP, "--bind", f"127.0.0.1:{port}", "--bind", f"unix:{unix}", "--workers", "2")
    if launcher_is_missing():
        assert "may not be searched" in refusal(launch(folder, *HTTP, launcher=()))
        pytest.skip("nobody but root can read the interpreter here; that this is said has been checked")
    daemon.start()
    told = ask(daemon)
    assert told["ids"] == [[GUEST] * 3, [GUEST] * 3, [GUEST]]
    assert told["directory"] == str(folder)
    assert told["variables"] == {"HOME": "/", "USER": None, "LOGNAME": None}
    assert clients.request(f"http://127.0.0.1:{port}/").json()["ids"] == told["ids"]
    assert_rightless(daemon, GUEST, root=Path("/"))
    shoot_a_worker(daemon)
    assert_rightless(daemon, GUEST, root=Path("/"))
    assert_files_are_the_users(folder, daemon.pid)
    assert (unix.stat().st_uid, unix.stat().st_gid) == (GUEST, GUEST)
    assert "WARNING" not in daemon.log
    daemon.stop()


def assert_files_are_the_users(folder: Path, master: int) -> None:
    made = [folder / name for name in ("run", "pid", "logs")]
    made += [path for each in made for path in each.rglob("*")]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(GUEST, GUEST)}
    private = [folder / "run", folder / "run" / str(master)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o700}


def test_a_named_user_and_a_folder_of_roots(launch: Launch, app_folder: MakeFolder) -> None:
    """Code that the application cannot change. What the daemon writes to is made for the user."""
    folder = given_to(app_folder("telling", {"app/wsgi.py": TELLING}), 0)
    if launcher_is_missing():
        pytest.skip("nobody but root can read the interpreter here, and no mount can change that")
    daemon = launch(folder, *HTTP, "--no-stdout", "--user", "nobody", "--group", str(GUEST), "--umask", "027")
    daemon.start()
    told = ask(daemon)
    assert told["ids"][0:2] == [[NOBODY] * 3, [GUEST] * 3]
    assert told["variables"]["USER"] == told["variables"]["LOGNAME"] == "nobody"
    assert ask(daemon, f"/write?{folder}/app/wsgi.py") == "Permission denied"
    assert ask(daemon, f"/write?{folder}/logs/own") == "written"
    assert stat.S_IMODE((folder / "logs/own").stat().st_mode) == 0o640
    assert {(folder / name).stat().st_uid for name in ("run", "pid/worker", "logs/wsgid.log")} == {NOBODY}
    daemon.stop()


def launcher_is_missing() -> bool:
    return not mounts.possible() and mounts.shut_folder(Path(sys.base_prefix).resolve()) is not None


def test_root_stays_root_where_the_folder_is_roots_and_says_so(launch: Launch, app_folder: MakeFolder) -> None:
    daemon = launch(app_folder("telling", {"app/wsgi.py": TELLING}), *HTTP, launcher=())
    daemon.start()
    assert ask(daemon)["ids"][0] == [0, 0, 0]
    assert "WARNING" in daemon.wait_for_log("root owns the app folder, so everything runs as root")


# What cannot be


def test_a_user_that_is_not_there(launch: Launch, folder: Path) -> None:
    told = refusal(launch(folder, *HTTP, "--user", "no-such-user", launcher=()))
    assert "--user no-such-user: this machine has no user of that name" in told
    assert not (folder / "run").exists()


def test_an_application_that_the_user_cannot_read(launch: Launch, folder: Path) -> None:
    os.chown(folder / "app", 0, 0)
    (folder / "app").chmod(0o700)
    told = refusal(launch(folder, *HTTP, launcher=() if launcher_is_missing() else None))
    if not launcher_is_missing():
        assert f"user {GUEST}, whom the daemon runs as: the application ({folder}/app) cannot be read: it may" in told
    assert "chmod o+rx" in told


def test_a_folder_that_the_user_cannot_get_to(launch: Launch, folder: Path, tmp_path: Path) -> None:
    """The folder is theirs: to give them more of it would change nothing."""
    shut = tmp_path / "shut"
    shut.mkdir(0o700)
    folder = folder.rename(shut / folder.name)
    told = refusal(launch(folder, *HTTP, launcher=()))
    assert f"{folder}/run: Permission denied; {shut} may not be searched by user {GUEST}" in told
    assert "chmod o+x" in told
    assert "chown" not in told


def test_an_interpreter_that_the_user_cannot_read(launch: Launch, folder: Path) -> None:
    shut = mounts.shut_folder(Path(sys.base_prefix).resolve())
    if shut is None:
        pytest.skip("everybody can read the interpreter here; the unit tests of reach.py know others")
    told = refusal(launch(folder, *HTTP, launcher=()))
    assert f"cannot be read: {shut} may not be searched" in told


# The jail


def in_a_jail(daemon: Daemon) -> Daemon:
    """Not started. Where the system permits no jail the test is skipped, after a look that this is said in words."""
    if not mounts.possible():
        assert NOT_PERMITTED in refusal(daemon)
        pytest.skip("no mount is permitted here, so no jail; that the start is refused has been checked")
    return daemon


@pytest.fixture
def jail(launch: Launch, folder: Path) -> Daemon:
    return in_a_jail(launch(folder, *HTTP, *metrics.OPTION, "--chroot", "--workers", "2", launcher=()))


def test_a_jail(jail: Daemon, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not for the application")
    (tmp_path / "secret").chmod(0o644)
    jail.start()
    assert_jailed(jail, tmp_path)
    os.kill(jail.worker_pids[0], DUMP_SIGNAL)
    jail.wait_for_log(f"stacks of worker {jail.worker_pids[0]}:")
    assert_traced(jail)
    shoot_a_worker(jail)
    for _ in range(4):
        assert_jailed(jail, tmp_path)
    assert metrics.samples(jail)['wsgid_resident_memory_bytes{process="workers"}'] > 2**20
    jail.stop()


def assert_traced(jail: Daemon) -> None:
    """Root looks from outside, and the worker tells where it is inside."""
    os.mkfifo(jail.folder / "gate")
    (jail.folder / "gate").chmod(0o644)
    with clients.Connection(jail.address) as held:
        held.ask("/see?/gate")
        [_, row] = wait_for(lambda: rows if len(rows := requests(jail, "list")) == 2 else None, "the request")
        told = wait_for(
            lambda: text if " in see" in (text := "\n".join(requests(jail, "trace", row.split()[0]))) else "", "it"
        )
        assert '  File "/app/wsgi.py", line ' in told
        (jail.folder / "gate").write_text("gone on")
        assert held.answer().json() == "gone on"


def requests(daemon: Daemon, *arguments: str) -> list[str]:
    done = subprocess.run(command(daemon.folder, "request", *arguments), env=environment(), stdout=subprocess.PIPE)
    return done.stdout.decode().splitlines()


def assert_jailed(jail: Daemon, outside: Path) -> None:
    assert_rightless(jail, GUEST, root=jail.folder)
    assert_nothing_leads_out(jail)
    told = ask(jail)
    assert told["directory"] == "/"
    assert told["variables"]["HOME"] == "/"
    assert {"app", "run", "logs", "tmp", "usr", "etc"} < set(ask(jail, "/see?/"))
    missing = "No such file or directory"
    for path in (
        "/etc/passwd",
        "/etc/shadow",
        "/proc",
        "/sys",
        "/var",
        "/usr/bin",
        Path(pwd.getpwuid(0).pw_dir) / ".bashrc",  # not all of it is missing when the interpreter is installed there
        outside / "secret",
    ):
        assert ask(jail, f"/see?{path}") == missing
    for path in ("/usr/lib/own", "/usr/own", "/etc/own", "/dev/own", f"{sys.prefix}/own", f"{sys.base_prefix}/own"):
        assert ask(jail, f"/write?{path}") in ("Read-only file system", "Permission denied")
    assert ask(jail, "/write?/tmp/own") == ask(jail, "/write?/own") == ask(jail, "/write?/dev/null") == "written"
    assert (jail.folder / "own").read_text() == "x"
    assert ask(jail, "/late") == ["Europe/Vienna", "/tmp", "alive\n"]


@pytest.mark.parametrize("made", [False, True], ids=["without tmp", "tmp made by root"])
def test_a_jail_in_a_folder_of_roots(launch: Launch, app_folder: MakeFolder, made: bool) -> None:
    """The set-up that docs/rights.md calls good: ``/tmp`` is the user's all the same."""
    folder = given_to(app_folder("telling", {"app/wsgi.py": TELLING}), 0)
    if made:
        (folder / "tmp").mkdir(0o700)
    daemon = in_a_jail(
        launch(folder, *HTTP, "--user", "nobody", "--group", str(GUEST), "--chroot", "--workers", "1", launcher=())
    )
    daemon.start()
    assert ask(daemon, "/late") == ["Europe/Vienna", "/tmp", "alive\n"]
    assert ask(daemon, "/write?/tmp/own") == "written"
    assert ask(daemon, "/write?/app/wsgi.py") == ask(daemon, "/write?/own") == "Permission denied"
    found = (folder / "tmp").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY, GUEST, 0o700)
    daemon.stop()


def test_a_restart_in_a_jail(jail: Daemon) -> None:
    """Options and code are read anew where they are now, and the command outside finds its way in."""
    jail.start()
    code = jail.folder / "app" / "wsgi.py"
    code.write_text(code.read_text().replace('"pid": os.getpid()', '"pid": "new code"'))
    (jail.folder / "wsgid.json").write_text('{"debug": true}')
    outcome = jail.run("restart")
    assert outcome.code == 0, outcome.output
    assert ask(jail)["pid"] == "new code"
    assert "DEBUG worker" in jail.log
    assert "stays" not in outcome.output, "no option that is fixed seems to differ"
    code.write_text("raise RuntimeError('broken release')\napplication = None\n")
    outcome = jail.run("restart")
    assert outcome.code != 0
    assert "app/wsgi.py, line 1" in outcome.output
    assert ask(jail)["pid"] == "new code"
    assert "Running" in jail.run("status").output
    jail.stop()


def test_django_in_a_jail(launch: Launch, tmp_path: Path) -> None:
    folder = tmp_path / "django"
    make_django_project(folder, sys.executable)
    daemon = in_a_jail(launch(given_to(folder, GUEST), *HTTP, "--chroot", "--workers", "2", launcher=()))
    daemon.start()
    for _ in range(2):
        assert clients.request(f"{daemon.url}/").body.startswith(b"Hello from Django")
        # Templates, translations, the database and sessions of the admin.
        assert b"Django administration" in clients.request(f"{daemon.url}/admin/login/").body
        shoot_a_worker(daemon) if daemon.log.count("the application is loaded") == 2 else None
    assert_rightless(daemon, GUEST, root=folder)
    daemon.stop()


MakeSyslogd = Callable[[Path | None], Syslogd]


@pytest.fixture
def make_syslogd(tmp_path: Path) -> Iterator[MakeSyslogd]:
    made: list[Syslogd] = []

    def make(path: Path | None) -> Syslogd:
        made.append(Syslogd(tmp_path / "syslogd", path))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_syslog_from_a_jail(launch: Launch, folder: Path, make_syslogd: MakeSyslogd) -> None:
    """By a socket outside of it, which none but root may open: that was done before."""
    syslogd = make_syslogd(None)
    syslogd.path.chmod(0o600)
    daemon = in_a_jail(launch(folder, *HTTP, "--chroot", "--no-stdout", "--syslog", syslogd.unix, launcher=()))
    daemon.start()
    syslogd.wait_for("INFO worker: the application is loaded")
    assert_rightless(daemon, GUEST, root=folder, processes=3)
    ask(daemon)
    syslogd.wait_for('"GET / HTTP/1.1" 200')
    daemon.stop()
    syslogd.wait_for(f"INFO master: wsgid {daemon.pid} has ended")


def test_syslog_that_is_started_anew(
    launch: Launch, folder: Path, make_syslogd: Callable[[Path | None], Syslogd]
) -> None:
    """By a socket in the jail, which everybody in it finds again."""
    syslogd = make_syslogd(folder / "log")
    daemon = in_a_jail(launch(folder, *HTTP, "--chroot", "--no-stdout", "--syslog", syslogd.unix, launcher=()))
    daemon.start()
    syslogd.stop()
    ask(daemon)
    syslogd.start()
    syslogd.wait_for('"GET / HTTP/1.1" 200')
    daemon.stop()
    syslogd.wait_for(f"INFO master: wsgid {daemon.pid} has ended")


def test_a_second_daemon_finds_its_places_made(launch: Launch, folder: Path) -> None:
    """Empty directories stay. Nobody else has the mounts."""
    first, second = (in_a_jail(launch(folder, *HTTP, "--chroot", launcher=())) for _ in range(2))
    first.start()
    second.start()
    assert ask(first)["ids"] == ask(second)["ids"]
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()
    assert [path for name in ("usr", "etc", "lib", "dev") for path in (folder / name).iterdir()] == []
    first.stop()
    assert ask(second, "/late")[0] == "Europe/Vienna"


def test_a_jail_that_the_system_does_not_permit(launch: Launch, folder: Path) -> None:
    without = ("setpriv", "--bounding-set", "-sys_admin")
    told = refusal(launch(folder, *HTTP, "--chroot", launcher=without))
    assert NOT_PERMITTED in told
    assert "CAP_SYS_ADMIN" in told


def test_a_folder_of_the_application_that_a_jail_would_hide(launch: Launch, folder: Path) -> None:
    (folder / "lib").mkdir()
    (folder / "lib" / "own.py").touch()
    told = refusal(launch(folder, *HTTP, "--chroot", launcher=()))
    assert NOT_PERMITTED in told or f"{folder}/lib has files of its own, which /lib of this machine would hide" in told


# A folder that must not be written to


def test_a_read_only_folder(launch: Launch, app_folder: MakeFolder, tmp_path: Path) -> None:
    folder = app_folder("telling", {"app/wsgi.py": TELLING})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if not mounts.possible():
        pytest.skip("no mount is permitted here, and root may write everywhere else")
    daemon = launch(folder, *HTTP, "--run-dir", str(elsewhere), launcher=mounts.read_only(folder))
    daemon.start()
    assert ask(daemon, f"/write?{folder}/own") == "Read-only file system"
    assert ask(daemon)["pid"] in [int(file.stem) for file in (elsewhere / "pid/worker").iterdir()]
    assert sorted(path.name for path in elsewhere.iterdir()) == sorted([str(daemon.pid), "pid"])
    assert [path.name for path in folder.iterdir()] == ["app"]
    daemon.stop()
    assert [path for path in elsewhere.rglob("*") if not path.is_dir()] == []
    assert proc.own_descendants() == []


@pytest.mark.parametrize(
    ("options", "place"), [(("--no-stdout", "--run-dir", "{elsewhere}"), "logs"), ((), "run")], ids=["log", "pid files"]
)
def test_a_read_only_folder_that_would_be_written_to(
    launch: Launch, app_folder: MakeFolder, tmp_path: Path, options: tuple[str, ...], place: str
) -> None:
    folder = app_folder("telling", {"app/wsgi.py": TELLING})
    (tmp_path / "elsewhere").mkdir()
    if not mounts.possible():
        pytest.skip("no mount is permitted here, and root may write everywhere else")
    filled = [each.format(elsewhere=tmp_path / "elsewhere") for each in options]
    told = refusal(launch(folder, *HTTP, *filled, launcher=mounts.read_only(folder)))
    assert f"{folder}/{place}: Read-only file system" in told
    assert "--run-dir" in told
    assert "--stdout" in told


# Folders that root has made by `wsgid init`


def init(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "wsgid", "init", *arguments]
    return subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=seconds(), umask=0o077)


def test_a_folder_made_for_a_user(tmp_path: Path, launch: Launch) -> None:
    site = tmp_path / "site"
    done = init(str(site), "--example", "django", "--user", str(GUEST))
    assert done.returncode == 0, done.stderr
    owners = {each.name: each.stat().st_uid for each in site.iterdir() if each.is_dir()}
    assert owners == {"app": 0, "plugins": 0, "pid": GUEST, "logs": GUEST, "run": GUEST, "data": GUEST}
    key = (site / "secret-key").stat()
    assert (key.st_uid, key.st_gid, stat.S_IMODE(key.st_mode)) == (0, GUEST, 0o640)
    daemon = launch(site, *HTTP)  # the user is in wsgid.json
    daemon.start()
    assert clients.request(daemon.url + "/").body == b"Hello from Django\n"
    assert {os.stat(f"/proc/{pid}").st_uid for pid in (daemon.pid, *daemon.worker_pids)} == {GUEST}


def test_a_folder_of_roots_that_is_to_be_a_users_after_all(tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert "name another user by --user" in init(str(site), "--example", "plain").stdout
    assert init(str(site), "--user", str(GUEST)).stdout.endswith(f"\n  wsgid --app-path {site} --user {GUEST}\n")
    wanted = [site / name for name in ("logs", "run", "pid/master", "pid/worker")]
    assert {each.stat().st_uid for each in wanted} == {GUEST}


def test_a_folder_made_where_all_is_a_users(tmp_path: Path) -> None:
    os.chown(tmp_path, GUEST, GUEST)
    assert init(str(tmp_path / "site"), "--example", "plain").returncode == 0
    assert {each.stat().st_uid for each in (tmp_path / "site").rglob("*")} == {GUEST}


def test_root_follows_no_link_of_a_users(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder in (mine, theirs):
        folder.mkdir()
    os.chown(theirs, GUEST, GUEST)
    os.symlink(mine, theirs / "app")
    done = init(str(theirs), "--example", "plain")
    assert (done.returncode, done.stderr) == (
        1,
        f"wsgid: {theirs}/app/wsgi.py cannot be made: Permission denied; it is done as the user whose the folder is: "
        "let them, or name another folder\n",
    )
    assert not list(mine.iterdir())


def test_a_way_that_is_shut_to_the_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    done = init(str(tmp_path / "site"), "--user", str(GUEST))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"wsgid: {tmp_path} may not be searched by user {GUEST}: ")
    assert not (tmp_path / "site").exists()


# `wsgid check`, as the user that the daemon would be


def check(launcher: tuple[str, ...], *arguments: str) -> dict[str, str]:
    """The texts of its findings, by severity and subject; the last of each."""
    line = [*launcher, sys.executable, "-m", "wsgid", "check", "--json", *arguments]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=seconds())
    found = json.loads(done.stdout)["findings"]
    return {f"{each['severity']} {each['subject']}": each["text"] for each in found}


def test_a_check_is_made_as_the_user(folder: Path, tmp_path: Path) -> None:
    (folder / "app" / "wsgi.py").write_text(
        f"import os\nassert os.getresuid() == ({GUEST},) * 3\napplication = print\n"
    )
    (folder / "logs").mkdir()  # root's
    told = check(mounts.readable_interpreter(tmp_path), "--app-path", str(folder), *HTTP)
    assert told["ok application"].startswith("can be loaded, in ")
    assert told["error rights"] == f"{folder}/logs may not be written to"
    assert "ok chroot" not in told


def test_a_check_of_what_the_user_cannot_read(folder: Path) -> None:
    (folder / "app").chmod(0o700)
    os.chown(folder / "app", 0, 0)
    told = check((), "--app-path", str(folder), *HTTP)
    assert " cannot be read: " in told["error rights"]


def test_a_check_for_a_jail(folder: Path) -> None:
    told = check((), "--app-path", str(folder), "--chroot", *HTTP)
    assert told.get("ok chroot") or "CAP_SYS_ADMIN" in told["error chroot"] or "unshare" in told["error chroot"]
    outside = check((), "--app-path", str(folder), "--chroot", "--run-dir", "/tmp", *HTTP)
    assert outside["error chroot"].startswith("--run-dir: /tmp lies outside the app folder")
    assert sorted(os.listdir(folder)) == ["app"], "no jail has been furnished"
