"""For loading, in another interpreter and in the test's own."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.unit.loaders.fresh import interpreters, lay_out


@pytest.fixture(autouse=True, scope="package")
def fresh_interpreters() -> Iterator[None]:
    with interpreters():
        yield


class WriteModules(Protocol):
    def __call__(self, files: Mapping[str, str]) -> Path: ...


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteModules]:
    """Writes modules into an app folder whose ``app/`` is importable, gives the folder back, and forgets them again."""
    before = set(sys.modules)

    def write(files: Mapping[str, str]) -> Path:
        folder = lay_out(tmp_path, files)
        monkeypatch.syspath_prepend(folder / "app")
        return folder

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]
