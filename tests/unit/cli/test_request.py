"""The request commands, against daemons that answer what they are told to."""

import json
import socket
from collections.abc import Callable, Mapping

import msgspec
import pytest

from tests.unit.cli.standing_in import answering, living_master
from wsgid.app import WsgidApp
from wsgid.channel.commands import (
    Kill,
    Killed,
    Listed,
    Listing,
    Noted,
    NotThere,
    Refused,
    Requests,
    RequestState,
    Trace,
    Traced,
    line,
)
from wsgid.cli import request
from wsgid.cli.complaints import CannotDo
from wsgid.cli.request import kill_request, list_requests, trace_request

LISTED = Listed("5f3a-1", "mine", RequestState.RUNNING, "GET", "/report", "127.0.0.1", 3.24, 0.04, 4244, 0x7F0A)

FOUND = line(Listing([LISTED], 0))

Command = Callable[[Mapping[str, object]], int]


def given(app: WsgidApp, **more: object) -> dict[str, object]:
    return {"app_path": str(app.path), "id": "mine", **more}


def refusal(command: Command, app: WsgidApp, **more: object) -> tuple[str, int]:
    """What is said, and the exit code."""
    with pytest.raises(CannotDo) as caught:
        command(given(app, **more))
    return str(caught.value), caught.value.exit_code


