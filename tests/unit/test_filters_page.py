"""The examples in docs/filters.md do what the text says of them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wsgid.filters import SHIPPED
from wsgid.plugins import isolated
from wsgid.testing import run_filters
from wsgid.worker.filters.collecting import MAX_COLLECTED
from wsgid.worker.filters.patience import LIMIT

PAGE = (Path(__file__).parents[2] / "docs/filters.md").read_text()

EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def names() -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {"__name__": "page"}
    with isolated():
        for code in EXAMPLES:
            exec(compile(code, "docs/filters.md", "exec"), found)
        yield found


def test_the_filters(names: dict[str, Any]) -> None:
    filters = [names[name]() for name in ("AddWorkerPid", "Language", "NoSniff")]
    outcome = run_filters(*filters, path="/de/news")
    assert outcome.environ["PATH_INFO"] == "/news"
    assert outcome.environ["HTTP_ACCEPT_LANGUAGE"] == "de"
    assert outcome.headers[-2:] == [("X-Worker", str(os.getpid())), ("X-Content-Type-Options", "nosniff")]


def test_their_tests(names: dict[str, Any]) -> None:
    tests = [each for name, each in names.items() if name.startswith("test_")]
    assert len(tests) == 3
    for each in tests:
        each()


def test_the_limits() -> None:
    assert "longer than 1 MiB" in PAGE
    assert MAX_COLLECTED == 1024**2
    assert "100 ms after the first part" in PAGE
    assert LIMIT == 0.1


def test_the_filters_that_come_with_wsgid() -> None:
    assert re.findall(r"^\| `(.*?)` \|", PAGE, re.MULTILINE) == list(SHIPPED)
