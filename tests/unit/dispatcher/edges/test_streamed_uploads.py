import asyncio
import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dispatcher.loops import run, until
from tests.unit.dispatcher.requests import a_head, a_request
from tests.unit.dispatcher.test_spool import Hold
from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.disk import PIECE, Disk
from wsgid.dispatcher.edges import streamed_uploads
from wsgid.dispatcher.edges.body_times import BodyTimes
from wsgid.dispatcher.edges.client import PendingBody
from wsgid.dispatcher.edges.streamed_uploads import CHUNK_TIME, StreamedUploads
from wsgid.dispatcher.question import Judged, Question
from wsgid.dispatcher.spool import HIGH_WATER
from wsgid.protocol.http_request import Refused
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.mongrel2_credits import ENOUGH, UPLOAD_WINDOW
from wsgid.protocol.mongrel2_messages import StreamPart
from wsgid.protocol.values import Request

MAX_BODY = 10_000_000
LIMITS = HttpLimits(request_line=1000, fields=20, headers=2000, body=MAX_BODY)
TIMES = BodyTimes(60.0, 1 / 500)
KEY = ("http", "1")


class Nobody:
    """An `Asker` whose questions are in no queue."""

    def unasked(self, question: Question) -> None: ...

    def upload_refused(self) -> None: ...


class Owner:
    def __init__(self) -> None:
        self.allowed = 0
        self.done: list[tuple[Request, PendingBody | None]] = []
        self.refused: list[int] = []
        self.questions: list[Question] = []

    def ask(self, request: Request, judged: Judged) -> Question | None:
        question = Question(request, judged, Nobody(), 0.0)
        self.questions.append(question)
        return question

    def allow(self, request: Request, count: int) -> None:
        self.allowed += count

    def stream_done(self, request: Request, body: PendingBody | None) -> None:
        self.done.append((request, body))

    def stream_refused(self, request: Request, refused: Refused) -> None:
        self.refused.append(refused.code)


@contextmanager
def uploads(owner: Owner, directory: Path, executor: ThreadPoolExecutor | None = None) -> Iterator[StreamedUploads]:
    with ThreadPoolExecutor(1) as threads:
        disk = Disk(str(directory), executor or threads, asyncio.get_running_loop())
        yield StreamedUploads(owner, LIMITS, TIMES, disk)


def part(offset: int, data: bytes, last: bool = False) -> StreamPart:
    return StreamPart(*KEY, offset, data, last)


class TestComplete:
    @given(st.lists(st.binary(min_size=1, max_size=100), min_size=1, max_size=10), st.booleans())
    def test_small_ones_are_kept_in_memory(self, parts: list[bytes], chunked: bool) -> None:
        async def main() -> None:
            owner, body = Owner(), b"".join(parts)
            with uploads(owner, Path("/nowhere")) as streams:
                first = b"" if chunked else parts[0]
                streams.start(a_request(content_length=None if chunked else len(body), body=first), None)
                offset = len(first)
                for data in parts[0 if chunked else 1 :]:
                    streams.part(part(offset, data))
                    offset += len(data)
                if chunked:
                    streams.part(part(offset, b"", last=True))
                [(request, pending)] = owner.done
                assert (request.content_length, request.body, pending) == (len(body), body, None)
                assert not request.body_in_file

        run(main())

    def test_large_ones_are_in_a_file(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner, opened = Owner(), asyncio.get_running_loop().create_future()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=INLINE_BODY + 1, body=b"a"), None)
                streams.part(part(1, bytes(INLINE_BODY)))
                [(request, pending)] = owner.done
                assert pending is not None
                assert (request.content_length, request.body, request.body_in_file) == (INLINE_BODY + 1, b"", True)
                pending.finish(opened.set_result)
                with open(await opened, "rb") as file:
                    assert os.pread(file.fileno(), INLINE_BODY + 2, 0) == b"a" + bytes(INLINE_BODY)

        run(main())

    def test_they_are_no_longer_known(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=1), None)
                assert streams.holds(*KEY)
                streams.part(part(0, b"x"))
                streams.done(owner.done[0][0])
                assert not streams.holds(*KEY)
                assert not streams.part(part(1, b"x"))

        run(main())


