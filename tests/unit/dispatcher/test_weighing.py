import asyncio

import pytest

from tests.unit.dispatcher.loops import run, turns, until
from wsgid.channel.orders import Sizes, SizesWanted
from wsgid.dispatcher import weighing
from wsgid.dispatcher.weighing import Weighing

SIZES = Sizes(1, 2, {3: 4})


def test_each_question_has_one_answer() -> None:
    async def main() -> None:
        said: list[SizesWanted] = []
        heard: list[Sizes | None] = []
        asked = Weighing(said.append, asyncio.get_running_loop())
        asked.ask(heard.append)
        await turns()
        assert (said, heard) == ([SizesWanted()], [])
        asked.answered(SIZES)
        asked.answered(SIZES)
        assert heard == [SIZES]
        asked.ask(heard.append)
        asked.answered(SIZES)
        assert (len(said), len(heard)) == (2, 2)

    run(main())


def test_a_master_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weighing, "PATIENCE", 0.01)

    async def main() -> None:
        heard: list[Sizes | None] = []
        asked = Weighing(lambda _: None, asyncio.get_running_loop())
        asked.ask(heard.append)
        await until(lambda: heard, "an answer")
        assert heard == [None]
        asked.answered(SIZES)  # too late
        assert heard == [None]

    run(main())
