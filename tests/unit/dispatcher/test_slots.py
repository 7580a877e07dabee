import asyncio
import os
import select
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.dispatcher.fakes import RecordingClient, RecordingJournal, RecordingOwner
from tests.unit.dispatcher.far_end import FarEnd
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.requests import a_head, a_request
from wsgid.channel import frames
from wsgid.channel.frames import Answer, File, FrameReader, Kind
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.work import Stage
from wsgid.dispatcher.worker import Worker

BIG = 2 * 1024 * 1024
"""Bytes, more than a UNIX socket takes at once."""


@dataclass
class Channel:
    """A slot, the worker's end of it, and its owner."""

    slot: Slot
    far_end: FarEnd
    owner: RecordingOwner
    journal: RecordingJournal
    control: FarEnd

    def exchange(self, **request: Any) -> tuple[Exchange, RecordingClient]:
        client = RecordingClient()
        return Exchange(a_request(**request), client, True, self.journal, 1.0), client

    def give(self, **request: Any) -> tuple[Exchange, RecordingClient]:
        exchange, client = self.exchange(**request)
        self.slot.give(exchange, 2.0)
        return exchange, client

    @property
    def closed_because(self) -> str | None:
        return self.owner.gone[0][1] if self.owner.gone else None


@asynccontextmanager
async def open_channel() -> AsyncIterator[Channel]:
    ours, theirs = socket.socketpair()
    control, far_control = socket.socketpair()
    ours.setblocking(False)
    worker = Worker(4242)
    worker.control = control
    owner = RecordingOwner()
    slot = Slot(ours, worker, 3, FrameReader(), owner, asyncio.get_running_loop())
    channel = Channel(slot, FarEnd(theirs), owner, RecordingJournal(), FarEnd(far_control))
    yield channel
    slot.close("the test is over")
    for each in (channel.far_end, channel.control, control):
        each.close()
    assert [gone for gone, _ in owner.gone] == [slot]  # told once


