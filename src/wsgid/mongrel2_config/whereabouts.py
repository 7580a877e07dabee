"""Where the files and sockets of a configuration really are: its chroot and its current directory decide."""

from dataclasses import dataclass
from pathlib import Path

from wsgid.mongrel2_config.values import DEFAULT_CONTROL_PORT, Configuration, Server

_IPC = "ipc://"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """As processes see it that are not in Mongrel2's chroot."""

    server: Server
    cwd: Path
    """Mongrel2's, when it is started."""
    jailed: bool
    """Does it go into its chroot? Root does; for others it is but a prefix of two paths ("test mode")."""

    @classmethod
    def of(cls, server: Server, file: Path, *, root: bool) -> "Whereabouts":
        """With the folder of the configuration's ``file`` as the current directory."""
        return cls(server, file.parent, bool(server.chroot) and root)

    @property
    def root(self) -> Path:
        """What ``/`` is to it."""
        return self.cwd / self.server.chroot if self.jailed else Path("/")

    @property
    def pid_file(self) -> Path:
        if self.server.chroot and not self.jailed:
            return self.cwd / f".{self.server.pid_file}"
        return self.path(self.server.pid_file)

    @property
    def error_log(self) -> Path | None:
        """None: it goes to the standard error."""
        return None if self.server.chroot and not self.jailed else self.path(self.server.error_log)

    @property
    def access_log(self) -> Path:
        if self.server.chroot and not self.jailed:
            return self.cwd / f"{self.server.chroot}{self.server.access_log}"
        return self.path(self.server.access_log)

    def path(self, text: str) -> Path:
        """Of what Mongrel2 opens once it is started: logs, static files, uploads."""
        return self.root / text.lstrip("/") if self.jailed else self.cwd / text

    def endpoint(self, text: str) -> str:
        """A ZeroMQ address, by which it can be connected to."""
        path = text.removeprefix(_IPC)
        return text if path == text or path.startswith("@") else f"{_IPC}{self.path(path)}"

    def control_port(self, configuration: Configuration) -> str:
        return self.endpoint(
            self.server.control_port or configuration.settings.get("control_port", "") or DEFAULT_CONTROL_PORT
        )
