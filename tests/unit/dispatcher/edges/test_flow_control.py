import asyncio

import pytest

from tests.unit.dispatcher.loops import run, until
from wsgid.dispatcher.edges import flow_control
from wsgid.dispatcher.edges.flow_control import SIZE, FlowControl
from wsgid.protocol.mongrel2_credits import DownloadCredits

ONE, TWO = ("srv-1", "1"), ("srv-1", "2")


def at_hand() -> FlowControl:
    return FlowControl(asyncio.get_running_loop(), lambda: None)


def test_a_balance_is_told_once_and_kept() -> None:
    async def main() -> None:
        flow = at_hand()
        flow.begun(ONE, SIZE)
        assert flow.on
        flow.begun(ONE, SIZE)  # an upload says so twice
        credits = flow.take(ONE)
        assert credits is not None
        assert (credits.left, credits.counted) == (SIZE, True)
        credits.spend(100)
        credits.spend(60)
        flow.rest(ONE, credits)
        flow.returned(ONE, 100)
        assert flow.take(ONE) is credits
        assert credits.left == SIZE - 60

    run(main())


def test_a_balance_that_is_told_is_the_balance() -> None:
    """Whatever was remembered under the number of this connection."""

    async def main() -> None:
        flow, stale = at_hand(), DownloadCredits(SIZE, counted=False)
        stale.spend(SIZE)
        flow.rest(ONE, stale)
        flow.begun(ONE, SIZE)
        credits = flow.take(ONE)
        assert credits is not None
        assert (credits.left, credits.counted) == (SIZE, True)

    run(main())


def test_a_balance_that_nobody_told_is_a_guess() -> None:
    async def main() -> None:
        flow = at_hand()
        flow.begun(ONE, SIZE)
        flow.returned(TWO, 100)  # of nobody that is known
        credits = flow.take(TWO)
        assert credits is not None
        assert (credits.left, credits.counted) == (SIZE, False)

    run(main())


@pytest.mark.parametrize("closed", [True, False])
def test_it_knows_what_mongrel2_has_yet_to_write(closed: bool) -> None:
    async def main() -> None:
        flow = at_hand()
        flow.begun(ONE, SIZE)
        credits = flow.take(ONE)
        assert credits is not None
        written = [flow.written]
        credits.spend(40)
        credits.spend(60)
        (flow.closed if closed else flow.rest)(ONE, credits)
        written.append(flow.written)
        for count in (40, 60, 1):
            flow.returned(ONE, count)
            written.append(flow.written)
        assert written == [True, False, False, True, True]

    run(main())


@pytest.mark.parametrize("end", ["it has left", "it is served again", "it takes nothing", "the oldest is forgotten"])
def test_who_is_not_waited_for(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        flow = at_hand()
        flow.begun(ONE, SIZE)
        credits = flow.take(ONE)
        assert credits is not None
        credits.spend(100)
        if end == "the oldest is forgotten":
            monkeypatch.setattr(flow_control, "REMEMBERED", 0)
        flow.rest(ONE, credits)
        if end == "it has left":
            flow.left(ONE)
        elif end == "it is served again":
            flow.take(ONE)
        elif end == "it takes nothing":
            monkeypatch.setattr(flow_control, "WRITE_TIMEOUT", -1.0)
        assert flow.written

    run(main())


def test_a_client_that_has_left_is_forgotten() -> None:
    async def main() -> None:
        flow = at_hand()
        flow.begun(ONE, SIZE)
        flow.left(ONE)
        credits = flow.take(ONE)
        assert credits is not None
        assert not credits.counted

    run(main())


def test_without_credits_there_is_none_after_a_while() -> None:
    async def main() -> None:
        said: list[str] = []
        flow = FlowControl(asyncio.get_running_loop(), lambda: said.append("none"))
        assert flow.take(ONE) is not None, "not known yet"
        flow.answered()
        flow.answered()
        await until(lambda: flow.on is False, "the decision")
        assert said == ["none"]
        assert flow.take(ONE) is None
        flow.rest(ONE, DownloadCredits(SIZE, counted=False))
        flow.credited()  # late, but there they are
        assert flow.on is True

    run(main())


def test_with_credits_there_is_some() -> None:
    async def main() -> None:
        flow = at_hand()
        flow.answered()
        flow.credited()
        assert flow._deciding is None
        assert flow.on is True
        flow.forget_timer()

    run(main())


def test_the_longest_idle_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        flow = at_hand()
        for number in range(4):
            flow.begun(("srv-1", str(number)), SIZE)
        assert [key[1] for key in flow._idle] == ["2", "3"]

    monkeypatch.setattr(flow_control, "REMEMBERED", 2)
    run(main())
