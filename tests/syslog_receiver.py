"""A syslogd that reads when the test says so."""

import re
import socket
from pathlib import Path

from tests.deadlines import seconds
from wsgid.logs.syslog import Syslog

LOCAL = re.compile(r"<(?P<pri>\d+)>(?P<date>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d) (?P<tag>\S+)\[(?P<pid>\d+)\]: ")


class Receiver:
    """On a socket with this path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listen()

    def listen(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(seconds())
        self.socket.bind(str(self.path))

    def end(self) -> None:
        self.socket.close()
        self.path.unlink()

    def read(self) -> str:
        return self.socket.recv(1 << 20).decode()

    def read_all(self) -> list[str]:
        """What there is."""
        self.socket.setblocking(False)
        found = []
        try:
            while True:
                found.append(self.read())
        except BlockingIOError:
            self.socket.settimeout(seconds())
            return found


def fill(way: Syslog) -> None:
    while way.send(6, 1, b"filling"):
        pass