def test_list(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as master, answering(master.run_dir, [FOUND], [FOUND]) as said:
        assert list_requests(given(app)) == 0
        assert capsys.readouterr().out.splitlines()[1].startswith("mine  5f3a-1  running ")
        assert list_requests(given(app, json=True)) == 0
    assert said == [line(Requests())] * 2
    assert json.loads(capsys.readouterr().out) == {
        "requests": [{"daemon": master.pid, "request": msgspec.to_builtins(LISTED)}],
        "unnamed": 0,
        "silent": [],
    }


def test_list_where_one_of_several_does_not_answer(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    with living_master(app) as one, living_master(app) as two, answering(two.run_dir, [FOUND]):
        assert list_requests(given(app)) == 1
    out, err = capsys.readouterr()
    assert "GET /report" in out
    assert err == (
        f"wsgid: the daemon {one.pid} does not answer: {one.run_dir}/control.sock: No such file or directory\n"
    )


def test_kill(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    killed = [line(Killed("answered with 503", 4244)), line(Killed("answered with 503", None))]
    with living_master(app) as master, answering(master.run_dir, [FOUND], killed[:1], [FOUND], killed[1:]) as said:
        assert kill_request(given(app)) == kill_request(given(app)) == 0
    assert said[:2] == [line(Requests("mine")), line(Kill("5f3a-1"))]
    what = f"wsgid {master.pid}: GET /report (id mine) is killed: answered with 503"
    assert capsys.readouterr().out.splitlines() == [
        f"{what}; worker 4244 is replaced, the log gets its stacks",
        what,
    ]


def test_trace(app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
    traced = line(Traced(LISTED, '  File "/app/wsgi.py", line 3, in wait\n', from_outside=False))
    with living_master(app) as master, answering(master.run_dir, [FOUND], [traced]) as said:
        assert trace_request(given(app)) == 0
    assert said[1] == line(Trace("5f3a-1"))
    assert capsys.readouterr().out.endswith(':\n  File "/app/wsgi.py", line 3, in wait\n')


@pytest.mark.parametrize("command", [kill_request, trace_request])
class TestWhatCannotBeDone:
    def test_there_is_no_such_request(self, command: Command, app: WsgidApp) -> None:
        with living_master(app) as master, answering(master.run_dir, [line(Listing([], 0))]):
            assert refusal(command, app) == (
                "there is no request 'mine': none has it in progress, or not any more",
                4,
            )

    def test_it_ends_meanwhile(self, command: Command, app: WsgidApp) -> None:
        with living_master(app) as master, answering(master.run_dir, [FOUND], [line(NotThere("it has ended"))]):
            assert refusal(command, app) == ("GET /report (id mine): it has ended", 4)

    def test_several_have_the_id(self, command: Command, app: WsgidApp) -> None:
        two = line(Listing([LISTED, msgspec.structs.replace(LISTED, key="5f3a-2")], 0))
        with living_master(app) as master, answering(master.run_dir, [two]):
            told, code = refusal(command, app)
        assert told.splitlines() == [
            "2 requests are called 'mine': say the key of the one that is meant, or --pid",
            f"  5f3a-1: GET /report (id mine), of the daemon {master.pid}",
            f"  5f3a-2: GET /report (id mine), of the daemon {master.pid}",
        ]
        assert code == 5

    def test_many_have_the_id(self, command: Command, app: WsgidApp) -> None:
        many = [msgspec.structs.replace(LISTED, key=f"5f3a-{number}") for number in range(25)]
        with living_master(app) as master, answering(master.run_dir, [line(Listing(many, 7))]):
            first, *told = refusal(command, app)[0].splitlines()
        assert first.startswith("32 requests are called 'mine': ")
        assert len(told) == 21
        assert told[19] == f"  5f3a-19: GET /report (id mine), of the daemon {master.pid}"
        assert told[20] == "  and 12 more"

    def test_several_daemons_have_it(self, command: Command, app: WsgidApp) -> None:
        with (
            living_master(app) as one,
            living_master(app) as two,
            answering(one.run_dir, [FOUND]),
            answering(two.run_dir, [FOUND]),
        ):
            assert refusal(command, app)[1] == 5

    def test_nothing_runs(self, command: Command, app: WsgidApp) -> None:
        assert refusal(command, app) == (f"nothing runs on {app.path}", 3)

    def test_no_daemon_answers(self, command: Command, app: WsgidApp, capsys: pytest.CaptureFixture[str]) -> None:
        with living_master(app):
            assert refusal(command, app) == (
                "there is no request 'mine': none of the daemons that answer has it in progress, or not any more",
                1,
            )
        assert "does not answer" in capsys.readouterr().err

    def test_it_hangs_up(self, command: Command, app: WsgidApp) -> None:
        with living_master(app) as master, answering(master.run_dir, [FOUND], []):
            assert refusal(command, app) == (
                f"the daemon {master.pid} does not answer: the connection has ended",
                1,
            )

    def test_it_is_of_another_version(self, command: Command, app: WsgidApp) -> None:
        answers = [FOUND], [line(Noted())]
        with living_master(app) as master, answering(master.run_dir, *answers):
            told = f"the daemon {master.pid} does not speak as this version of wsgid does"
            assert refusal(command, app) == (told, 1)
        with living_master(app) as master, answering(master.run_dir, [line(Noted())]):
            told = f"the daemon {master.pid} does not speak as this version of wsgid does"
            assert refusal(command, app) == (told, 1)

    def test_it_does_not_know_the_command(
        self, command: Command, app: WsgidApp, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with living_master(app) as master, answering(master.run_dir, [line(Refused("this is no command"))]):
            assert refusal(command, app)[1] == 1
        assert capsys.readouterr().err == f"wsgid: the daemon {master.pid} does not answer: this is no command\n"

    @pytest.mark.parametrize("id", ["", "a b", "x" * 129, "\x1b"])
    def test_what_is_no_id(self, command: Command, app: WsgidApp, id: str) -> None:
        told, code = refusal(command, app, id=id)
        assert told.endswith(" is not a request id")
        assert "\x1b" not in told
        assert code == 2


def test_one_that_is_mute(app: WsgidApp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(request, "ANSWER_TIME", 0.05)
    with living_master(app) as master, socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(master.run_dir / "control.sock"))
        mute.listen()
        assert list_requests(given(app)) == 1
    out, err = capsys.readouterr()
    assert out == "", "whether there are requests is not known"
    assert err.startswith(f"wsgid: the daemon {master.pid} does not answer: nothing was heard for ")
