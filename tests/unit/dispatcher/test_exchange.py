"""An exchange ends exactly once, whatever happens in whatever order."""

import os
import socket
from collections.abc import Iterator

import pytest
import uvloop
from hypothesis import event, given
from hypothesis import strategies as st

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal, RecordingOwner
from tests.unit.dispatcher.requests import a_head, a_request
from wsgid.channel.frames import FrameReader, Kind
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.sent_file import PassedFile
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.work import Stage
from wsgid.dispatcher.worker import Worker


class Story:
    """An exchange, the client, journal and worker around it, and what may happen to it."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.client = RecordingClient()
        self.journal = RecordingJournal()
        self.worker = Worker(4242)
        self.worker.control, self.heard = socket.socketpair()
        ours, self.theirs = socket.socketpair()
        self.heard.setblocking(False)
        ours.setblocking(False)
        self.slot = Slot(ours, self.worker, 0, FrameReader(), RecordingOwner(), self.loop)
        self.exchange = Exchange(a_request(), self.client, True, self.journal, 1.0)
        self.exchange.body_fd, self.body = os.pipe()

    def close(self) -> None:
        self.slot.close("the end")
        assert self.worker.control is not None
        for sock in (self.worker.control, self.heard, self.theirs):
            sock.close()
        os.close(self.body)
        self.exchange.client_left()
        self.loop.close()

    def given(self) -> None:
        self.slot.work = self.exchange
        self.exchange.given(self.slot, 2.0)

    def answer(self) -> None:
        self.exchange.answer(a_head("201 Created"), b"whole")

    def begin(self) -> None:
        self.exchange.begin(a_head("202 Accepted"))

    def part(self) -> None:
        self.exchange.part(b"part")

    def finish(self) -> None:
        self.exchange.finish()

    def fail(self) -> None:
        self.exchange.fail(502, "the worker died")

    def client_left(self) -> None:
        self.exchange.client_left()

    def client_may_have_left(self) -> None:
        self.exchange.client_may_have_left()

    def body_is_open(self) -> bool:
        """The pipe has a reader as long as the exchange has its descriptor."""
        try:
            os.write(self.body, b"x")
        except BrokenPipeError:
            return False
        return True

    @property
    def told_the_worker(self) -> list[tuple[Kind, bytes]]:
        try:
            return FrameReader().feed(self.heard.recv(1024))
        except BlockingIOError:
            return []


@pytest.fixture
def story() -> Iterator[Story]:
    told = Story()
    yield told
    told.close()


def orders(draw: st.DrawFn) -> list[str]:
    """What happens, in any order that the worker's side keeps to: at most one answer, whole or in parts, once it was
    given. The rest comes at any time, and as often as it likes."""
    steps = draw(st.sampled_from([["answer"], ["begin", "part", "part", "finish"], ["begin"], []]))
    happenings = ["given", *steps] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 3))):
        position = draw(st.integers(0, len(happenings)))
        happenings.insert(position, draw(st.sampled_from(["fail", "client_left", "client_may_have_left"])))
    return happenings


class TestBeginning:
    def test_all_is_open(self) -> None:
        request, client = a_request(), RecordingClient()
        exchange = Exchange(request, client, True, RecordingJournal(), 1.5)
        assert (exchange.request, exchange.client, exchange.keep_alive) == (request, client, True)
        assert (exchange.arrived, exchange.served_at, exchange.stage) == (1.5, 0.0, Stage.WAITING)
        assert (exchange.slot, exchange.body_fd, exchange.code, exchange.sent) == (None, -1, 0, 0)
        assert not exchange.ended

    def test_a_worker_has_it_from_now_on(self, story: Story) -> None:
        story.given()
        assert (story.exchange.slot, story.exchange.served_at) == (story.slot, 2.0)


class TestAClientThatHasYetToTakeTheRest:
    def test_leaves_the_worker_free_and_ends_with_the_last_byte(self, story: Story) -> None:
        story.client.keeps = True
        story.given()
        story.answer()
        assert story.exchange.stage is Stage.SENDING
        assert story.exchange.settled
        assert story.journal.codes == []
        story.client.unsent = 0
        story.exchange.sent_all()
        story.exchange.sent_all()
        assert story.journal.codes == [(201, "")]
        assert story.exchange.sent == len(b"whole")
        assert story.client.turns_over == 1

    def test_is_no_business_of_its_worker(self, story: Story) -> None:
        story.client.keeps = True
        story.given()
        story.begin()
        story.finish()
        for happening in (story.fail, story.answer, story.begin, story.part, story.finish):
            happening()
        assert story.client.told == ["head 202", "end"]
        story.exchange.client_may_have_left()
        story.slot.work = None  # DONE
        story.exchange.client_left()
        assert story.journal.codes == [(499, "left")]
        assert story.told_the_worker == [(Kind.CLIENT_MAY_BE_GONE, b"id-1")]  # while it was at work

    def test_does_not_disturb_who_is_served_by_that_slot_now(self, story: Story) -> None:
        story.client.keeps = True
        story.given()
        story.answer()
        story.slot.work = None
        other = Exchange(a_request(), RecordingClient(), True, RecordingJournal(), 1.0)
        story.slot.give(other, 3.0)
        story.slot._pause()
        story.exchange.room()
        story.exchange.cut()
        assert story.slot.paused
        assert story.journal.codes == [(201, "cut")]
        other.client_left()

    def test_counts_what_was_handed_over(self, story: Story) -> None:
        story.given()
        story.begin()
        story.part()
        story.client.keeps = True
        story.part()
        story.exchange.cut()
        assert story.client.told[-1] == "cut"
        assert story.journal.codes == [(202, "cut")]
        assert 0 <= story.exchange.sent <= len(b"part")

    def test_is_refused_in_the_same_way(self, story: Story) -> None:
        story.client.keeps = True
        story.fail()
        assert story.journal.refused == [story.exchange]
        assert story.journal.codes == []
        story.exchange.sent_all()
        assert story.journal.codes == [(502, "refused")]

    def test_is_sent_a_file(self, story: Story) -> None:
        story.given()
        reader, writer = os.pipe()
        story.exchange.file(a_head(length=4), PassedFile(reader, 0, 4))
        os.close(writer)
        assert story.exchange.stage is Stage.SENDING
        story.client.unsent = 0
        story.exchange.sent_all()
        assert (story.journal.codes, story.exchange.sent) == ([(200, "")], 4)

    def test_who_has_left_is_sent_no_file(self, story: Story) -> None:
        story.given()
        story.client_left()
        reader, writer = os.pipe()
        story.exchange.file(a_head(length=4), PassedFile(reader, 0, 4))
        with pytest.raises(BrokenPipeError):
            os.write(writer, b"x")
        os.close(writer)
        assert story.client.told == []
        assert reader in story.journal.closed  # see `Journal.close_file`

    def test_a_cut_of_what_has_not_begun_is_none(self, story: Story) -> None:
        story.given()
        story.exchange.cut()
        assert story.client.told == []
        assert not story.exchange.ended


class TestTakingBack:
    def test_it_waits_as_in_the_beginning(self, story: Story) -> None:
        story.given()
        story.exchange.take_back(1, 5.0)
        exchange = story.exchange
        assert (exchange.slot, exchange.served_at, exchange.stage) == (None, 0.0, Stage.WAITING)
        assert (exchange.arrived, exchange.queued_at, exchange.returned) == (1.0, 5.0, True)
        assert exchange.request == a_request()
        assert story.body_is_open()

    def test_the_application_can_tell_that_it_is_not_the_first(self, story: Story) -> None:
        story.given()
        story.exchange.take_back(2, 5.0)
        assert story.exchange.request == a_request(attempt=2)

    def test_its_client_can_leave_again(self, story: Story) -> None:
        story.given()
        story.exchange.take_back(2, 5.0)
        story.client_left()
        assert story.journal.codes == [(499, "left")]
        assert story.told_the_worker == []


class TestEnd:
    @given(st.composite(orders)(), st.booleans())
    def test_comes_exactly_once(self, happenings: list[str], leaves_while_sending: bool) -> None:
        story = Story()
        if leaves_while_sending:
            story.client.while_sending = story.client_left
        try:
            for happening in [*happenings, "fail"]:
                if happening == "given" and story.exchange.ended:
                    break  # the pool does not give what has left it
                getattr(story, happening)()
                event(happening)
            assert story.exchange.ended
            assert len(story.journal.endings) == 1
            assert story.client.turns_over == 1
            assert not story.body_is_open()
            code = story.journal.codes[0]
            assert code in [(201, ""), (202, ""), (202, "cut"), (502, "refused"), (499, "left")]
            event(str(code))
        finally:
            story.close()

    def test_a_whole_answer(self, story: Story) -> None:
        story.given()
        assert story.exchange.stage is Stage.SERVING
        assert story.body_is_open()
        story.answer()
        assert story.client.told == ["whole 201"]
        assert story.journal.endings == [(story.exchange, 201, "")]
        assert story.exchange.sent == len(b"whole")
        assert not story.body_is_open()
        assert story.exchange.body_fd == -1  # the number is another file's now
        assert len(story.journal.closed) == 1  # which may take a while: it is not done here
        assert story.told_the_worker == []

    def test_an_answer_in_parts(self, story: Story) -> None:
        story.given()
        story.begin()
        assert story.exchange.stage is Stage.ANSWERING
        story.part()
        story.part()
        assert story.journal.endings == []
        story.finish()
        assert story.client.told == ["head 202", "part", "part", "end"]
        assert story.journal.codes == [(202, "")]
        assert story.exchange.sent == len(b"partpart")

    def test_a_failure_before_the_head_is_told_to_the_client(self, story: Story) -> None:
        story.given()
        story.fail()
        assert story.client.told == ["whole 502"]
        assert story.client.body == b"502 Bad Gateway: the worker died\n"
        assert story.journal.codes == [(502, "refused")]
        assert story.exchange.sent == len(story.client.body)

    def test_a_failure_behind_the_head_cuts_the_answer(self, story: Story) -> None:
        story.given()
        story.begin()
        story.part()
        story.fail()
        assert story.client.told == ["head 202", "part", "cut"]
        assert story.journal.codes == [(202, "cut")]

    def test_a_client_that_leaves_while_it_waits_is_nothing_to_a_worker(self, story: Story) -> None:
        story.client_left()
        assert story.journal.codes == [(499, "left")]
        assert story.client.told == []
        assert story.told_the_worker == []
        assert story.exchange.served_at == 0.0

    def test_a_client_that_leaves_later_is_told_to_the_worker_once(self, story: Story) -> None:
        story.given()
        story.begin()
        story.client_left()
        story.client_left()
        assert story.journal.codes == [(499, "left")]
        assert story.told_the_worker == [(Kind.CLIENT_GONE, b"id-1")]

    def test_a_client_that_may_have_left_has_left_while_it_waits(self, story: Story) -> None:
        story.exchange.client_may_have_left()
        assert story.journal.codes == [(499, "left")]
        assert story.client.told == []

    def test_later_it_still_gets_its_answer(self, story: Story) -> None:
        story.given()
        story.client_may_have_left()
        assert story.told_the_worker == [(Kind.CLIENT_MAY_BE_GONE, b"id-1")]
        story.begin()
        story.client_may_have_left()
        story.part()
        story.finish()
        assert story.client.told == ["head 202", "part", "end"]
        assert story.journal.codes == [(202, "")]

    def test_should_it_really_have_left_the_worker_is_told_that_as_well(self, story: Story) -> None:
        story.given()
        story.client_may_have_left()
        story.begin()
        story.client_left()
        assert story.told_the_worker == [(Kind.CLIENT_MAY_BE_GONE, b"id-1"), (Kind.CLIENT_GONE, b"id-1")]
        assert story.journal.codes == [(499, "left")]

    def test_after_the_end_nothing_is_said_of_it(self, story: Story) -> None:
        story.given()
        story.answer()
        story.client_may_have_left()
        assert story.told_the_worker == []

    @pytest.mark.parametrize(("happening", "code"), [("drop", (503, "refused")), ("leave", (499, "left"))])
    def test_before_its_turn_is_no_turn(self, happening: str, code: tuple[int, str], story: Story) -> None:
        if happening == "drop":
            story.exchange.drop(503)
        else:
            story.exchange.leave()
        assert story.exchange.ended
        assert story.journal.codes == [code]
        assert story.client.told == []
        assert story.client.turns_over == 0  # it is another one's turn
        assert not story.body_is_open()

    def test_what_the_worker_says_afterwards_is_forgotten(self, story: Story) -> None:
        story.given()
        story.client_left()
        for happening in (story.answer, story.begin, story.part, story.finish, story.fail):
            happening()
        assert story.client.told == []
        assert len(story.journal.endings) == 1

    def test_a_client_found_gone_while_it_was_sent_to(self, story: Story) -> None:
        story.given()
        story.client.while_sending = story.client_left
        story.answer()
        assert story.journal.codes == [(499, "left")]
        assert story.client.turns_over == 1
