"""The commands' end of the control socket."""

import os
import socket
import time
from pathlib import Path
from typing import Self

from wsgid.channel.commands import MAX_REPLY, Command, LineReader, Refused, Reply, Report, Status, line, read_reply
from wsgid.instances import DIRECTORY
from wsgid.posts import CONTROL_SOCKET

READ_SIZE = 64 * 1024

STATUS_TIME = 1.0
"""Seconds for an answer to Status. A dispatcher that lives gives one within milliseconds, and its master gives it no
more than five seconds of silence."""


class NoAnswer(Exception):
    """Nobody speaks at the control socket, or not for long, or nothing that we understand."""


class Call:
    """One connection, on which one command is said."""

    def __init__(self, run_dir: Path, command: Command, limit: float) -> None:
        """`run_dir` is ``run/<master pid>/``; `limit` are the seconds to get through. Raises NoAnswer."""
        self._lines = LineReader(MAX_REPLY)
        self._heard: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(limit)
        try:
            _connect(self._socket, run_dir)
            self._socket.sendall(line(command))
        except BrokenPipeError:
            return  # turned away: it says why
        except PermissionError:
            self._socket.close()
            raise NoAnswer("it belongs to another user: run this command as that user or as root") from None
        except OSError as error:
            self._socket.close()
            raise NoAnswer(f"{run_dir / CONTROL_SOCKET}: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._socket.close()

    def hear(self, limit: float | None) -> Reply:
        """The next reply; None waits for as long as the connection lasts. Raises NoAnswer, also when it is Refused."""
        end = None if limit is None else time.monotonic() + limit
        try:
            while not self._heard:
                self._socket.settimeout(None if end is None else max(0.001, end - time.monotonic()))
                data = self._socket.recv(READ_SIZE)
                if not data:
                    raise NoAnswer("the connection has ended")
                self._heard += self._lines.feed(data)
            reply = read_reply(self._heard.pop(0))
        except TimeoutError:
            raise NoAnswer(f"nothing was heard for {limit:g} s") from None
        except (OSError, ValueError) as error:
            raise NoAnswer(str(error)) from None
        if isinstance(reply, Refused):
            raise NoAnswer(reply.why)
        return reply


def ask(run_dir: Path, command: Command, limit: float) -> Reply:
    """The answer to a command that has one, within so many seconds. Raises NoAnswer."""
    end = time.monotonic() + limit
    with Call(run_dir, command, limit) as call:
        return call.hear(end - time.monotonic())


def ask_status(run_dir: Path) -> Report | None:
    """None when it does not answer within STATUS_TIME."""
    try:
        reply = ask(run_dir, Status(), STATUS_TIME)
    except NoAnswer:
        return None
    return reply if isinstance(reply, Report) else None


def _connect(sock: socket.socket, run_dir: Path) -> None:
    """By way of a descriptor: a path of its own may be longer than the 107 bytes that a UNIX address holds."""
    directory = os.open(run_dir, DIRECTORY)
    try:
        sock.connect(f"/proc/self/fd/{directory}/{CONTROL_SOCKET}")
    finally:
        os.close(directory)
