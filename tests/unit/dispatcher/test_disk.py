import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.dispatcher.loops import run, until
from wsgid.dispatcher.disk import Disk


def test_a_job_is_done_elsewhere_and_its_outcome_told_in_the_loop() -> None:
    async def test() -> None:
        with ThreadPoolExecutor(1, "files") as executor:
            outcomes: list[asyncio.Future[int]] = []
            Disk("/tmp", executor, asyncio.get_running_loop()).run(lambda: 7, outcomes.append)
            await until(lambda: outcomes, "the outcome")
            assert outcomes[0].result() == 7

    run(test())


@pytest.mark.parametrize("shut_down", [False, True])
def test_a_descriptor_is_closed_even_when_the_threads_have_ended(shut_down: bool) -> None:
    async def test() -> None:
        reader, writer = os.pipe()
        with ThreadPoolExecutor(1) as executor:
            if shut_down:
                executor.shutdown()
            Disk("/tmp", executor, asyncio.get_running_loop()).close(reader)
        with pytest.raises(BrokenPipeError):
            os.write(writer, b"x")
        os.close(writer)

    run(test())
