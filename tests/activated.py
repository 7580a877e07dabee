"""Starts a program with sockets passed to it, as systemd starts a service that has a .socket unit."""

import fcntl
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

OUT_OF_THE_WAY = 100
"""No descriptor from here on is one that the program shall have."""

STARTER = """
import os, sys
passed, program = [int(each) for each in sys.argv[1].split(",") if each], sys.argv[2:]
for number, descriptor in enumerate(passed):
    os.dup2(descriptor, 3 + number)
    os.close(descriptor)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(program[0], program)
"""


@dataclass(frozen=True, slots=True)
class Activated:
    """The sockets, ready to be passed on: ``Popen(passed.command(...), pass_fds=passed.descriptors)``."""

    descriptors: tuple[int, ...]
    env: dict[str, str]
    """For the environment of the program."""

    def command(self, *program: str) -> list[str]:
        """The program begins with a path: nothing is looked up."""
        return [sys.executable, "-c", STARTER, ",".join(map(str, self.descriptors)), *program]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self.descriptors:
            socket.close(each)


def activated(*sockets: socket.socket | int, names: Sequence[str] = ()) -> Activated:
    """``sockets`` stay the caller's."""
    descriptors = tuple(fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) for each in sockets)
    return Activated(descriptors, {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": ":".join(names)})
