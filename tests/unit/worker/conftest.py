"""Fixtures for the parts of a worker."""

from collections.abc import Iterator

import pytest

from tests.unit.worker.serving import Bench, bench


@pytest.fixture(name="bench")
def a_bench() -> Iterator[Bench]:
    with bench() as made:
        yield made
