"""``wsgid mongrel2 init`` and ``run``, with the real Mongrel2, and README's way from an empty directory to a site."""

import json
import os
import random
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.deadlines import seconds, wait_for
from tests.functional import clients, mounts
from tests.functional.daemon import environment
from tests.functional.mongrel2 import free_port
from tests.functional.systemd import ServiceManager

README = (Path(__file__).parents[2] / "README.md").read_text()

MOST_COMMANDS = 5

MEBIBYTE = 1024 * 1024

NOBODY = 65534
STRANGER = 65533
"""A user without rights, in every Linux."""

VIEW = """

from flask import request

@app.post("/measure")
def measure() -> str:
    return str(sum(map(len, request.stream)))

@app.get("/s")
def search() -> str:
    return f"searched below {request.script_root!r}"
"""


class Site:
    """A directory in which commands are given as by somebody at a terminal; what runs at the end is stopped."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.port = free_port()
        self.launcher: tuple[str, ...] = ()
        """A command that executes the command that follows it, as env(1) does."""
        self.stack = stack
        programs = Path(sys.executable).parent
        self._env = {**environment(), "PATH": f"{programs}:{os.environ['PATH']}"}

    def belongs_to(self, owner: int, scratch: Path) -> None:
        """For root: the folder is given to this user, who can read our interpreter from now on."""
        self.readable_for_all(scratch)
        give(self.folder, owner)

    def readable_for_all(self, scratch: Path) -> None:
        """For root: everybody can read our interpreter from now on, and look into the folder."""
        self.launcher = mounts.readable_interpreter(scratch)
        self._env = {name: value for name, value in self._env.items() if not name.startswith("COVERAGE_")}
        self.folder.chmod(0o755)

    def run(self, command: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """To its end."""
        return subprocess.run(
            [*self.launcher, *shlex.split(command)],
            cwd=self.folder,
            env={**self._env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds(),
        )

    def do(self, command: str) -> str:
        """What it prints. Raises AssertionError when it fails."""
        done = self.run(command)
        assert done.returncode == 0, f"{command}: {done.stdout}"
        if shlex.split(command)[:2] in (["wsgid"], ["wsgid", "--workers"]):
            self.stack.callback(self.run, "wsgid stop")
        return done.stdout

    def start(self, command: str = "wsgid mongrel2 run", env: Mapping[str, str] | None = None) -> "Running":
        """In the background. Returns when Mongrel2 serves. Raises AssertionError."""
        running = Running([*self.launcher, *shlex.split(command)], self.folder, {**self._env, **(env or {})})
        self.stack.callback(running.stop)
        wait_for(lambda: "mongrel2 serves" in running.output or running.ended, "Mongrel2")
        assert not running.ended, running.output
        return running

    def request(self, target: str, method: str = "GET", body: bytes | None = None) -> clients.Answer:
        return clients.request(f"http://localhost:{self.port}{target}", method, body)


class Running:
    def __init__(self, command: list[str], folder: Path, env: Mapping[str, str]) -> None:
        self._file = folder / "run.out"
        with open(self._file, "wb") as output:
            self.process = subprocess.Popen(
                command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def output(self) -> str:
        return self._file.read_text()

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def mongrel2(self) -> psutil.Process:
        [child] = psutil.Process(self.process.pid).children()
        return child

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        if not self.ended:
            self.process.send_signal(how)
        return self.process.wait(seconds())


@pytest.fixture
def site() -> Iterator[Site]:
    """In a folder of a short name: a socket's path has no room for the long ones of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="wsgid-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        yield Site(folder, stack)


@pytest.fixture
def flask(site: Site) -> Site:
    """Configured, and not started."""
    site.do("wsgid init --example flask")
    site.do(f"wsgid mongrel2 init --address 127.0.0.1 --port {site.port}")
    return site


@contextmanager
def listener(port: int) -> Iterator[None]:
    """Somebody, this process, has the port."""
    with socket.create_server(("127.0.0.1", port)):
        yield


def low_port() -> int:
    """A free one that takes root."""
    for port in random.sample(range(600, 1024), 400):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError("no free port below 1024")