def with_channel(test: Callable[[Channel], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with open_channel() as channel:
            await test(channel)

    run(main())


def answer(body: bytes = b"hello", done: bool = True) -> bytes:
    return frames.answer(Answer(a_head(), body, done))


HEAD = frames.head(a_head())


class TestARequest:
    def test_is_one_frame(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, _ = channel.give(method="POST", body=b"body")
            assert await channel.far_end.take() == exchange.request
            assert exchange.stage is Stage.SERVING
            assert exchange.served_at == 2.0
            assert channel.far_end.descriptors == []

        with_channel(test)

    def test_takes_its_file_along(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, _ = channel.exchange(content_length=4, body_in_file=True)
            exchange.body_fd, writer = os.pipe()
            channel.slot.give(exchange, 2.0)
            os.write(writer, b"body")
            os.close(writer)
            assert await channel.far_end.take() == exchange.request
            [descriptor] = channel.far_end.descriptors
            assert os.read(descriptor, 10) == b"body"
            exchange.client_left()

        with_channel(test)

    @pytest.mark.parametrize("in_file", [True, False])
    def test_larger_than_the_socket_goes_piece_by_piece(self, in_file: bool) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.exchange(body=bytes(BIG))
            if in_file:
                exchange.body_fd = os.open("/dev/null", os.O_RDONLY)
            channel.slot.give(exchange, 2.0)
            assert await channel.far_end.take() == exchange.request
            assert len(channel.far_end.descriptors) == in_file
            channel.far_end.say(answer())
            await until(lambda: channel.owner.finished, "the answer")
            assert client.told == ["whole 200"]

        with_channel(test)

    def test_to_a_full_socket_waits_for_room(self) -> None:
        async def test(channel: Channel) -> None:
            filled = fill(channel.slot._sock)
            exchange, _ = channel.give(id="late")
            await turns()
            assert exchange.served_at == 2.0
            await drain(channel.far_end, filled)
            assert (await channel.far_end.take()).id == "late"
            channel.far_end.say(answer())
            await until(lambda: channel.owner.finished, "the answer")

        with_channel(test)

    def test_larger_than_the_socket_survives_a_false_alarm(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, _ = channel.give(body=bytes(BIG))
            channel.slot._send_rest()
            assert await channel.far_end.take() == exchange.request

        with_channel(test)

    def test_that_ended_before_there_was_room_is_not_given(self) -> None:
        async def test(channel: Channel) -> None:
            filled = fill(channel.slot._sock)
            exchange, _ = channel.give()
            exchange.client_left()
            await drain(channel.far_end, filled)
            await until(lambda: channel.owner.finished, "the slot to be free")
            assert channel.far_end.silent
            assert channel.slot.work is None

        with_channel(test)

    def test_that_was_refused_before_there_was_room_is_not_given(self) -> None:
        """Its client has yet to take the refusal."""

        async def test(channel: Channel) -> None:
            filled = fill(channel.slot._sock)
            exchange, client = channel.give()
            client.keeps = True
            exchange.fail(504, "too late")
            assert exchange.stage is Stage.SENDING
            await drain(channel.far_end, filled)
            await until(lambda: channel.owner.finished, "the slot to be free")
            assert channel.far_end.silent
            exchange.sent_all()
            assert client.told == ["whole 504"]

        with_channel(test)

    def test_to_a_thread_that_has_just_gone_is_known_with_the_end_of_the_channel(self) -> None:
        async def test(channel: Channel) -> None:
            channel.far_end.close()
            exchange, _ = channel.give()
            assert channel.owner.gone == []  # not in the midst of giving
            await until(lambda: channel.owner.gone, "the end of the channel")
            assert channel.slot.work is exchange
            assert not exchange.ended  # that is the owner's to do

        with_channel(test)

    def test_a_thread_that_goes_with_half_a_request(self) -> None:
        async def test(channel: Channel) -> None:
            channel.give(body=bytes(BIG))
            await turns()
            channel.far_end.close()
            await until(lambda: channel.owner.gone, "the end of the channel")

        with_channel(test)


def fill(sock: socket.socket) -> int:
    """So that no byte more finds room."""
    filled = 0
    while True:
        try:
            filled += sock.send(bytes(4096))
        except BlockingIOError:
            return filled


async def drain(far_end: FarEnd, size: int) -> None:
    while size > 0:
        size -= len(far_end.sock.recv(min(size, 65536)))


class TestAnAnswer:
    def test_whole(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give()
            channel.far_end.say(answer())
            await until(lambda: channel.owner.finished, "the answer")
            assert client.told == ["whole 200"]
            assert client.body == b"hello"
            assert channel.slot.work is None
            assert exchange.ended

        with_channel(test)

    def test_whole_but_not_done(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give()
            channel.far_end.say(answer(done=False))
            await until(lambda: exchange.ended, "the answer")
            assert client.told == ["whole 200"]
            assert channel.owner.finished == []
            assert channel.slot.work is exchange
            channel.far_end.say(frames.DONE)
            await until(lambda: channel.owner.finished, "the slot")

        with_channel(test)

    def test_in_parts(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give()
            for said in (
                HEAD,
                frames.frame(Kind.PART, b"hel"),
                frames.frame(Kind.PART, b"lo"),
                frames.END,
                frames.DONE,
            ):
                for byte in said:
                    channel.far_end.say(bytes([byte]))
                await turns()
            await until(lambda: channel.owner.finished, "the answer")
            assert client.told == ["head 200", "part", "part", "end"]
            assert client.body == b"hello"
            assert exchange.sent == 5

        with_channel(test)

    @pytest.mark.parametrize(("begun", "told"), [(b"", "whole 500"), (HEAD, "cut")])
    def test_that_fails(self, begun: bytes, told: str) -> None:
        async def test(channel: Channel) -> None:
            _, client = channel.give()
            channel.far_end.say(begun, frames.CUT, frames.DONE)
            await until(lambda: channel.owner.finished, "the answer")
            assert client.told[-1] == told

        with_channel(test)

    def test_for_a_client_that_has_left_is_read_and_forgotten(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give(id="left")
            exchange.client_left()
            assert await channel.control.hear() == (Kind.CLIENT_GONE, b"left")
            channel.far_end.say(HEAD, frames.frame(Kind.PART, b"x"), frames.END, frames.DONE)
            await until(lambda: channel.owner.finished, "the slot")
            assert client.told == []

        with_channel(test)

    def test_later_ones_are_of_later_requests(self) -> None:
        async def test(channel: Channel) -> None:
            for number in range(3):
                _, client = channel.give(id=str(number))
                assert (await channel.far_end.take()).id == str(number)
                channel.far_end.say(answer(str(number).encode()))
                await until(lambda: len(channel.owner.finished) > number, "the answer")  # noqa: B023
                assert client.body == str(number).encode()

        with_channel(test)


class TestAFile:
    def test_is_awaited_and_taken(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give()
            await channel.far_end.take()
            channel.far_end.say(frames.file(File(a_head(length=4), 7)))
            assert await channel.far_end.hear() == (Kind.FILE_AWAITED, b"")
            assert client.told == []
            reader, writer = os.pipe()
            socket.send_fds(channel.far_end.sock, [frames.DESCRIPTOR], [reader])
            os.close(reader)
            await until(lambda: client.told, "the file")
            assert (client.told, client.unsent) == (["file 200"], 4)
            assert exchange.stage is Stage.SENDING
            channel.far_end.say(frames.DONE)
            await until(lambda: channel.owner.finished, "the slot")
            os.close(writer)

        with_channel(test)

    def test_that_does_not_come_along_is_a_refusal(self, caplog: pytest.LogCaptureFixture) -> None:
        """The kernel drops descriptors for which a process has no room."""

        async def test(channel: Channel) -> None:
            _, client = channel.give()
            await channel.far_end.take()
            channel.far_end.say(frames.file(File(a_head(length=4), 0)))
            await channel.far_end.hear()
            channel.far_end.say(frames.DESCRIPTOR, frames.DONE)
            await until(lambda: channel.owner.finished, "the slot")
            assert client.told == ["whole 500"]
            assert "may open no more files; raise the limit" in caplog.text

        with_channel(test)

    @pytest.mark.parametrize(
        "said",
        [
            [frames.DESCRIPTOR],
            [frames.file(File(a_head(length=4), 0)), frames.DONE],
            [HEAD, frames.file(File(a_head(length=4), 0))],
            [HEAD, frames.DESCRIPTOR],
            [frames.file(File(a_head(), 0))],
        ],
    )
    def test_out_of_turn_breaks_the_rules(self, said: list[bytes]) -> None:
        async def test(channel: Channel) -> None:
            channel.give()
            await channel.far_end.take()
            channel.far_end.say(*said)
            await until(lambda: channel.closed_because == "it broke the channel's rules", "the end")

        with_channel(test)

    def test_of_a_worker_that_dies_before_it_comes_was_read_by_it(self) -> None:
        async def test(channel: Channel) -> None:
            channel.give()
            await channel.far_end.take()
            channel.far_end.say(frames.file(File(a_head(length=4), 0)))
            await until(lambda: select.select([channel.far_end.sock], [], [], 0)[0], "the word")
            channel.far_end.sock.close()  # with FILE_AWAITED unread in it
            await until(lambda: channel.closed_because, "the end")
            assert channel.slot.read

        with_channel(test)

    def test_that_nobody_took_is_closed_with_the_channel(self) -> None:
        async def test(channel: Channel) -> None:
            channel.give()
            await channel.far_end.take()
            channel.far_end.say(frames.file(File(a_head(length=4), 0)))
            await channel.far_end.hear()
            reader, writer = os.pipe()
            socket.send_fds(channel.far_end.sock, [frames.DESCRIPTOR[:2]], [reader])
            os.close(reader)
            await until(lambda: channel.slot._descriptors, "the descriptor")
            channel.slot.close("its worker died")
            with pytest.raises(BrokenPipeError):
                os.write(writer, b"x")
            os.close(writer)
            assert len(channel.owner.closed) == 1  # which may take a while: it is not done here

        with_channel(test)


class TestAClientThatDoesNotKeepUp:
    def test_slows_its_worker_down(self) -> None:
        async def test(channel: Channel) -> None:
            _, client = channel.give()
            client.choked = True
            channel.far_end.say(HEAD)
            saying = asyncio.ensure_future(
                channel.far_end.say_it_all(frames.frame(Kind.PART, bytes(100_000)) * 20 + frames.END + frames.DONE)
            )
            await until(lambda: client.body, "the first part")
            await turns(50)
            assert len(client.body) < 10 * 100_000
            assert not saying.done()

            client.choked = False
            channel.slot.resume()
            await saying
            await until(lambda: channel.owner.finished, "the end")
            assert len(client.body) == 20 * 100_000

        with_channel(test)

    def test_is_no_matter_once_it_has_left(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give()
            client.choked = True
            channel.far_end.say(HEAD, frames.frame(Kind.PART, b"x"))
            await until(lambda: client.body, "the part")
            exchange.client_left()
            channel.far_end.say(frames.frame(Kind.PART, b"x"), frames.CUT, frames.DONE)
            await until(lambda: channel.owner.finished, "the slot")

        with_channel(test)

    @pytest.mark.parametrize("ending", [frames.END, frames.CUT])
    def test_does_not_hold_up_the_next_request_of_its_slot(self, ending: bytes) -> None:
        """The end can come in one piece with the part that the client choked on."""

        async def test(channel: Channel) -> None:
            _, client = channel.give()
            client.choked = True
            channel.far_end.say(HEAD, frames.frame(Kind.PART, b"x"), ending, frames.DONE)
            await until(lambda: channel.owner.finished, "the answer")

            _, second = channel.give()
            channel.far_end.say(answer())
            await until(lambda: second.told, "the second answer")

        with_channel(test)

    def test_nor_when_we_gave_up_on_it(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give()
            client.choked = True
            channel.far_end.say(HEAD, frames.frame(Kind.PART, b"x"))
            await until(lambda: client.body, "the part")
            exchange.fail(503, "stopping")
            channel.far_end.say(frames.END, frames.DONE)
            await until(lambda: channel.owner.finished, "the slot")

        with_channel(test)

    @pytest.mark.parametrize("taken", [True, False])
    @pytest.mark.parametrize(
        "said", [[answer()], [HEAD, frames.frame(Kind.PART, b"x"), frames.END, frames.DONE]], ids=["whole", "parts"]
    )
    def test_for_whom_no_more_may_be_kept_holds_up_the_next_request(self, said: list[bytes], taken: bool) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give()
            client.keeps = client.choked = True
            channel.far_end.say(*said)
            await until(lambda: channel.slot.done, "the answer")
            assert exchange.stage is Stage.SENDING
            assert channel.slot.paused
            assert channel.owner.finished == []
            if taken:
                client.choked = False
                exchange.room()
            else:
                exchange.client_left()
            assert channel.owner.finished == [channel.slot]
            assert channel.slot.work is None
            channel.give(id="next")
            assert [(await channel.far_end.take()).id for _ in range(2)] == ["id-1", "next"]

        with_channel(test)

    @pytest.mark.parametrize(
        "said", [[answer()], [HEAD, frames.frame(Kind.PART, b"x"), frames.END, frames.DONE]], ids=["whole", "parts"]
    )
    def test_for_whom_no_more_may_be_kept_lets_a_worker_leave(self, said: list[bytes]) -> None:
        """Or serve one more, when nobody else does."""

        async def test(channel: Channel) -> None:
            _, client = channel.give()
            client.keeps = client.choked = channel.slot.worker.leaving = True
            channel.far_end.say(*said)
            await until(lambda: channel.owner.finished, "the answer")
            _, second = channel.give()
            channel.far_end.say(answer())
            await until(lambda: second.told, "the second answer")

        with_channel(test)

    def test_is_resumed_to_no_effect_when_the_channel_has_ended(self) -> None:
        async def test(channel: Channel) -> None:
            _, client = channel.give()
            client.choked = True
            channel.far_end.say(HEAD, frames.frame(Kind.PART, b"x"))
            await until(lambda: client.body, "the part")
            channel.slot.close("its worker died")
            channel.slot.resume()

        with_channel(test)


class TestTheEndOfTheChannel:
    def test_is_told_with_the_exchange_still_in_hand(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, _ = channel.give()
            await channel.far_end.take()
            channel.far_end.close()
            await until(lambda: channel.owner.gone, "the end")
            assert channel.closed_because == "its channel was closed"
            assert channel.slot.work is exchange

        with_channel(test)

    def test_comes_after_all_that_was_said_before(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give()
            await channel.far_end.take()
            channel.far_end.say(answer(bytes(100_000)))
            channel.far_end.close()
            await until(lambda: channel.owner.gone, "the end")
            assert client.told == ["whole 200"]
            assert exchange.ended

        with_channel(test)

    def test_by_a_reset(self) -> None:
        async def test(channel: Channel) -> None:
            channel.give()  # closing with this unread makes a reset of it
            channel.far_end.close()
            await until(lambda: channel.owner.gone, "the end")
            assert channel.closed_because == "its channel was closed with something unread"

        with_channel(test)

    def test_before_the_request_was_read_is_known(self) -> None:
        async def test(channel: Channel) -> None:
            channel.give()
            channel.far_end.close()
            await until(lambda: channel.owner.gone, "the end")
            assert not channel.slot.read

        with_channel(test)

    def test_before_it_was_read_to_its_end_as_well(self) -> None:
        """A frame that the socket does not take at once, and of which the worker has read all it took."""

        async def test(channel: Channel) -> None:
            channel.give(body=bytes(3 * 1024 * 1024))
            await turns()
            channel.far_end.drop_what_is_there()
            channel.far_end.close()
            await until(lambda: channel.owner.gone, "the end")
            assert not channel.slot.read

        with_channel(test)

    def test_before_it_was_given(self) -> None:
        async def test(channel: Channel) -> None:
            channel.far_end.close()
            channel.give()
            await until(lambda: channel.owner.gone, "the end")
            assert not channel.slot.read

        with_channel(test)

    def test_once_it_was_read(self) -> None:
        async def test(channel: Channel) -> None:
            channel.give()
            await channel.far_end.take()
            channel.far_end.close()
            await until(lambda: channel.owner.gone, "the end")
            assert channel.slot.read

        with_channel(test)

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            (b"\0\0\0\0\xff", "unknown kind 255"),
            (b"\xff\xff\xff\xff\x05", "the limit is"),
            (frames.frame(Kind.ANSWER, b"\xc1"), "does not decode"),
            (frames.frame(Kind.PART, b"x"), "PART out of turn"),
            (frames.END, "END out of turn"),
            (frames.DONE, "DONE out of turn"),
            (HEAD + HEAD, "HEAD out of turn"),
            (HEAD + answer(), "ANSWER out of turn"),
            (HEAD + frames.DONE, "DONE out of turn"),
            (frames.LEAVING, "LEAVING on a channel"),
            (answer() + frames.DONE, "DONE with no request in hand"),
        ],
    )
    def test_by_what_breaks_the_rules(self, said: bytes, why: str, caplog: pytest.LogCaptureFixture) -> None:
        async def test(channel: Channel) -> None:
            channel.give()
            channel.far_end.say(said)
            await until(lambda: channel.owner.gone, "the end")
            assert channel.closed_because == "it broke the channel's rules"
            assert "worker 4242 broke the rules of its channel 3: " in caplog.text
            assert why in caplog.text

        with_channel(test)

    def test_by_releasing_an_idle_thread(self) -> None:
        async def test(channel: Channel) -> None:
            channel.slot.release()
            assert channel.closed_because == "released"
            assert await channel.far_end.hear() == (Kind.RELEASE, b"")
            await channel.far_end.hear_the_end()

        with_channel(test)

    def test_by_releasing_one_that_has_gone(self) -> None:
        async def test(channel: Channel) -> None:
            channel.far_end.close()
            channel.slot.release()
            assert channel.closed_because == "released"

        with_channel(test)

    def test_makes_whatever_is_still_due_harmless(self) -> None:
        async def test(channel: Channel) -> None:
            channel.far_end.close()
            channel.give()
            channel.slot.close("its worker died")
            await turns()  # the look at the channel that giving has asked for
            channel.slot.readable()
            channel.slot.close("again")
            assert channel.closed_because == "its worker died"

        with_channel(test)


class TestADeadWorker:
    def test_has_said_all_that_lies_in_the_socket(self) -> None:
        async def test(channel: Channel) -> None:
            exchange, client = channel.give()
            channel.far_end.say(HEAD, frames.frame(Kind.PART, bytes(50_000)), frames.END)
            channel.far_end.close()
            channel.slot.read_to_the_end()
            assert client.told == ["head 200", "part", "end"]
            assert exchange.ended
            assert channel.owner.gone

        with_channel(test)

    def test_may_have_left_its_end_to_a_process_that_it_forked(self) -> None:
        async def test(channel: Channel) -> None:
            _, client = channel.give()
            inherited = channel.far_end.sock.dup()
            channel.far_end.say(HEAD)
            channel.far_end.close()
            with inherited:
                channel.slot.read_to_the_end()
            assert client.told == ["head 200"]
            assert channel.closed_because == "its worker died"

        with_channel(test)

    def test_is_read_although_the_client_chokes(self) -> None:
        async def test(channel: Channel) -> None:
            _, client = channel.give()
            client.choked = True
            channel.far_end.say(HEAD, frames.frame(Kind.PART, b"x"))
            await until(lambda: client.body, "the part")
            channel.far_end.say(frames.frame(Kind.PART, b"y"), frames.END)
            channel.far_end.close()
            channel.slot.read_to_the_end()
            assert client.body == b"xy"
            assert client.told[-1] == "end"

        with_channel(test)


def test_a_request_that_cannot_be_told_to_a_full_control_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def test(channel: Channel) -> None:
        control = channel.slot.worker.control
        assert control is not None
        control.setblocking(False)
        fill(control)
        exchange, _ = channel.give()
        with caplog.at_level("DEBUG"):
            exchange.client_left()
        assert "worker 4242 was not told that the client of id-1 left" in caplog.text

    with_channel(test)


def test_a_worker_without_a_control_connection_is_not_told() -> None:
    async def test(channel: Channel) -> None:
        control, channel.slot.worker.control = channel.slot.worker.control, None
        assert control is not None
        exchange, _ = channel.give()
        exchange.client_left()
        assert channel.control.silent
        control.close()

    with_channel(test)
