"""The real Mongrel2 server, configured by an SQLite file that is written here.

Tables, settings and quirks: the tables and columns are those that Mongrel2 reads (its ``config.sql``); its own tool,
m2sh, is not used, for it exits with 0 on errors.
"""

import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.deadlines import seconds, wait_for

TABLES = """
CREATE TABLE server (id INTEGER PRIMARY KEY, uuid TEXT, access_log TEXT, error_log TEXT, chroot TEXT, pid_file TEXT,
    control_port TEXT, default_host TEXT, name TEXT, bind_addr TEXT, port INTEGER, use_ssl INTEGER);
CREATE TABLE host (id INTEGER PRIMARY KEY, server_id INTEGER, maintenance INTEGER, name TEXT, matching TEXT);
CREATE TABLE handler (id INTEGER PRIMARY KEY, send_spec TEXT, send_ident TEXT, recv_spec TEXT, recv_ident TEXT,
    raw_payload INTEGER, protocol TEXT);
CREATE TABLE route (id INTEGER PRIMARY KEY, path TEXT, reversed INTEGER, host_id INTEGER, target_id INTEGER,
    target_type TEXT);
CREATE TABLE directory (id INTEGER PRIMARY KEY, base TEXT, index_file TEXT, default_ctype TEXT, cache_ttl INTEGER);
CREATE TABLE proxy (id INTEGER PRIMARY KEY, addr TEXT, port INTEGER);
CREATE TABLE setting (id INTEGER PRIMARY KEY, key TEXT, value TEXT);
CREATE TABLE mimetype (id INTEGER PRIMARY KEY, mimetype TEXT, extension TEXT);
CREATE TABLE filter (id INTEGER PRIMARY KEY, server_id INTEGER, name TEXT, settings TEXT);
CREATE TABLE xrequest (id INTEGER PRIMARY KEY, server_id INTEGER, name TEXT, settings TEXT);
"""

SETTINGS = {
    "server.daemonize": "0",
    # 5 by default: a header block that comes in more than three pieces would get 400.
    "limits.client_read_retries": "100",
}

PORTS = range(20000, 32000)
"""Below the range from which the kernel deals out ports (32768 and up): nobody gets one of these by chance between our
trying it and Mongrel2's binding it. Mongrel2 cannot bind port 0 and tell."""

CLASHES = 10
"""So many ports in use in a row mean that something else is wrong."""

ENDED = {0, -signal.SIGABRT, -signal.SIGSEGV}
"""Exit codes of an ordinary end. It cuts what is in progress: with more than a few connections open, Debian's 1.12.2
aborts as it ends, and with an upload in progress it has been seen to end by SIGSEGV."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler as Mongrel2's configuration knows it: its ``send_spec`` is wsgid's ``--recv`` and the reverse."""

    send_spec: str
    send_ident: str
    recv_spec: str
    recv_ident: str
    protocol: str = "json"

    @property
    def options(self) -> tuple[str, ...]:
        """For wsgid's command line."""
        return ("--recv", self.send_spec, "--send", self.recv_spec)


@dataclass(frozen=True, slots=True)
class Directory:
    """Static files; ``base`` ends in ``/``."""

    base: str
    index_file: str = "index.html"
    default_ctype: str = "text/plain"


Target = Handler | Directory