def give(folder: Path, owner: int) -> None:
    """As chown -R, with the group of the same number."""
    folder.chmod(0o755)
    for each in (folder, *folder.rglob("*")):
        os.chown(each, owner, owner)


def fetch(url: str, trusted: ssl.SSLContext) -> bytes:
    with urllib.request.urlopen(url, timeout=seconds(), context=trusted) as answer:
        body: bytes = answer.read()
        return body


def readme_commands() -> list[str]:
    """The first block of its section."""
    section = README.split("## Behind Mongrel2\n")[1].split("\n## ")[0]
    block = re.search(r"(?:^ {4}.*\n)+", section, re.MULTILINE)
    assert block is not None
    return [line.strip() for line in block[0].splitlines()]


STATIC = "--static /static=app/static"
"""What README's text adds to its second command."""


class TestFromAnEmptyDirectory:
    def test_to_flask(self, site: Site, tmp_path: Path) -> None:
        """As a user without any rights, also where the tests are root's."""
        if os.geteuid() == 0:
            site.belongs_to(NOBODY, tmp_path)
            site.launcher += ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        commands = readme_commands()
        assert len(commands) <= MOST_COMMANDS
        assert f"With `{STATIC}` in the second command" in README
        commands[1] += f" {STATIC}"
        said = ""
        for command in commands:
            ours = command.replace("6767", str(site.port))
            if ours.endswith("&"):
                site.start(ours.removesuffix("&"))
            else:
                said = site.do(ours)
            if command.startswith("wsgid init"):  # then it is ours to write
                with open(site.folder / "app/wsgi.py", "a") as application:
                    application.write(VIEW)
                (site.folder / "app/static").mkdir(mode=0o755)
                (site.folder / "app/static/site.css").write_text("body { color: teal }")
        assert said.endswith("Hello from Flask\n")
        assert site.request("/measure", "POST", b"x" * MEBIBYTE).text == str(MEBIBYTE)
        assert list((site.folder / "mongrel2/uploads").iterdir()) == []
        styles = site.request("/static/site.css")
        assert (styles.text, styles.header("content-type")) == ("body { color: teal }", "text/css")
        assert "Mongrel2" in str(styles.header("server"))
        # Mongrel2's routes would give this to the static files.
        assert site.request("/s").text == "searched below ''"
        assert site.request("/static/none").status == 404

    def test_to_django_with_its_static_files(self, site: Site) -> None:
        site.do("wsgid init --example django")
        manage = f"{sys.executable} app/hello/manage.py"
        site.do(f"{manage} collectstatic --no-input")
        said = site.do(f"wsgid mongrel2 init --port {site.port}")
        assert f"/static/ the files in {site.folder}/static" in said
        site.start()
        site.do("wsgid")
        assert site.request("/").text == "Hello from Django\n"
        styles = site.request("/static/admin/css/base.css")
        assert (styles.status, styles.header("content-type")) == (200, "text/css")
        assert styles.body == (site.folder / "static/admin/css/base.css").read_bytes()


