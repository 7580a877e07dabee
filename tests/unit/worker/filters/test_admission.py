"""A question to the upload filters of a worker."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.deadlines import wait_for
from tests.unit.worker.dispatcher_side import a_request
from tests.unit.worker.filters.filtering import upload_filters
from wsgid.channel import frames
from wsgid.channel.frames import FrameReader, Kind
from wsgid.core.message import Message
from wsgid.worker.filters.admission import UploadFilters
from wsgid.worker.in_hand import InHand

BEGUN = a_request(id="up-1", method="POST", path="/up", headers=[("x-user", "ann")], content_length=10**6)


def answered(filters: UploadFilters) -> int:
    """The code of the refusal; 0 when it is admitted."""
    [(kind, payload)] = FrameReader().feed(filters.answer(BEGUN, InHand()))
    if kind is Kind.ADMITTED:
        return 0
    answer = frames.read_answer(payload)
    assert answer.done
    return answer.head.code


def test_they_are_told_what_is_known_of_it() -> None:
    told: list[Message] = []
    assert answered(upload_filters(lambda message: told.append(message))) == 0
    [message] = told
    assert (message.request_id, message.path, message.headers["x-user"]) == ("up-1", "/up", "ann")
    assert (message.body, message.is_upload_start(), message.is_upload_done()) == (b"", True, False)


def test_the_first_that_refuses_decides() -> None:
    asked: list[str] = []

    def guard(name: str, verdict: object) -> object:
        asked.append(name)
        return verdict

    filters = upload_filters(
        lambda message: guard("a", True), lambda message: guard("b", 401), lambda message: guard("c", False)
    )
    assert answered(filters) == 401
    assert asked == ["a", "b"]


def test_none_refuse_nothing() -> None:
    assert not upload_filters()
    assert answered(upload_filters()) == 0


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(1), KeyboardInterrupt()])
def test_one_that_fails_has_said_nothing(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    def fails(message: Message) -> object:
        raise error

    filters = upload_filters(fails, lambda message: 402)
    assert filters
    assert [answered(filters), answered(filters)] == [402, 402]
    assert caplog.text.count("request up-1: the filter") == 1
    assert "failed in accept(), and has changed nothing" in caplog.text


def test_one_that_returns_nonsense_has_said_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert answered(upload_filters(lambda message: "no")) == 0
    assert "returned the str 'no' as a status: return a code" in caplog.text
    assert "'403 Forbidden'. The upload goes on" in caplog.text


def test_one_that_takes_too_long_is_interrupted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    inside, in_hand = threading.Event(), InHand()

    def hangs(message: Message) -> object:
        inside.set()
        while True:
            pass

    filters = upload_filters(hangs, lambda message: 402)
    with ThreadPoolExecutor(1) as executor:
        answer = executor.submit(filters.answer, BEGUN, in_hand)
        wait_for(inside.is_set, "it to be asked")
        held = in_hand.taken_too_long("up-1")
        assert held is not None
        held.interrupt()
        assert answer.result() == frames.ADMITTED
    assert "an upload filter was interrupted" in caplog.text
    assert in_hand.taken_too_long("up-1") is None
