"""The real rsyslogd on a socket, a port and files of the test's own."""

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from tests.deadlines import seconds, wait_for

CONF = """
global(workDirectory="{folder}")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
input(type="imuxsock" Socket="{path}")
input(type="imudp" address="127.0.0.1" port="{port}")
template(name="all" type="string" string="%jsonmesg%\\n")
action(type="omfile" file="{folder}/told" template="all")
"""

PROGRAM = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
"""Debian has it where not everybody's PATH leads."""


class Syslogd:
    def __init__(self, folder: Path, path: Path | None = None) -> None:
        """Not started. The folder is made; the socket is in it, or at ``path``."""
        folder.mkdir()
        self.path = path or folder / "log"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.unix, self.udp = f"unix:{self.path}", f"127.0.0.1:{port}"
        """Its addresses, as --syslog takes them."""
        self._folder = folder
        (folder / "conf").write_text(CONF.format(folder=folder, path=self.path, port=port))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM, "there is no rsyslogd: scripts/test installs it"
        command = [PROGRAM, "-n", "-f", str(self._folder / "conf"), "-i", str(self._folder / "pid")]
        self._process = subprocess.Popen(command)
        wait_for(self.path.exists, "rsyslogd to listen")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(seconds())
            self._process = None
        self.path.unlink(missing_ok=True)

    def told(self) -> list[dict[str, Any]]:
        """What it was told, as it has understood it."""
        file = self._folder / "told"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def wait_for(self, text: str) -> dict[str, Any]:
        """The first message with this in it."""
        return wait_for(
            lambda: next((each for each in self.told() if text in each["msg"]), None), f"{text!r} in syslog"
        )