class TestRun:
    def test_it_is_stopped_as_any_program_with_connections_open(self, flask: Site) -> None:
        """With some of them Debian's 1.12.2 aborts, and leaves its pid file."""
        running = flask.start()
        address = ("127.0.0.1", flask.port)
        held = [clients.Connection(address) for _ in range(20)]
        for each in held:
            each.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        pid_file = flask.folder / "mongrel2/run/mongrel2.pid"
        assert int(pid_file.read_text()) == running.mongrel2.pid
        assert running.stop(signal.SIGINT) == 0
        for each in held:
            each.socket.close()
        assert running.output.splitlines()[-1] == "mongrel2 has ended"
        assert not pid_file.exists()
        assert flask.start().stop() == 0

    def test_it_is_told_when_it_dies(self, flask: Site) -> None:
        running = flask.start()
        running.mongrel2.kill()
        assert running.process.wait(seconds()) == 1
        assert "mongrel2 has ended by itself, by SIGKILL; its log is" in running.output

    def test_it_ends_when_its_supervisor_is_killed(self, flask: Site) -> None:
        running = flask.start()
        child = running.mongrel2
        running.process.kill()
        running.process.wait(seconds())
        wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "its end")

    def test_systemd_is_told_when_it_serves(self, flask: Site) -> None:
        systemd = ServiceManager(flask.folder / "notify")
        try:
            flask.start(env=systemd.env)
            assert systemd.wait_for("READY")["STATUS"] == f"mongrel2 serves http://127.0.0.1:{flask.port}"
        finally:
            systemd.close()

    def test_logs_are_opened_anew(self, flask: Site) -> None:
        running = flask.start()
        log = flask.folder / "mongrel2/logs/error.log"
        log.rename(log.with_suffix(".1"))
        running.process.send_signal(signal.SIGHUP)
        wait_for(log.exists, "a new log")
        assert running.stop() == 0

    def test_a_pid_that_is_somebody_elses_now_does_no_harm(self, flask: Site) -> None:
        (flask.folder / "mongrel2/run/mongrel2.pid").write_text(str(os.getpid()))
        running = flask.start()
        assert f"mongrel2.pid names process {os.getpid()}, which is " in running.output

    def test_it_does_not_run_twice(self, flask: Site) -> None:
        running = flask.start()
        done = flask.run("wsgid mongrel2 run")
        assert done.returncode == 1
        assert f"it runs already, as process {running.mongrel2.pid}" in done.stdout
        assert f"stop it with kill {running.mongrel2.pid}" in done.stdout

    def test_who_has_the_port_is_told(self, flask: Site) -> None:
        with listener(flask.port):
            done = flask.run("wsgid mongrel2 run")
        assert done.returncode == 1
        assert f"port {flask.port} of 127.0.0.1 cannot be opened: process {os.getpid()} (" in done.stdout

    def test_why_it_does_not_start_is_told_in_words(self, flask: Site) -> None:
        shutil.rmtree(flask.folder / "mongrel2/logs")
        done = flask.run("wsgid mongrel2 run")
        assert done.returncode == 1
        log = flask.folder / "mongrel2/logs/error.log"
        assert done.stdout.splitlines() == [
            f"wsgid: mongrel2: its log {log} cannot be written: is the folder there, and whose is it?",
            "wsgid: mongrel2 did not start",
        ]

    def test_how_to_get_it_is_told(self, flask: Site) -> None:
        done = flask.run(f"{sys.executable} -m wsgid mongrel2 run", {"PATH": "/nonexistent"})
        assert (done.returncode, done.stdout) == (1, "wsgid: mongrel2 is not installed: apt install mongrel2-core\n")