class TestRefused:
    def test_too_large_by_its_length(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=MAX_BODY + 1), None)
                assert (owner.refused, owner.allowed) == ([413], 0)
                assert streams.holds(*KEY), "until its connection is closed"
                assert streams.part(part(0, b"late"))
                assert streams.left(*KEY) is None, "it has its line"
                assert owner.refused == [413]

        run(main())

    def test_too_large_as_it_turns_out(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=None), None)
                streams.part(part(0, bytes(MAX_BODY)))
                assert owner.refused == []
                streams.part(part(MAX_BODY, b"x"))
                assert owner.refused == [413]

        run(main())

    def test_a_part_is_missing(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=100), None)
                streams.part(part(10, b"x"))
                assert owner.refused == [400]
                assert "--shared-handler" in caplog.text
                assert [vars(each)["request_id"] for each in caplog.records] == ["id-1"]

        run(main())

    def test_shorter_than_promised(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=100), None)
                streams.part(part(0, b"x", last=True))
                assert (owner.refused, owner.done) == ([400], [])

        run(main())

    def test_no_file_can_be_made(self, caplog: pytest.LogCaptureFixture) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, Path("/nowhere")) as streams:
                streams.start(a_request(content_length=1_000_000), None)
                streams.part(part(0, bytes(PIECE)))
                await until(lambda: owner.refused == [500], "the refusal")
                assert "could not be stored" in caplog.text
                assert [vars(each)["request_id"] for each in caplog.records] == ["id-1"]

        run(main())

    def test_nothing_comes(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner, now = Owner(), asyncio.get_running_loop().time()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=100), None)
                streams.look(now + TIMES.limit - 1)
                assert owner.refused == []
                streams.look(now + TIMES.limit + 1)
                assert owner.refused == [408]

        run(main())

    def test_it_comes_too_slowly(self, tmp_path: Path) -> None:
        """A byte gives back its 1/500 s, and not a minute."""

        async def main() -> None:
            owner, now = Owner(), asyncio.get_running_loop().time()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=1_000_000), None)
                [stream] = streams._streams.values()
                stream._deadline = now + 1
                streams.part(part(0, bytes(1000)))
                streams.look(now + 2)
                assert owner.refused == []
                streams.part(part(1000, b"x"))
                streams.look(now + 4)
                assert owner.refused == [408]

        run(main())

    def test_a_chunk_has_more_time(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner, now = Owner(), asyncio.get_running_loop().time()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=None), None)
                streams.look(now + TIMES.limit + CHUNK_TIME - 1)
                assert owner.refused == []
                streams.look(now + TIMES.limit + CHUNK_TIME + 1)
                assert owner.refused == [408]

        run(main())

    def test_all_that_are_not(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                for number in ("1", "2"):
                    streams.start(a_request(content_length=100, client_id=number), None)
                streams.start(a_request(content_length=100, client_id="3"), Refused(501, "why"))
                streams.refuse_all(Refused(503, "why"))
                assert owner.refused == [501, 503, 503]
                assert streams.left_all() == []

        run(main())


class TestTheQuestion:
    def test_is_put_when_it_is_known_that_there_will_be_a_file(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(client_id="by length", content_length=INLINE_BODY + 1), None)
                assert [each.request.client_id for each in owner.questions] == ["by length"]
                streams.start(a_request(content_length=None), None)
                streams.part(part(0, bytes(INLINE_BODY)))
                assert len(owner.questions) == 1
                for offset in range(2):
                    streams.part(part(INLINE_BODY + offset, b"x"))
                assert [each.request.client_id for each in owner.questions] == ["by length", "1"]
                streams.left_all()
                assert all(each.ended for each in owner.questions)

        run(main())

    def test_is_closed_with_the_body_that_is_longer_than_promised(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                streams.start(a_request(content_length=INLINE_BODY + 1), None)
                streams.part(part(0, bytes(INLINE_BODY + 2), last=True))
                assert owner.refused == [400]
                assert owner.questions[0].ended

        run(main())

    def test_is_answered(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                for number in "12":
                    streams.start(a_request(client_id=number, content_length=INLINE_BODY + 1), None)
                admitted, refused = owner.questions
                admitted.admit()
                refused.answer(a_head("403 Forbidden"), b"")
                assert owner.refused == [403]
                streams.part(StreamPart("http", "2", 0, b"sent before", False))
                assert owner.refused == [403]
                streams.part(part(0, bytes(INLINE_BODY + 1)))
                [(_, body)] = owner.done
                assert body is not None
                body.close()

        run(main())


class TestOfAConnectionThatIsBeingClosed:
    def test_the_task_gets_enough_once_and_then_what_it_spends(self) -> None:
        async def main() -> None:
            with uploads(Owner(), Path("/nowhere")) as streams:
                assert [streams.end(*KEY), streams.end(*KEY, 7), streams.end(*KEY, 0)] == [ENOUGH, 7, 0]
                streams.left(*KEY)
                assert streams.end(*KEY, 7) == ENOUGH
                streams.left_all()
                assert streams.end(*KEY, 7) == ENOUGH

        run(main())

    def test_the_oldest_are_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(streamed_uploads, "REMEMBERED", 2)

        async def main() -> None:
            with uploads(Owner(), Path("/nowhere")) as streams:
                for number in range(3):
                    streams.end("http", str(number))
                assert [streams.end("http", str(number), 1) for number in (2, 1, 0)] == [1, 1, ENOUGH]

        run(main())


class TestCredits:
    def test_while_the_disk_is_behind_there_are_none(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with ThreadPoolExecutor(1) as executor, uploads(owner, tmp_path, executor) as streams:
                hold = Hold(executor)
                streams.start(a_request(content_length=MAX_BODY), None)
                offset = 0
                while owner.allowed > offset:
                    assert offset <= HIGH_WATER + UPLOAD_WINDOW
                    streams.part(part(offset, bytes(16_384)))
                    offset += 16_384
                assert offset > HIGH_WATER
                streams.look(math.inf)
                assert owner.refused == [], "it is not the client who is behind"
                hold.let_go()
                await until(lambda: owner.allowed > offset, "more credits")
                assert streams.left(*KEY) is not None

        run(main())

    def test_those_who_leave_get_none(self, tmp_path: Path) -> None:
        async def main() -> None:
            owner = Owner()
            with uploads(owner, tmp_path) as streams:
                request = a_request(content_length=100)
                streams.start(request, None)
                assert streams.left(*KEY) == request
                assert streams.left(*KEY) is None
                assert list(streams.connections) == []

        run(main())
