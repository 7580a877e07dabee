import socket
from collections.abc import Iterator

import pytest
import uvloop

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal, RecordingOwner
from tests.unit.dispatcher.requests import a_head, a_request
from wsgid.channel.frames import FrameReader
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.fates import BY_HAND, TIME_LIMIT, Fate, Ground, fate, taken_away
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.worker import Worker


@pytest.fixture
def slot() -> Iterator[Slot]:
    loop = uvloop.new_event_loop()
    ours, theirs = socket.socketpair()
    slot = Slot(ours, Worker(4242), 0, FrameReader(), RecordingOwner(), loop)
    yield slot
    slot.close("the end")
    theirs.close()
    loop.close()


def served(slot: Slot, method: str = "GET", attempt: int = 1) -> Exchange:
    exchange = Exchange(a_request(method=method, attempt=attempt), RecordingClient(), True, RecordingJournal(), 1.0)
    exchange.given(slot, 2.0)
    return exchange


def after_a_death(exchange: Exchange, read: bool = True, ground: Ground | None = None, redeliver: bool = True) -> Fate:
    return fate(exchange, read=read, ground=ground, redeliver=redeliver)


class TestADeath:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_gives_a_safe_request_a_second_chance(self, method: str, slot: Slot) -> None:
        assert after_a_death(served(slot, method)) is Fate.AGAIN

    def test_gives_no_third(self, slot: Slot) -> None:
        assert after_a_death(served(slot, attempt=2)) is Fate.REFUSED

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "get", "OPTIONS"])
    def test_ends_any_other(self, method: str, slot: Slot) -> None:
        assert after_a_death(served(slot, method)) is Fate.REFUSED

    def test_ends_all_when_asked_to(self, slot: Slot) -> None:
        assert after_a_death(served(slot), redeliver=False) is Fate.REFUSED

    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("attempt", [1, 2])
    @pytest.mark.parametrize("redeliver", [True, False])
    def test_is_nothing_to_what_was_not_read(self, method: str, attempt: int, redeliver: bool, slot: Slot) -> None:
        assert after_a_death(served(slot, method, attempt), read=False, redeliver=redeliver) is Fate.UNREAD

    def test_cuts_an_answer_that_has_begun(self, slot: Slot) -> None:
        exchange = served(slot)
        exchange.begin(a_head())
        assert after_a_death(exchange) is Fate.CUT

    def test_of_a_request_whose_client_may_have_left(self, slot: Slot) -> None:
        exchange = served(slot)
        exchange.client_may_have_left()
        assert after_a_death(exchange) is Fate.DOUBTFUL

    @pytest.mark.parametrize(
        ("ground", "expected"), [(None, Fate.ENDED), (TIME_LIMIT, Fate.OVERDUE), (BY_HAND, Fate.KILLED)]
    )
    def test_changes_nothing_for_one_that_has_ended(self, ground: Ground | None, expected: Fate, slot: Slot) -> None:
        exchange = served(slot)
        exchange.fail(504, "too long")
        assert after_a_death(exchange, ground=ground) is expected


class TestWhatIsTakenFromItsWorker:
    @pytest.mark.parametrize(("ground", "code"), [(TIME_LIMIT, 504), (BY_HAND, 503)])
    def test_is_refused(self, ground: Ground, code: int, slot: Slot) -> None:
        assert taken_away(served(slot), ground) == f"answered with {code}"

    def test_is_cut_when_its_answer_has_begun(self, slot: Slot) -> None:
        exchange = served(slot)
        exchange.begin(a_head())
        assert taken_away(exchange, BY_HAND) == "answer cut"

    def test_is_as_it_was_when_it_has_ended(self, slot: Slot) -> None:
        exchange = served(slot)
        exchange.answer(a_head(), b"")
        assert taken_away(exchange, BY_HAND) == "already answered or left by its client"