class TestRights:
    """Started by root, as these tests mostly are; where they are not, it is the same user throughout."""

    def test_root_serves_a_low_port_as_the_owner_of_the_folder(self, site: Site, tmp_path: Path) -> None:
        owner = os.geteuid() or NOBODY
        site.do("wsgid init --example flask")
        if os.geteuid() == 0:
            site.port = low_port()
            site.belongs_to(owner, tmp_path)
        site.do(f"wsgid mongrel2 init --address 127.0.0.1 --port {site.port}")
        assert {each.stat().st_uid for each in (site.folder / "mongrel2").rglob("*")} == {owner}
        running = site.start()
        assert running.mongrel2.uids() == (owner, owner, owner)
        site.do("wsgid")
        assert site.request("/").text == "Hello from Flask\n"
        assert site.request("/", "POST", b"x" * MEBIBYTE).status == 405

    def test_another_user_is_told_who_may_ask_it(self, flask: Site, tmp_path: Path) -> None:
        flask.start()
        if os.geteuid() == 0:
            flask.launcher = (*mounts.readable_interpreter(tmp_path), "setpriv", f"--reuid={NOBODY}", "--clear-groups")
            (flask.folder).chmod(0o755)
            done = flask.run("env -u COVERAGE_PROCESS_START -u COVERAGE_PROCESS_CONFIG wsgid mongrel2 status")
            assert (done.returncode, "run this as its owner, or as root" in done.stdout) == (1, True)

    def test_in_a_chroot_with_tls(self, site: Site, tmp_path: Path) -> None:
        if os.geteuid() == 0:
            site.readable_for_all(tmp_path)
        site.do("wsgid init --example flask")
        if os.geteuid() == 0:
            site.do(f"wsgid config --user {NOBODY}")
            for name in ("logs", "pid", "run"):
                give(site.folder / name, NOBODY)
        site.do(
            "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout key.pem -out cert.pem "
            "-addext subjectAltName=DNS:localhost"
        )
        jail = site.folder / "jail"
        done = site.run(
            f"wsgid mongrel2 init --port {site.port} --mongrel2-chroot jail --tls-cert cert.pem --tls-key key.pem"
        )
        assert done.returncode == 0, done.stdout
        if os.geteuid() != 0:
            assert "which takes root" in site.run("wsgid mongrel2 run").stdout
            return
        running = site.start()
        assert os.readlink(f"/proc/{running.mongrel2.pid}/root") == str(jail)
        assert running.mongrel2.uids().effective == NOBODY
        file = (site.folder / "mongrel2/config.sqlite").stat()
        assert (file.st_uid, stat.S_IMODE(file.st_mode)) == (0, 0o644)
        site.do("wsgid")
        trusted = ssl.create_default_context(cafile=str(site.folder / "cert.pem"))
        assert fetch(f"https://localhost:{site.port}/", trusted) == b"Hello from Flask\n"
        assert running.stop() == 0
        [key] = (jail / "certificates").glob("*.key")
        whole = key.read_bytes()
        key.write_text("no PEM")
        assert "are no certificate and its key" in site.run("wsgid mongrel2 check").stdout
        key.write_bytes(whole)
        key.unlink()
        assert f"Mongrel2 does not start: {key} is not there" in site.run("wsgid mongrel2 check").stdout
        assert f"the key {key} cannot be read as PEM" in site.run("wsgid mongrel2 run").stdout

    def test_root_removes_nothing_of_its_own_for_it(self, site: Site, tmp_path: Path) -> None:
        """The folder of the pid file is the user's, who may put a link into its place."""
        if os.geteuid() != 0:
            pytest.skip("takes root")
        site.do("wsgid init --example plain")
        site.belongs_to(NOBODY, tmp_path)
        site.do(f"wsgid mongrel2 init --address 127.0.0.1 --port {site.port}")
        roots = tmp_path / "roots"
        roots.mkdir()
        (roots / "mongrel2.pid").write_text(str(os.getpid()))
        os.chmod(tmp_path, 0o755)
        shutil.rmtree(site.folder / "mongrel2/run")
        (site.folder / "mongrel2/run").symlink_to(roots)
        done = site.run("wsgid mongrel2 run")
        assert (roots / "mongrel2.pid").exists()
        assert done.returncode == 1
        assert "mongrel2.pid cannot be written" in done.stdout

    def test_what_its_user_writes_into_the_file_makes_nobody_root(self, site: Site, tmp_path: Path) -> None:
        """By the chroot in it, Mongrel2 would serve everybody what only root may read."""
        if os.geteuid() != 0:
            pytest.skip("takes root")
        site.do("wsgid init --example plain")
        site.belongs_to(NOBODY, tmp_path)
        site.do(f"wsgid mongrel2 init --address 127.0.0.1 --port {site.port} --static /s=/etc")
        file = site.folder / "mongrel2/config.sqlite"
        assert file.stat().st_uid == NOBODY
        with closing(sqlite3.connect(file)) as database:
            database.execute("UPDATE server SET chroot = '/'")
            database.commit()
        done = site.run("wsgid mongrel2 run")
        assert (done.returncode, f"root cannot trust {file}: others than root" in done.stdout) == (1, True)
        checked = site.run("wsgid mongrel2 check").stdout
        assert f"root cannot trust {file}" in checked
        assert "Mongrel2 would stay root: it becomes the owner of its chroot, and that of / is root" in checked
        assert "--mongrel2-chroot /" not in checked

    def test_a_chroot_is_set_up_where_only_root_may(self, site: Site, tmp_path: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("takes root")
        site.do("wsgid init app-folder --example plain")
        options = f"--app-path app-folder --port {site.port} --mongrel2-chroot jail"
        done = site.run(f"wsgid mongrel2 init {options}")
        assert (done.returncode, "by the app folder's owner that would be root" in done.stdout) == (1, True)
        site.readable_for_all(tmp_path)
        give(site.folder / "app-folder", NOBODY)
        done = site.run(f"wsgid mongrel2 init {options}")
        assert (done.returncode, "root cannot trust what lies in " in done.stdout) == (1, True)
        assert not (site.folder / "app-folder/mongrel2").exists()
        done = site.run(f"wsgid mongrel2 init {options} --config config.sqlite --mongrel2-chroot app-folder/jail")
        assert (done.returncode, "root cannot trust the chroot" in done.stdout) == (1, True)
        (site.folder / "jail").mkdir()
        os.chown(site.folder / "jail", STRANGER, -1)
        done = site.run(f"wsgid mongrel2 init {options} --config config.sqlite")
        assert done.returncode == 1
        assert f"Mongrel2 would become user {STRANGER}, who owns {site.folder}/jail, and the daemon is " in done.stdout
        os.chown(site.folder / "jail", NOBODY, -1)
        site.do(f"wsgid mongrel2 init {options} --config config.sqlite")
        running = site.start("wsgid mongrel2 run --app-path app-folder --config config.sqlite")
        assert running.mongrel2.uids().effective == NOBODY

    def test_what_lies_outside_of_the_chroot_is_refused(self, site: Site) -> None:
        site.do("wsgid init --example flask")
        done = site.run("wsgid mongrel2 init --mongrel2-chroot jail --static /static=app/static")
        assert done.returncode == 1
        assert "what lies outside it cannot see" in done.stdout
        assert f"{site.folder}/app/static" in done.stdout


class TestInit:
    def test_nothing_is_replaced_unasked(self, flask: Site) -> None:
        file = flask.folder / "mongrel2/config.sqlite"
        before = file.read_bytes()
        done = flask.run("wsgid mongrel2 init")
        assert done.returncode == 1
        assert f"{file} is there already" in done.stdout
        assert file.read_bytes() == before
        flask.do(f"wsgid mongrel2 init --force --port {flask.port} --host example.org")
        assert file.read_bytes() != before

    def test_addresses_of_an_earlier_folder_are_not_kept(self, flask: Site) -> None:
        flask.folder.chmod(0o755)
        saved = flask.folder / "wsgid.json"
        jail = flask.folder / "jail"
        options = f"--force --port {flask.port} --config other.sqlite"
        owned = f"--user {NOBODY}" if os.geteuid() == 0 else ""
        flask.do(f"wsgid mongrel2 init {options} {owned} --mongrel2-chroot jail")
        assert json.loads(saved.read_bytes())["recv"] == [f"ipc://{jail}/run/requests"]
        flask.do(f"wsgid mongrel2 init {options} --mongrel2-chroot none")
        told = json.loads(saved.read_bytes())
        assert told["recv"] == [f"ipc://{flask.folder}/mongrel2/run/requests"]
        assert told["send"] == [f"ipc://{flask.folder}/mongrel2/run/answers"]
        assert "mongrel2_chroot" not in told
        tcp = {"recv": ["tcp://127.0.0.1:7101"], "send": ["tcp://127.0.0.1:7102"]}
        saved.write_text(json.dumps(tcp))
        flask.do(f"wsgid mongrel2 init {options}")
        assert json.loads(saved.read_bytes()) == tcp

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ("--port 0", "--port: 0 is not from 1 to 65535"),
            ("--address localhost", "--address: 'localhost' is no IP address"),
            ("--static static", "--static: 'static' is not /URL=DIR"),
            ("--static /=x", "--static: '/=x' is not /URL=DIR"),
            ("--static /s=x --static /s/=y", "--static: /s/ is named twice"),
            ("--tls-cert x", "TLS takes both"),
            ("--tls-cert x --tls-key y", "x cannot be read: No such file or directory"),
            ("--tls-cert app/text --tls-key app/text", "app/text and app/text are no certificate and its key"),
            ("--recv tcp://127.0.0.1:7101", "--recv and --send go in pairs"),
        ],
    )
    def test_what_may_not_be_is_refused(self, site: Site, options: str, told: str) -> None:
        (site.folder / "app").mkdir()
        (site.folder / "app/text").write_text("no PEM")
        done = site.run(f"wsgid mongrel2 init {options}")
        assert done.returncode == 2
        assert told in done.stdout
        assert not (site.folder / "mongrel2").exists()

    def test_no_app_folder(self, site: Site) -> None:
        done = site.run("wsgid mongrel2 init")
        assert (done.returncode, "is no app folder: `wsgid init` makes one" in done.stdout) == (2, True)

    def test_a_port_that_is_taken(self, site: Site) -> None:
        (site.folder / "app").mkdir()
        with listener(site.port):
            done = site.run(f"wsgid mongrel2 init --address 127.0.0.1 --port {site.port}")
        assert done.returncode == 1
        assert f"--port: 127.0.0.1:{site.port} cannot be opened: process {os.getpid()}" in done.stdout

    def test_a_path_that_is_too_long_for_a_socket(self, tmp_path: Path, site: Site) -> None:
        long = site.folder / ("long" * 25)
        (long / "app").mkdir(parents=True)
        done = site.run(f"wsgid mongrel2 init --app-path {long}")
        assert done.returncode == 2
        assert "is too long for a socket's path" in done.stdout

    def test_settings_that_cannot_be_loaded(self, site: Site) -> None:
        site.do("wsgid init --example django")
        settings = site.folder / "app/hello/hello/settings.py"
        settings.write_text(settings.read_text() + "\nimport no_such_payment_library\n")
        done = site.run(f"wsgid mongrel2 init --port {site.port}")
        assert done.returncode == 2
        assert "the settings of the Django project cannot be loaded" in done.stdout
        assert "No module named 'no_such_payment_library'" in done.stdout
        site.do(f"wsgid mongrel2 init --port {site.port} --no-static")


