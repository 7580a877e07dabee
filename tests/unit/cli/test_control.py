"""The commands' end of the control socket, against one that says what it is told to."""

import socket
import time
from pathlib import Path

import pytest

from tests.unit.channel.counted import NOTHING
from tests.unit.cli.standing_in import answering
from wsgid.channel.commands import MAX_REPLY, News, Noted, Refused, Report, Restart, Status, line
from wsgid.cli import control
from wsgid.cli.control import Call, NoAnswer, ask_status

REPORT = Report(4242, ["http://127.0.0.1:8000"], False, 3, 2, 1, [], 0, 0.0, NOTHING)

LONG = 20.0
"""Seconds."""


def test_status(tmp_path: Path) -> None:
    with answering(tmp_path, [line(REPORT)]) as said:
        assert ask_status(tmp_path) == REPORT
    assert said == [line(Status())]


def test_the_path_may_be_longer_than_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    with answering(Path(), [line(REPORT)]):
        assert ask_status(folder) == REPORT


def test_news_come_one_by_one(tmp_path: Path) -> None:
    news = [News("one", False, False), News("two\n\nlines", False, False), News("done", True, True)]
    pieces = [line(Noted())[:5], line(Noted())[5:] + line(news[0]) + line(news[1])[:7], line(news[1])[7:]]
    with answering(tmp_path, [*pieces, line(news[2])]), Call(tmp_path, Restart(), LONG) as call:
        assert [call.hear(LONG) for _ in range(4)] == [Noted(), *news]
        with pytest.raises(NoAnswer, match=r"^the connection has ended$"):
            call.hear(None)


def test_a_refusal(tmp_path: Path) -> None:
    with answering(tmp_path, [line(Noted()), line(Refused("too many"))]), Call(tmp_path, Restart(), LONG) as call:
        assert call.hear(LONG) == Noted()
        with pytest.raises(NoAnswer, match=r"^too many$"):
            call.hear(LONG)


@pytest.mark.parametrize("answer", [b"what?\n", b'{"type":"status"}\n', b"x" * (MAX_REPLY + 1), b""])
def test_an_answer_that_is_none(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path, [answer]):
        assert ask_status(tmp_path) is None
    with answering(tmp_path, [answer]), Call(tmp_path, Status(), LONG) as call, pytest.raises(NoAnswer):
        call.hear(LONG)


def test_nobody_there(tmp_path: Path) -> None:
    assert ask_status(tmp_path) is None
    assert ask_status(tmp_path / "no") is None
    with socket.socket(socket.AF_UNIX) as bound:  # the file is left, but nobody listens
        bound.bind(str(tmp_path / "control.sock"))
    with pytest.raises(NoAnswer, match=f"^{tmp_path}/control.sock: Connection refused$"):
        Call(tmp_path, Status(), LONG)


def test_one_who_listens_and_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "STATUS_TIME", 0.05)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "control.sock"))
        mute.listen()
        began = time.monotonic()
        assert ask_status(tmp_path) is None
        assert time.monotonic() - began >= 0.05
        with Call(tmp_path, Restart(), LONG) as call, pytest.raises(NoAnswer, match=r"^nothing was heard for 0.05 s$"):
            call.hear(0.05)


def test_one_whose_waiting_room_is_full(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(tmp_path / "control.sock"))
        busy.listen(0)
        with Call(tmp_path, Status(), LONG), pytest.raises(NoAnswer, match="Resource temporarily unavailable"):
            Call(tmp_path, Status(), LONG)
