"""What systemd would hear and do: the socket of sd_notify(3), and a daemon that gets its sockets from us."""

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.activated import activated
from tests.deadlines import wait_for
from tests.functional.daemon import Daemon, command

MAX_DATAGRAM = 65536


class ServiceManager:
    """Hears what a service says of itself."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.env = {"NOTIFY_SOCKET": str(path)}
        """For the environment of the service."""
        self._heard: list[dict[str, str]] = []

    def close(self) -> None:
        self._socket.close()

    @property
    def heard(self) -> list[dict[str, str]]:
        """All datagrams so far, each as its assignments."""
        while True:
            try:
                text = self._socket.recv(MAX_DATAGRAM).decode()
            except BlockingIOError:
                return self._heard
            self._heard.append(dict(line.split("=", 1) for line in text.split("\n")))

    def moments(self, *names: str) -> list[str]:
        """In their order, those of these names that were said."""
        return [name for datagram in self.heard for name in datagram if name in names]

    def wait_for(self, name: str, times: int = 1) -> dict[str, str]:
        """Returns the datagram in which ``name`` was said for the so-many-th time. Raises AssertionError."""

        def said() -> dict[str, str] | None:
            found = [each for each in self.heard if name in each]
            return found[times - 1] if len(found) >= times else None

        return wait_for(said, f"{name} for time {times}")

    def count(self, name: str) -> int:
        return len(self.moments(name))


class Activated(Daemon):
    """A daemon, in the foreground, whose sockets are opened by the test."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        sockets: list[socket.socket],
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._passed = activated(*sockets, names=["web"] * len(sockets))
        super().__init__(folder, *options, env={**(env or {}), **self._passed.env})

    def _launch(self) -> None:
        with self._passed, open(self._output, "ab") as output:
            self._process = subprocess.Popen(
                self._passed.command(*command(self.folder, "--no-daemon", "--stdout", *self.options)),
                env=self._env,
                cwd=self.folder.parent,
                pass_fds=self._passed.descriptors,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._ended = False