class TestAdd:
    def test_two_sites_behind_one_mongrel2(self, flask: Site) -> None:
        flask.do("wsgid init second --example plain")
        flask.do("wsgid mongrel2 add --app-path second --config mongrel2/config.sqlite --host second.localhost")
        checked = flask.run("wsgid mongrel2 check")
        assert checked.returncode == 0, "that the other site is served by another daemon is no error"
        assert "does not serve the handler second" in checked.stdout
        flask.start()
        flask.do("wsgid")
        flask.do("wsgid --app-path second")
        flask.stack.callback(flask.run, "wsgid stop --app-path second")
        assert flask.request("/").text == "Hello from Flask\n"
        second = clients.request(f"http://127.0.0.1:{flask.port}/", headers={"Host": "second.localhost"})
        assert second.text == "Hello from WSGI\n"

    def test_a_host_is_not_replaced_unasked(self, flask: Site) -> None:
        flask.do("wsgid init second --example plain")
        command = "wsgid mongrel2 add --app-path second --config mongrel2/config.sqlite --host localhost"
        done = flask.run(command)
        assert (done.returncode, "has the host localhost already: --force replaces its routes" in done.stdout) == (
            1,
            True,
        )
        flask.do(f"{command} --force")
        assert 'send_ident="second"' in flask.do("wsgid mongrel2 show")

    def test_what_is_needed_is_told(self, flask: Site) -> None:
        done = flask.run("wsgid mongrel2 add --host second.localhost")
        assert (done.returncode, "name Mongrel2's file by --config" in done.stdout) == (2, True)

    def test_another_users_sockets(self, flask: Site) -> None:
        """Root's Mongrel2, and a site of somebody else."""
        if os.geteuid() != 0:
            pytest.skip("takes root")
        flask.do("wsgid init second --example plain")
        give(flask.folder / "second", NOBODY)
        command = "wsgid mongrel2 add --app-path second --config mongrel2/config.sqlite --host second.localhost"
        done = flask.run(command)
        assert (done.returncode, "who cannot reach its sockets: name TCP addresses" in done.stdout) == (2, True)
        tcp = f"--recv tcp://127.0.0.1:{free_port()} --send tcp://127.0.0.1:{free_port()}"
        flask.do(f"{command} {tcp}")


