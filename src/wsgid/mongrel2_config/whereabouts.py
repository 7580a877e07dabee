"""Where the files and sockets of a configuration really are: its chroot and its current directory decide.

Started by another user than root, Mongrel2 stays outside of its chroot, and takes that for a mere prefix of some of its
paths ("test mode"). That is not looked at here: ``wsgid mongrel2 run`` refuses it.
"""

from dataclasses import dataclass
from pathlib import Path

from wsgid.mongrel2_config.values import DEFAULT_CONTROL_PORT, Configuration, Server

_IPC = "ipc://"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """As processes see it that are not in Mongrel2's chroot."""

    server: Server
    start: Path
    """The directory that Mongrel2 is started in."""

    @property
    def cwd(self) -> Path:
        """What its relative paths start from, and in a chroot the others as well."""
        return self.start / self.server.chroot

    @property
    def pid_file(self) -> Path:
        return self.path(self.server.pid_file)

    @property
    def error_log(self) -> Path:
        return self.path(self.server.error_log)

    @property
    def access_log(self) -> Path:
        return self.path(self.server.access_log)

    def path(self, text: str) -> Path:
        """Of what Mongrel2 opens once it is started: logs, static files, uploads."""
        return self.cwd / (text.lstrip("/") if self.server.chroot else text)

    def endpoint(self, text: str) -> str:
        """A ZeroMQ address, by which it can be connected to."""
        path = text.removeprefix(_IPC)
        return text if path == text or path.startswith("@") else f"{_IPC}{self.path(path)}"

    def control_port(self, configuration: Configuration) -> str:
        return self.endpoint(
            self.server.control_port or configuration.settings.get("control_port", "") or DEFAULT_CONTROL_PORT
        )
