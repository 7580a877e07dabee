"""A program that does nothing but show its size and its keys, in a terminal."""

import signal
import sys
from collections.abc import Callable

import pytest

from tests.deadlines import wait_for
from tests.functional.screen import CTRL_Z, Terminal

PROGRAM = """
import sys
from rich.text import Text
from wsgid.cli.top.terminal import Ended, Terminal

keys = b""
try:
    with Terminal() as terminal:
        while b"q" not in keys:
            terminal.show(Text(f"size {terminal.size} keys {keys!r}"))
            keys += terminal.wait(60.0)
        if b"f" in keys:
            raise LookupError("a fault of ours")
except Ended as error:
    sys.exit(error.exit_code)
"""

ALONE = (sys.executable, "-c", PROGRAM)

IN_A_SHELL = ("bash", "-mc", '"$@"; read -p "stopped "; fg', "-", *ALONE)

Shows = Callable[[list[str]], bool]


def shows(text: str) -> Shows:
    return lambda lines: lines[0].startswith(text)


def test_keys_sizes_and_the_end() -> None:
    with Terminal(ALONE, 80, 24) as terminal:
        terminal.wait_for(shows("size (80, 24) keys b''"), "its first words")
        assert terminal.screen.cursor.hidden
        terminal.press(b"xy")
        terminal.wait_for(shows("size (80, 24) keys b'xy'"), "the keys, which are not echoed")
        terminal.resize(50, 10)
        terminal.wait_for(shows("size (50, 10) "), "the new size")
        terminal.press(b"q")
        assert terminal.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it(number: signal.Signals) -> None:
    with Terminal(ALONE, 80, 24) as terminal:
        terminal.wait_for(shows("size "), "its first words")
        terminal.signal(number)
        assert terminal.end() == 128 + number


def test_a_fault_is_seen_on_the_first_screen() -> None:
    with Terminal(ALONE, 80, 24) as terminal:
        terminal.wait_for(shows("size "), "its first words")
        terminal.press(b"fq")
        assert terminal.end() == 1
        assert terminal.output.rstrip().endswith(b"LookupError: a fault of ours")


def test_while_it_is_stopped_the_terminal_is_the_shells() -> None:
    with Terminal(IN_A_SHELL, 80, 24) as terminal:
        terminal.wait_for(shows("size "), "its first words")
        terminal.press(CTRL_Z)
        wait_for(lambda: terminal.look() and b"stopped " in terminal.output, "the shell")
        terminal.assert_as_it_was()
        terminal.screen.reset()
        terminal.press(b"\n")
        terminal.wait_for(shows("size "), "it to go on")
        assert terminal.screen.cursor.hidden
        terminal.press(b"q")
        assert terminal.end() == 0


def test_keys_may_come_from_nowhere() -> None:
    """Standard input may be at its end: it is shown all the same, and a signal ends it."""
    with Terminal(("sh", "-c", 'exec "$@" < /dev/null', "-", *ALONE), 80, 24) as terminal:
        terminal.wait_for(shows("size "), "its first words")
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
