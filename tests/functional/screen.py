"""A command in a pseudo-terminal of its own, and what a person would see there: pyte plays the terminal."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import pyte

from tests.deadlines import seconds, wait_for
from tests.functional.daemon import environment

READ_SIZE = 65536

CTRL_C = b"\x03"
CTRL_Z = b"\x1a"

ANOTHER_SCREEN, FIRST_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
"""What makes xterm and its kin change between the two screens that they have; pyte has only one."""


class Terminal:
    """Its command leads the session, so that Ctrl-C and changes of size reach it as they would from a keyboard."""

    def __init__(self, command: Sequence[str], columns: int, lines: int, **env: str) -> None:
        self._ours, self._theirs = pty.openpty()
        os.set_blocking(self._ours, False)
        self._set_size(columns, lines)
        self.output = b""
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._modes = self.modes
        # setsid(1) and not start_new_session, which gives a session no controlling terminal.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            env=environment(TERM="xterm-256color", **env),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def modes(self) -> list[Any]:
        """As termios(3) has them."""
        return termios.tcgetattr(self._theirs)

    def look(self) -> list[str]:
        """The lines that are to be seen now, without the spaces at their ends."""
        try:
            while data := os.read(self._ours, READ_SIZE):
                self.output += data
                self._stream.feed(data)
        except BlockingIOError:
            pass
        return [line.rstrip() for line in self.screen.display]

    def wait_for(self, condition: Callable[[list[str]], object], what: str) -> list[str]:
        """The lines that fulfil it. Raises AssertionError, with what is to be seen instead."""
        try:
            return wait_for(lambda: lines if condition(lines := self.look()) else None, what)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self.look()])) from None

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def resize(self, columns: int, lines: int) -> None:
        self.look()
        self.screen.resize(lines, columns)
        self._set_size(columns, lines)

    def end(self) -> int:
        """The exit code, once the command has ended. Raises AssertionError when the terminal is not as it was."""
        # What it still writes has to be read, or it would wait for that.
        wait_for(lambda: self.look() and self.process.poll() is not None, "the command to end")
        self.look()
        self.assert_as_it_was()
        return self.process.wait(seconds())

    def assert_as_it_was(self) -> None:
        assert self.modes == self._modes, "keys are echoed, and lines are edited"
        assert self.output.rfind(FIRST_SCREEN) > self.output.rfind(ANOTHER_SCREEN)
        assert not self.screen.cursor.hidden

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def _set_size(self, columns: int, lines: int) -> None:
        """The kernel tells the foreground process group: tty_ioctl(4)."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))
