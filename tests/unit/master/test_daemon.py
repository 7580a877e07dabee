"""What is said on the terminal. Detaching itself takes real processes: tests/processes/test_master.py."""

import os
import subprocess
import sys

import pytest

from wsgid.master import daemon
from wsgid.master.daemon import LauncherPipe, Terminal


def test_in_the_foreground_readiness_is_output_and_failure_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().ready("wsgid 1 serves")
    Terminal().failed("it does not")
    assert capsys.readouterr() == ("wsgid 1 serves\n", "it does not\n")


def test_a_child_leaves_the_terminal_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().close_in_child()
    Terminal().ready("still there")
    assert capsys.readouterr().out == "still there\n"


def said(reader: int) -> str:
    """All, to the end: so the writer has been closed."""
    with open(reader, encoding="utf-8") as pipe:
        return pipe.read()


def test_in_the_background_the_pipe_says_who_what_and_why() -> None:
    reader, writer = os.pipe()
    LauncherPipe(writer).ready("one\ntwo, drei: ä")
    assert said(reader) == f"{os.getpid()}\nready\none\ntwo, drei: ä\n"


def test_a_failure_after_readiness_is_for_the_log_only() -> None:
    reader, writer = os.pipe()
    pipe = LauncherPipe(writer)
    pipe.ready("up")
    pipe.failed("down")
    assert said(reader) == f"{os.getpid()}\nready\nup\n"


def test_a_child_lets_go_of_the_pipe() -> None:
    reader, writer = os.pipe()
    LauncherPipe(writer).close_in_child()
    assert said(reader) == f"{os.getpid()}\n"


def test_a_launcher_that_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = os.pipe()
    pipe = LauncherPipe(writer)
    os.close(reader)
    pipe.failed("out of luck")
    assert "did not wait for its word: failed out of luck" in caplog.text


def test_an_interrupt_for_a_daemon_that_has_just_ended() -> None:
    """Between the end of the process and the end of its pipe; only here can it be had on purpose."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    daemon._interrupt(ended.pid, 2)
