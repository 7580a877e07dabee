"""Every test has a registry of its own, and forgets the modules that it has loaded."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from wsgid.plugins.registry import Registry, isolated


class WriteFiles(Protocol):
    def __call__(self, files: Mapping[str, str]) -> Path: ...


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    before = set(sys.modules)
    with isolated() as own:
        yield own
    for name in {each for each in set(sys.modules) - before if "@" in each}:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> WriteFiles:
    """Writes files into a folder, which it gives back."""

    def written(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return written
