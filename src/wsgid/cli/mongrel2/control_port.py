"""Asks a running Mongrel2 by its control port: a ZeroMQ REP socket that takes a tnetstring ``[command, arguments]``."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import zmq

from wsgid.protocol.tnetstrings import TnetstringError, Value, decode, encode

ANSWER_TIME = 3.0
"""Seconds. It answers at once, unless it does nothing any more."""

_IPC = "ipc://"

Row = dict[str, str | int]


class Unanswered(Exception):
    """Why it cannot be asked, and what to do."""


class NotRunning(Unanswered):
    """Nobody is there."""


@dataclass(frozen=True, slots=True)
class ControlPort:
    endpoint: str
    """As we have to connect to it."""

    def ask(self, command: str, arguments: Mapping[str, str] | None = None) -> list[Row]:
        """The rows of its answer. Raises Unanswered."""
        self._check_socket()
        asked: dict[bytes, Value] = {name.encode(): value.encode() for name, value in (arguments or {}).items()}
        reply = self._exchange(encode([command.encode(), asked]))
        try:
            return _rows(decode(reply))
        except (TnetstringError, TypeError, ValueError):
            raise Unanswered(f"{self.endpoint} is no control port of Mongrel2: it answers {reply[:80]!r}") from None

    def _check_socket(self) -> None:
        """ZeroMQ would try for ever, and never say why."""
        path = Path(self.endpoint.removeprefix(_IPC))
        if not self.endpoint.startswith(_IPC) or str(path).startswith("@"):
            return
        try:
            owner = os.stat(path).st_uid
        except FileNotFoundError:
            raise NotRunning(f"it does not run: there is no {path}") from None
        except OSError as error:
            raise Unanswered(
                f"{path} cannot be reached ({error.strerror}): run this as its owner, or as root"
            ) from None
        if not os.access(path, os.W_OK):
            raise Unanswered(f"{path} is open to user {owner} only: run this as that user, or as root")

    def _exchange(self, message: bytes) -> bytes:
        with zmq.Context() as context, context.socket(zmq.REQ) as asking:
            asking.setsockopt(zmq.LINGER, 0)
            asking.setsockopt(zmq.SNDTIMEO, int(ANSWER_TIME * 1000))
            asking.setsockopt(zmq.RCVTIMEO, int(ANSWER_TIME * 1000))
            asking.setsockopt(zmq.IMMEDIATE, 1)  # nobody connected: then sending is what takes its time
            try:
                asking.connect(self.endpoint)
                asking.send(message)
            except zmq.ZMQError:
                raise NotRunning(f"it does not run: nobody is at {self.endpoint}") from None
            try:
                return asking.recv()
            except zmq.Again:
                raise Unanswered(
                    f"it does not answer at {self.endpoint} within {ANSWER_TIME:g} s: it hangs, and has to be killed"
                ) from None


def _rows(reply: Value) -> list[Row]:
    """Raises TypeError, ValueError."""
    if not isinstance(reply, dict):
        raise TypeError(reply)
    headers, rows = reply.get(b"headers"), reply.get(b"rows")
    if not isinstance(headers, list) or not isinstance(rows, list):
        raise TypeError(reply)
    names = [str(_plain(each)) for each in headers]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in rows if isinstance(row, list)]


def _plain(value: Value) -> str | int:
    """Raises TypeError."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, int):
        return value
    raise TypeError(value)