class TestCheck:
    def test_it_agrees_with_what_init_writes(self, flask: Site) -> None:
        told = flask.do("wsgid mongrel2 check")
        assert told.endswith("no errors, no warnings\n")
        assert "it does not run; its port is free" in told
        flask.start()
        told = flask.do("wsgid mongrel2 check")
        assert f"on port {flask.port}" in told

    def test_what_is_wrong_is_told_with_the_remedy(self, flask: Site) -> None:
        shutil.rmtree(flask.folder / "mongrel2/uploads")
        shutil.rmtree(flask.folder / "mongrel2/logs")
        recv, send = f"ipc://{flask.folder}/mongrel2/run/answers", f"ipc://{flask.folder}/mongrel2/run/requests"
        done = flask.run(f"wsgid mongrel2 check --json --recv {recv} --send {send}")
        assert done.returncode == 1
        told = json.loads(done.stdout)
        wrong = [each["text"] for each in told["findings"] if each["severity"] == "error"]
        assert not told["ok"]
        assert [text.partition(":")[0] for text in wrong] == [
            "--recv and --send are swapped",
            "Mongrel2 does not start",  # error_log
            "Mongrel2 does not start",  # access_log
            "every upload fails",
        ]

    def test_folders_that_are_not_there(self, flask: Site) -> None:
        """A folder of static files is told once, though two hosts have it."""
        flask.do(f"wsgid mongrel2 init --force --port {flask.port} --host a --host b --static /static=none")
        shutil.rmtree(flask.folder / "mongrel2/run")
        done = flask.run("wsgid mongrel2 check")
        assert done.returncode == 1
        assert f"no socket can be opened in {flask.folder}/mongrel2/run, which is no folder" in done.stdout
        assert done.stdout.count("/static/ gets 404") == 1

    def test_sockets_in_a_folder_of_another_user(self, flask: Site) -> None:
        if os.geteuid() == 0:
            give(flask.folder, NOBODY)
            os.chown(flask.folder / "mongrel2/run", 1, 1)
            done = flask.run("wsgid mongrel2 check")
            assert f"Mongrel2's user may not make sockets in {flask.folder}/mongrel2/run" in done.stdout

    def test_one_that_runs_with_what_was_before(self, flask: Site) -> None:
        flask.start()
        flask.do(f"wsgid mongrel2 init --force --address 127.0.0.1 --port {free_port()}")
        told = flask.do("wsgid mongrel2 check")
        assert f"it was started with port {flask.port}, and the file now has " in told

    def test_a_port_of_somebody_else(self, flask: Site) -> None:
        with listener(flask.port):
            done = flask.run("wsgid mongrel2 check")
        assert done.returncode == 1
        assert f"port {flask.port} cannot be opened: process {os.getpid()} (" in done.stdout

    def test_uploads_of_another_user(self, flask: Site) -> None:
        """Only root can make such a thing, and only root need not mind it."""
        if os.geteuid() == 0:
            give(flask.folder, NOBODY)
            os.chown(flask.folder / "mongrel2/uploads", 1, 1)
            done = flask.run("wsgid mongrel2 check")
            assert done.returncode == 1
            assert f"will be user 1's alone, and wsgid, user {NOBODY}, cannot read them" in done.stdout

    def test_no_configuration(self, site: Site) -> None:
        (site.folder / "app").mkdir()
        done = site.run("wsgid mongrel2 check")
        assert done.returncode == 1
        assert "config.sqlite is not there: `wsgid mongrel2 init` writes one" in done.stdout


class TestStatus:
    def test_connections_and_tasks(self, flask: Site) -> None:
        flask.start()
        flask.do("wsgid")
        with clients.Connection(("127.0.0.1", flask.port)) as client:
            client.ask("/")
            answer = client.answer()
            told = flask.do("wsgid mongrel2 status")
            as_json = json.loads(flask.do("wsgid mongrel2 status --json"))
        assert answer.status == 200
        assert f"on 127.0.0.1:{flask.port}: 1 connection\n" in told
        assert "SERVER (read fd)" in told
        [connection] = as_json["connections"]
        assert connection["bytes_written"] > len(answer.body)
        assert any(each["name"] == "control" for each in as_json["tasks"])

    def test_it_does_not_run(self, flask: Site) -> None:
        done = flask.run("wsgid mongrel2 status")
        assert (done.returncode, "it does not run: there is no" in done.stdout) == (3, True)
        flask.start().mongrel2.kill()  # its socket stays
        done = flask.run("wsgid mongrel2 status")
        assert (done.returncode, "it does not run: nobody is at" in done.stdout) == (3, True)
