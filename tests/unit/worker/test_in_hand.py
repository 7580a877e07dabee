"""What is heard about requests finds them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from traceback import StackSummary
from typing import Any

import pytest

from wsgid.worker.errors import RequestTimeout
from wsgid.worker.in_hand import MAX_EARLY, Held, InHand


@pytest.fixture
def in_hand() -> InHand:
    return InHand()


def is_interrupted(in_hand: InHand, key: str) -> bool:
    """Whether this request, which is only now taken, was interrupted before."""
    try:
        in_hand.take(key, "id").call(lambda: None)
    except RequestTimeout:
        return True
    return False


def test_a_word_reaches_the_request_it_is_about(in_hand: InHand) -> None:
    """Not another one of the same id."""
    one, other = in_hand.take("one", "id"), in_hand.take("other", "id")
    in_hand.client_gone("one")
    assert (one.client_gone(), other.client_gone()) == (True, False)
    assert in_hand.taken_too_long("other") is other
    other.interrupt()
    one.call(lambda: None)
    with pytest.raises(RequestTimeout):
        other.call(lambda: None)


def test_a_client_that_may_have_left_has_not_certainly(in_hand: InHand) -> None:
    told = []
    one = in_hand.take("one", "id")
    for certain in (False, True, False):
        in_hand.client_gone("one", certain=certain)
        told.append((one.client_gone(), one.client_left))
    assert told == [(True, False), (True, True), (True, True)]


@pytest.mark.parametrize("words", [[True], [False], [False, True]])
def test_the_last_word_of_those_that_come_before_the_request_counts(in_hand: InHand, words: list[bool]) -> None:
    for certain in words:
        in_hand.client_gone("one", certain=certain)
    one = in_hand.take("one", "id")
    assert (one.client_gone(), one.client_left) == (True, words[-1])


def test_a_word_that_comes_before_the_request_is_kept_for_it(in_hand: InHand) -> None:
    in_hand.client_gone("one")
    assert in_hand.taken_too_long("two") is None
    assert in_hand.take("one", "id").client_gone()
    assert is_interrupted(in_hand, "two")


def test_a_word_is_for_one_request_and_kept_for_it_once(in_hand: InHand) -> None:
    in_hand.client_gone("one")
    in_hand.taken_too_long("one")
    assert not in_hand.take("two", "id").client_gone()
    assert not is_interrupted(in_hand, "three")
    in_hand.take("one", "id")
    in_hand.release("one")
    assert not in_hand.take("one", "id").client_gone()
    assert not is_interrupted(in_hand, "one")


class Meanwhile(dict[str, Held]):
    """The requests of an `InHand`, to which one comes when it has just been looked for in vain."""

    def __init__(self, in_hand: InHand) -> None:
        super().__init__()
        self.in_hand = in_hand
        self.came: Held | None = None

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        if self.came is None:
            self.came = self.in_hand.take(key, "id")
        return found


def test_a_word_finds_a_request_that_comes_at_the_same_moment(in_hand: InHand) -> None:
    requests = in_hand._held = Meanwhile(in_hand)
    in_hand.client_gone("one")
    assert requests.came is not None
    assert requests.came.client_gone()
    assert not in_hand._gone_early


def test_a_word_that_comes_after_the_end_harms_nobody(in_hand: InHand) -> None:
    held = in_hand.take("one", "id")
    in_hand.release("one")
    in_hand.client_gone("one")
    assert in_hand.taken_too_long("one") is None
    assert not held.client_gone()
    held.call(lambda: None)


def test_who_has_left_stays_so_when_the_request_has_ended(in_hand: InHand) -> None:
    """A thread that the application has started may ask later."""
    held = in_hand.take("one", "id")
    in_hand.client_gone("one")
    in_hand.release("one")
    assert held.client_gone()


def test_words_that_nobody_looks_for_are_pushed_out_oldest_first(in_hand: InHand) -> None:
    for number in range(MAX_EARLY + 1):
        in_hand.client_gone(str(number))
        in_hand.taken_too_long(str(number))
    assert [in_hand.take(str(number), "id").client_gone() for number in (0, 1, MAX_EARLY)] == [False, True, True]
    assert [is_interrupted(in_hand, str(number)) for number in (0, 2, MAX_EARLY - 1)] == [False, True, True]


def test_where_the_thread_of_a_request_is(in_hand: InHand) -> None:
    def wait_here() -> None:
        inside.set()
        go_on.wait()

    def serve() -> None:
        in_hand.take("one", "id").call(wait_here)
        in_hand.release("one")

    inside, go_on = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as executor:
        serving = executor.submit(serve)
        inside.wait()
        in_hand.take("other", "id")  # this thread's
        stack = in_hand.stack("one")
        go_on.set()
        serving.result()
    assert stack is not None
    assert stack[0].name == "wait_here", "what is around the application is left out"
    assert in_hand.stack("one") is None
    assert in_hand.stack("two") is None


def test_where_one_is_that_ends_at_this_moment(in_hand: InHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread may have taken the next one."""
    stack = Held.stack

    def ends_meanwhile(held: Held) -> StackSummary:
        in_hand.release("one")
        in_hand.take("next", "id")
        return stack(held)

    in_hand.take("one", "id")
    monkeypatch.setattr(Held, "stack", ends_meanwhile)
    assert in_hand.stack("one") is None
