"""mypy compares a plug-in that derives from its interface with it, and understands what has been promised."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import seconds

SAMPLES = """\
from abc import abstractmethod
from typing import assert_type, final

from wsgid.plugins import Interface, Plugin, isolated, load_plugins, registered, set_plugin_dirs


class IChecksum(Interface):
    @abstractmethod
    def of(self, data: bytes) -> str: ...

    @staticmethod
    @abstractmethod
    def bits() -> int: ...


@final
class Good(Plugin, IChecksum):
    order = 10

    def of(self, content: bytes) -> str:
        return content.hex()

    @staticmethod
    def bits() -> int:
        return 8


class Old(Plugin):
    implements = [IChecksum]

    def of(self, content):  # type: ignore[no-untyped-def]
        return ""

    def bits(self):  # type: ignore[no-untyped-def]
        return 0


@final
class Missing(Plugin, IChecksum):  # E: Final class .*Missing has abstract attributes "bits"
    def of(self, data: bytes) -> str:
        return ""


class Wrong(Plugin, IChecksum):
    order = "first"  # E: Incompatible types in assignment

    def of(self, data: str) -> str:  # E: Argument 1 of "of" is incompatible with supertype "IChecksum"
        return ""

    @staticmethod
    def bits() -> str:  # E: Return type "str" of "bits" incompatible with return type "int" in supertype "IChecksum"
        return ""


class Short(Plugin, IChecksum):
    def of(self) -> str:  # E: Signature of "of" incompatible with supertype "IChecksum"
        return ""


class Named(Plugin):
    implements = [IChecksum, int]  # E: List item 1 has incompatible type "type.int."


Short()  # E: Cannot instantiate abstract class "Short" with abstract attribute "bits"

assert_type(IChecksum.implementors(), list[IChecksum])
assert_type([each.of(b"") for each in IChecksum.implementors(lambda each: each.bits() > 8)], list[str])
IChecksum.implementors(lambda each: each.size)  # E: "IChecksum" has no attribute "size"

set_plugin_dirs("plugins", ["more"])
for failure in load_plugins(entry_point_group="checksums").failed:
    assert_type(failure.reason, str)
with isolated():
    assert_type([each.place.line for each in registered()], list[int])
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """What mypy says of the samples, by line."""
    folder = tmp_path_factory.mktemp("typing")
    (folder / "samples.py").write_text(SAMPLES)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={folder / 'cache'}", "samples.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds(120),
        check=False,
    )
    assert done.stderr == ""
    found = re.findall(r"^samples\.py:(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    assert len(found) == len({line for line, _ in found})
    return {int(line): text for line, text in found}


def expected() -> dict[int, str]:
    marked = enumerate(SAMPLES.splitlines(), 1)
    return {number: text.partition("# E: ")[2] for number, text in marked if "# E: " in text}


def test_what_is_wrong_is_found_and_nothing_else(told: dict[int, str]) -> None:
    assert set(told) == set(expected())
    for line, pattern in expected().items():
        assert re.search(pattern, told[line])


def test_types_are_published() -> None:
    import wsgid

    assert (Path(wsgid.__file__).parent / "py.typed").exists()
