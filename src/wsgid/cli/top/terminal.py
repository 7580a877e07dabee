"""The terminal while ``wsgid top`` has it: another screen, no cursor, each key at once; and as it was afterwards.

Whatever ends the command, but SIGKILL, gives the terminal back: an exception, SIGTERM, SIGHUP. Ctrl-Z does for as long
as the command is stopped.
"""

import os
import select
import signal
import sys
import termios
import tty
from types import FrameType, TracebackType
from typing import Any, Final, Self

from rich.console import Console, RenderableType

ENDING: Final = (signal.SIGTERM, signal.SIGHUP)

MAX_KEYS: Final = 1024
"""Bytes read at once; what somebody pastes is read in several pieces."""


class Ended(Exception):
    """By a signal."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(number)


class Terminal:
    """A context manager. Keys come from standard input if that is a terminal as well."""

    def __init__(self) -> None:
        # That it is one has been looked at; rich would ask the environment.
        self._console = Console(highlight=False, markup=False, emoji=False, force_terminal=True)
        self._keys = sys.stdin.fileno() if sys.stdin.isatty() else -1
        self._before: list[Any] = []
        """How the terminal was set, for termios(3)."""
        self._handlers: dict[int, Any] = {}
        self._woken, self._waker = -1, -1

    def __enter__(self) -> Self:
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        handlers: dict[int, Any] = {signal.SIGWINCH: _note, signal.SIGTSTP: self._stop, **dict.fromkeys(ENDING, _end)}
        self._handlers = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)  # for the few lines to come
        self._give_back()
        signal.set_wakeup_fd(-1)
        for each, handler in self._handlers.items():
            signal.signal(each, handler)
        os.close(self._woken)
        os.close(self._waker)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        size = os.get_terminal_size(sys.stdout.fileno())
        return (size.columns or 80, size.lines or 24)  # 0 where nobody has set it, as on a serial line

    def show(self, picture: RenderableType) -> None:
        """In place of what is there."""
        width, height = self.size
        self._console.size = (width, height)
        options = self._console.options.update(width=width, height=height)
        self._console.update_screen_lines(self._console.render_lines(picture, options))

    def wait(self, seconds: float) -> bytes:
        """The keys that are pressed; ``b""`` when the time is over, or earlier when the window has another size."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if self._keys >= 0:
            poll.register(self._keys, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)}
        if self._woken in ready:
            os.read(self._woken, MAX_KEYS)
        if self._keys not in ready:
            return b""
        keys = os.read(self._keys, MAX_KEYS)
        if not keys:
            self._keys = -1  # it is at its end, and would be so at once again
        return keys

    def _take(self) -> None:
        if self._keys >= 0:
            self._before = termios.tcgetattr(self._keys)
            tty.setcbreak(self._keys)  # Ctrl-C and Ctrl-Z stay signals
        self._console.set_alt_screen(True)
        self._console.show_cursor(False)

    def _give_back(self) -> None:
        try:
            self._console.show_cursor(True)
            self._console.set_alt_screen(False)
            if self._keys >= 0:
                termios.tcsetattr(self._keys, termios.TCSADRAIN, self._before)
        except (OSError, termios.error):
            return  # the terminal itself is gone

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z. Returns when the shell lets us go on; then the screen is drawn anew at once, as SIGCONT wakes us."""
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._stop)
        self._take()


def _note(number: int, frame: FrameType | None) -> None:
    """The wakeup descriptor has told it."""


def _end(number: int, frame: FrameType | None) -> None:
    raise Ended(number)