@dataclass
class Mongrel2:
    """One server. ``uuid`` must be unique among those that talk to one daemon."""

    uuid: str
    routes: Mapping[str, Target]
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    bind: str = "127.0.0.1"
    port: int = 0
    """0 until it is started for the first time, then the same over restarts."""
    chrooted: bool = False
    """Into its folder, by itself; it must be root for that."""
    launcher: Sequence[str] = ()
    """A command that executes the command that follows it, as env(1) does."""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "Mongrel2 is not running"
        return self._process.pid

    @property
    def address(self) -> tuple[str, int]:
        return (self.bind, self.port)

    @property
    def url(self) -> str:
        return f"http://{self.bind}:{self.port}"

    @property
    def handlers(self) -> list[Handler]:
        """Each once, in the order of the routes."""
        return list(dict.fromkeys(target for target in self.routes.values() if isinstance(target, Handler)))

    @property
    def options(self) -> tuple[str, ...]:
        """For wsgid's command line: every handler's."""
        return tuple(option for handler in self.handlers for option in handler.options)

    @property
    def uploads(self) -> Path:
        """Where it stores bodies that are too large for a message."""
        return self.folder / "uploads"

    @property
    def log(self) -> str:
        """What it printed, and its error log."""
        files = (self.folder / "output", self.folder / "logs/error.log")
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def start(self) -> None:
        """Returns when its port is open; a port once chosen is kept. Raises AssertionError."""
        if self.port:
            assert self._start_once(), f"Mongrel2's port {self.port} was taken:\n{self.log}"
            return
        for _ in range(CLASHES):
            self.port = free_port(self.bind)
            if self._start_once():
                return
        raise AssertionError(f"{CLASHES} ports in a row were in use:\n{self.log}")

    def _start_once(self) -> bool:
        """False when the port was taken in the meantime."""
        for name in ("logs", "run", "uploads"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        # A pid file of a server that was killed stops the next one when its pid lives on in another process.
        (self.folder / "run/mongrel2.pid").unlink(missing_ok=True)
        self._write_config()
        with open(self.folder / "output", "ab") as output:
            self._process = subprocess.Popen(
                [*self.launcher, program(), "config.sqlite", self.uuid],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_for(lambda: self._ended() or self._listens(), f"Mongrel2 on port {self.port}")
        if not self._ended():
            return True
        self._process = None
        assert "Can't announce on TCP port" in self.log, f"Mongrel2 did not start:\n{self.log}"
        return False

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _listens(self) -> bool:
        """Has this very process opened the port? Looked up and not tried: each connection costs Mongrel2 an id."""
        table = Path("/proc/net/tcp6" if ":" in self.bind else "/proc/net/tcp").read_text().splitlines()[1:]
        rows = (row.split() for row in table)
        port, listen = f":{self.port:04X}", "0A"
        inodes = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(port) and row[3] == listen}
        try:
            return any(str(fd.readlink()) in inodes for fd in Path(f"/proc/{self.pid}/fd").iterdir())
        except OSError:  # it closed one, or ended, while we looked
            return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it, as it always ends: at once, cutting what is in progress. Raises AssertionError."""
        assert self._process is not None, "Mongrel2 is not running"
        process, self._process = self._process, None
        early = process.poll()
        assert early is None, f"Mongrel2 had ended by itself with {early}:\n{self.log}"
        process.send_signal(how)
        try:
            code = process.wait(seconds())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"Mongrel2 does not heed {how.name}:\n{self.log}") from None
        assert code in ({-how} if how is signal.SIGKILL else ENDED), f"Mongrel2 exited with {code}:\n{self.log}"

    def restart(self) -> None:
        """A new process, the same configuration and port; connection ids begin at 1 again."""
        self.stop()
        self.start()

    @property
    def running(self) -> bool:
        return self._process is not None

    def _write_config(self) -> None:
        (self.folder / "config.sqlite").unlink(missing_ok=True)
        with closing(sqlite3.connect(self.folder / "config.sqlite")) as config:
            config.executescript(TABLES)
            for table, rows in self._rows().items():
                for row in rows:
                    config.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
            config.commit()

    def _rows(self) -> dict[str, list[tuple[object, ...]]]:
        root, inside = (str(self.folder), "/") if self.chrooted else ("", "")
        logs = (f"{inside}logs/access.log", f"{inside}logs/error.log", root, f"{inside}run/mongrel2.pid")
        store = inside or f"{self.folder}/"
        host = "localhost"
        directories = [target for target in self.routes.values() if isinstance(target, Directory)]
        settings = {**SETTINGS, "upload.temp_store": f"{store}uploads/upload.XXXXXX", **self.settings}
        return {
            "server": [(1, self.uuid, *logs, "ipc://run/control", host, "main", self.bind, self.port, 0)],
            "host": [(1, 1, 0, host, host)],
            "handler": [
                (number, each.send_spec, each.send_ident, each.recv_spec, each.recv_ident, 0, each.protocol)
                for number, each in enumerate(self.handlers, 1)
            ],
            "directory": [
                (number, each.base, each.index_file, each.default_ctype, 0)
                for number, each in enumerate(directories, 1)
            ],
            "route": [
                (number, path, 0, 1, *_target(target, self.handlers, directories))
                for number, (path, target) in enumerate(self.routes.items(), 1)
            ],
            "setting": [(number, *pair) for number, pair in enumerate(settings.items(), 1)],
        }


def _target(target: Target, handlers: Sequence[Handler], directories: Sequence[Directory]) -> tuple[int, str]:
    if isinstance(target, Handler):
        return handlers.index(target) + 1, "handler"
    return directories.index(target) + 1, "dir"


class Endpoints:
    """Makes handlers whose sockets lie in a folder of their own: a UNIX socket's path holds 107 bytes, which the
    folders that pytest makes may already exceed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="m2-"))

    def ipc(self, name: str, protocol: str = "json") -> Handler:
        """``name`` becomes both idents: letters, digits and ``-``."""
        return Handler(f"ipc://{self.folder}/{name}-req", name, f"ipc://{self.folder}/{name}-rep", name, protocol)

    def tcp(self, name: str, protocol: str = "json") -> Handler:
        """The same over TCP, on free ports."""
        first = second = free_port()
        while second == first:
            second = free_port()
        return Handler(f"tcp://127.0.0.1:{first}", name, f"tcp://127.0.0.1:{second}", name, protocol)

    def remove(self) -> None:
        shutil.rmtree(self.folder)


def program() -> str:
    """Path of the mongrel2 program. Raises AssertionError saying how to get it: its tests are never skipped."""
    found = shutil.which("mongrel2")
    assert found, "mongrel2 is not installed, and a good part of wsgid is tested with it: apt-get install mongrel2-core"
    return found


def free_port(host: str = "127.0.0.1") -> int:
    """One that is free now, and that the kernel will not deal out to anybody else. Raises AssertionError."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port from {PORTS.start} to {PORTS.stop} on {host}")
