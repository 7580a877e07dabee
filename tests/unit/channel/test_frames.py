from collections.abc import Callable

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.unit.channel.strategies import answers, heads, hellos, requests, text
from wsgid.channel import frames
from wsgid.channel.frames import HEADER, MAX_FRAME, Answer, File, FrameError, FrameReader, Hello, Kind
from wsgid.protocol.values import Request, WrittenHead

kinds = st.sampled_from(Kind)
payloads = st.binary(max_size=40)


def payload_of(frame: bytes, kind: Kind) -> bytes:
    [(found, payload)] = FrameReader().feed(frame)
    assert found is kind
    return payload


class TestValues:
    @given(hellos)
    def test_hello(self, value: Hello) -> None:
        assert frames.read_hello(payload_of(frames.hello(value), Kind.HELLO)) == value

    @given(requests)
    def test_request(self, value: Request) -> None:
        assert frames.read_request(payload_of(frames.request(value), Kind.REQUEST)) == value

    @given(answers)
    def test_answer(self, value: Answer) -> None:
        assert frames.read_answer(payload_of(frames.answer(value), Kind.ANSWER)) == value

    @given(answers, st.integers(0, 100_000))
    def test_an_answer_around_its_body(self, value: Answer, more: int) -> None:
        body = value.body + bytes(more)
        before, behind = frames.answer_around(value.head, len(body), value.done)
        answer = frames.read_answer(payload_of(before + body + behind, Kind.ANSWER))
        assert answer == Answer(value.head, body, value.done)

    @given(heads.filter(lambda head: head.content_length), st.integers(0, 2**62))
    def test_file(self, head: WrittenHead, offset: int) -> None:
        value = File(head, offset)
        [(kind, payload)] = FrameReader().feed(frames.file(value))
        assert (kind, frames.read_file(payload)) == (Kind.FILE, value)
        assert value.length == head.content_length

    @pytest.mark.parametrize("value", [File(WrittenHead(200, b"", None, 0), 0), File(WrittenHead(200, b"", 1, 0), -1)])
    def test_a_file_of_which_nothing_can_be_sent(self, value: File) -> None:
        [(_, payload)] = FrameReader().feed(frames.file(value))
        with pytest.raises(FrameError, match="bytes from"):
            frames.read_file(payload)

    @given(heads)
    def test_head(self, value: WrittenHead) -> None:
        assert frames.read_head(payload_of(frames.head(value), Kind.HEAD)) == value

    @pytest.mark.parametrize("code", [-1, 99, 600])
    def test_a_head_with_a_code_that_http_has_not(self, code: int) -> None:
        with pytest.raises(FrameError, match="does not decode"):
            frames.read_head(payload_of(frames.head(WrittenHead(code, b"", None, 0)), Kind.HEAD))

    @given(text)
    def test_client_gone(self, key: str) -> None:
        assert payload_of(frames.client_gone(key), Kind.CLIENT_GONE).decode() == key
        assert payload_of(frames.client_may_be_gone(key), Kind.CLIENT_MAY_BE_GONE).decode() == key

    @pytest.mark.parametrize(
        ("frame", "kind"),
        [
            (frames.END, Kind.END),
            (frames.CUT, Kind.CUT),
            (frames.DONE, Kind.DONE),
            (frames.RELEASE, Kind.RELEASE),
            (frames.LEAVING, Kind.LEAVING),
            (frames.FILE_AWAITED, Kind.FILE_AWAITED),
            (frames.DESCRIPTOR, Kind.DESCRIPTOR),
        ],
    )
    def test_words_without_a_payload(self, frame: bytes, kind: Kind) -> None:
        assert payload_of(frame, kind) == b""

    @pytest.mark.parametrize(
        "read", [frames.read_hello, frames.read_request, frames.read_answer, frames.read_head, frames.read_file]
    )
    @given(payload=payloads)
    def test_arbitrary_payloads_decode_or_are_an_error(self, read: Callable[[bytes], object], payload: bytes) -> None:
        try:
            read(payload)
        except FrameError as error:
            event("refused")
            told = str(error)
        else:
            told = "a frame that does not decode"
        assert told.startswith("a frame that does not decode")

    @pytest.mark.parametrize(
        ("read", "payload"),
        [
            (frames.read_request, b"\xdc\x00\x13\xa1\xff"),
            (frames.read_head, b"\x95\xcc\xc8\xc4\x00\xc0\x00" + b"\x91" * 100_000),
        ],
    )
    def test_no_text_and_no_bottom_are_errors_too(self, read: Callable[[bytes], object], payload: bytes) -> None:
        with pytest.raises(FrameError, match="does not decode"):
            read(payload)

    def test_a_hello_with_a_role_that_nobody_has(self) -> None:
        with pytest.raises(FrameError, match="does not decode"):
            frames.read_hello(b"\x93\x01\x09\x00")


class TestReader:
    @given(st.lists(st.tuples(kinds, payloads), max_size=8), st.integers(1, 60))
    def test_frames_come_out_as_they_went_in_however_they_are_cut(
        self, said: list[tuple[Kind, bytes]], size: int
    ) -> None:
        wire = b"".join(frames.frame(kind, payload) for kind, payload in said)
        reader = FrameReader()
        heard = [each for start in range(0, len(wire), size) for each in reader.feed(wire[start : start + size])]
        assert heard == said
        assert reader.feed(b"") == []

    def test_each_frame_comes_out_with_its_last_byte(self) -> None:
        reader = FrameReader()
        wire = frames.frame(Kind.PART, b"xy") + frames.END
        heard = [len(reader.feed(wire[position : position + 1])) for position in range(len(wire))]
        assert heard == [0] * 6 + [1] + [0] * 4 + [1]

    def test_the_largest_frame(self) -> None:
        [(_, payload)] = FrameReader().feed(frames.frame(Kind.PART, bytes(MAX_FRAME)))
        assert len(payload) == MAX_FRAME

    def test_a_larger_one_is_refused_with_its_header(self) -> None:
        with pytest.raises(FrameError, match=f"{MAX_FRAME + 1} bytes, the limit is {MAX_FRAME}"):
            FrameReader().feed(HEADER.pack(MAX_FRAME + 1, Kind.PART))

    @pytest.mark.parametrize("kind", [0, max(Kind) + 1, 255])
    def test_an_unknown_kind_is_refused(self, kind: int) -> None:
        with pytest.raises(FrameError, match=f"unknown kind {kind}"):
            FrameReader().feed(HEADER.pack(0, kind))

    @given(st.lists(st.binary(max_size=20), max_size=6))
    def test_arbitrary_bytes_are_frames_or_an_error(self, pieces: list[bytes]) -> None:
        reader = FrameReader()
        try:
            heard = [each for piece in pieces for each in reader.feed(piece)]
        except FrameError:
            event("refused")
            return
        said = b"".join(frames.frame(kind, payload) for kind, payload in heard)
        assert b"".join(pieces).startswith(said)
