"""Questions about uploads, as they wait, are asked, are lost and end, with workers that are played."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.unit.dispatcher.fakes import HandClock
from tests.unit.dispatcher.loops import run, turns, until
from tests.unit.dispatcher.requests import a_head, a_request
from tests.unit.dispatcher.running import FarWorker, Running, arrive, running, with_hand_clock
from wsgid.channel import frames
from wsgid.channel.frames import Answer, Kind
from wsgid.channel.orders import Hung
from wsgid.dispatcher.question import RefusedByFilter, in_its_turn
from wsgid.protocol.http_request import Refused

REFUSAL = frames.answer(Answer(a_head("403 Forbidden"), b"not you", True))


class Upload:
    def __init__(self, everything: Running, **request: Any) -> None:
        self.verdicts: list[Refused | None] = []
        self.question = everything.dispatch.ask(a_request(method="POST", **request), self.verdicts.append)

    @property
    def codes(self) -> list[int]:
        return [verdict.code if verdict else 200 for verdict in self.verdicts]

    async def verdict(self) -> int:
        await until(lambda: self.verdicts, "the verdict")
        [code] = self.codes
        return code


def with_filters(test: Callable[[Running], Coroutine[Any, Any, None]], **changes: Any) -> None:
    async def main() -> None:
        async with running(filters=True, **changes) as everything:
            await test(everything)
            everything.access_log.flush()
            assert all("POST" not in line for line in everything.logged()), "a question is no request"

    run(main())


async def asked(worker: FarWorker) -> str:
    return (await worker.threads[0].take(Kind.ASK)).id


class TestTheVerdict:
    def test_is_the_workers(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            first, second = Upload(everything, id="1"), Upload(everything, id="2")
            assert await asked(worker) == "1"
            worker.threads[0].say(frames.ADMITTED)
            assert await asked(worker) == "2"
            worker.threads[0].say(REFUSAL)
            assert (await first.verdict(), await second.verdict()) == (200, 403)
            [refused] = second.verdicts
            assert isinstance(refused, RefusedByFilter)
            assert refused.answer() == (a_head("403 Forbidden"), b"not you")
            assert everything.workers.by_pid[1].served == 0  # these are no requests
            counted = everything.dispatch.counters
            assert (counted.uploads_asked, counted.uploads_refused) == (2, 1)

        with_filters(test)

    def test_never_comes_before_whoever_asks_is_done(self) -> None:
        async def test(everything: Running) -> None:
            upload = Upload(everything)
            assert upload.codes == []
            assert await upload.verdict() == 503

        with_filters(test, queue_size=0)

    def test_goes_to_whom_the_question_was_handed_on(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            upload, others = Upload(everything), list[Refused | None]()
            await asked(worker)
            upload.question.hand_on(others.append)
            worker.threads[0].say(frames.ADMITTED)
            await until(lambda: others, "the verdict")
            assert upload.verdicts == []

        with_filters(test)

    def test_of_one_that_is_over_is_read_and_forgotten(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            waiting = [Upload(everything, id=name) for name in ("asked", "queued", "not yet")]
            await asked(worker)
            for upload in waiting:
                upload.question.close()
                upload.question.close()
            assert everything.dispatch.queued == 0
            worker.threads[0].say(REFUSAL)
            exchange, _ = arrive(everything)
            assert await worker.threads[0].take() == exchange.request
            assert [upload.verdicts for upload in waiting] == [[], [], []]

        with_filters(test)

    def test_on_what_nobody_has_handed_on_yet_is_that_of_the_whole_body(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            question = everything.dispatch.ask(a_request(), in_its_turn)
            await asked(worker)
            worker.threads[0].say(frames.ADMITTED)
            await until(lambda: question.ended, "the verdict")

        with_filters(test)

    @pytest.mark.parametrize("said", [frames.head(a_head()), frames.END, frames.DONE, frames.CUT, frames.DESCRIPTOR])
    def test_is_nothing_else(self, said: bytes, caplog: pytest.LogCaptureFixture) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            upload = Upload(everything)
            await asked(worker)
            worker.threads[0].say(said)
            await worker.threads[0].hear_the_end()
            assert "to a question" in caplog.text
            other = await everything.worker(2)
            assert await asked(other) == "id-1"
            other.threads[0].say(frames.ADMITTED)
            assert await upload.verdict() == 200

        with_filters(test)

    def test_is_not_for_requests(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            arrive(everything)
            await worker.threads[0].take()
            worker.threads[0].say(frames.ADMITTED)
            await worker.threads[0].hear_the_end()
            assert "ADMITTED on a channel" in caplog.text

        with_filters(test)


class TestADeath:
    @pytest.mark.parametrize(("redeliver", "fate"), [(True, "given to another worker"), (False, "answered with 502")])
    def test_has_another_asked_once_whatever_the_method(
        self, redeliver: bool, fate: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test(everything: Running) -> None:
            first, second = await everything.worker(1), await everything.worker(2)
            upload = Upload(everything)
            await until(lambda: not (first.threads[0].silent and second.threads[0].silent), "it to be asked")
            victim, other = (second, first) if first.threads[0].silent else (first, second)
            await asked(victim)
            everything.kill(victim)
            assert "the upload filters' verdict on POST /path?query (id id-1, " in caplog.text
            assert fate in caplog.text
            if redeliver:
                await asked(other)
                everything.kill(other)
            assert await upload.verdict() == 502

        with_filters(test, redeliver=redeliver)


class TestLimits:
    def test_on_waiting_and_on_serving(self) -> None:
        async def test(everything: Running, clock: HandClock) -> None:
            worker = await everything.worker()
            served, queued = Upload(everything, id="1"), Upload(everything, id="2")
            await asked(worker)
            clock.time += 5.0
            everything.dispatch.tick()
            assert (served.codes, queued.codes) == ([], [503])
            clock.time += 5.0
            everything.dispatch.tick()
            assert served.codes == [504]
            assert [each.pid for each in everything.told if isinstance(each, Hung)] == [1]
            worker.threads[0].say(frames.ADMITTED)
            await turns(5)
            assert served.codes == [504]

        with_hand_clock(test, filters=True, timeout=10.0, queue_timeout=5.0)

    def test_of_a_path_that_kills_its_workers(self) -> None:
        async def test(everything: Running) -> None:
            for pid in (1, 2):
                worker = await everything.worker(pid)
                upload = Upload(everything, id=str(pid))
                await asked(worker)
                everything.kill(worker)
                assert await upload.verdict() == 502
            assert await Upload(everything).verdict() == 503

        with_filters(test, quarantine=2, redeliver=False)


class TestTheEnd:
    def test_without_workers_refuses_those_that_wait(self) -> None:
        async def test(everything: Running) -> None:
            upload = Upload(everything)
            await turns(3)
            everything.dispatch.drain()
            assert upload.codes == [503]
            assert await Upload(everything).verdict() == 503

        with_filters(test)

    def test_waits_for_a_verdict_and_then_no_longer(self) -> None:
        async def test(everything: Running) -> None:
            worker = await everything.worker()
            upload = Upload(everything)
            await asked(worker)
            everything.dispatch.drain()
            assert upload.codes == []
            everything.dispatch.give_up()
            assert upload.codes == [503]

        with_filters(test)


class TestWhetherThereAreFilters:
    def test_is_known_by_those_who_have_called(self) -> None:
        async def test(everything: Running) -> None:
            assert everything.dispatch.filters_uploads
            everything.filters = False
            first = await everything.worker(1)
            said = [everything.dispatch.filters_uploads]
            everything.filters = True
            second = await everything.worker(2)
            said.append(everything.dispatch.filters_uploads)
            for worker in (second, first):
                everything.kill(worker)
                said.append(everything.dispatch.filters_uploads)
            assert said == [False, True, False, False]

        with_filters(test)
