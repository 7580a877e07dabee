"""Rules 1 to 3 of ARCHITECTURE.md: who imports what, read off the source and checked in a fresh interpreter."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import wsgid

SOURCE = Path(wsgid.__file__).parent

PROCESSES = ("wsgid.master", "wsgid.dispatcher", "wsgid.worker")

IMPURE = {
    "asyncio",
    "concurrent",
    "datetime",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "select",
    "selectors",
    "signal",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "uvloop",
    "zmq",
}
"""Sockets, clocks, chance, the system: with any of these, what comes out depends on more than what went in."""

HEAVY = ("zmq", "asyncio", "uvloop", "httptools", "rich")
"""What may hang, leak, or not survive a fork."""


def modules() -> dict[str, Path]:
    """The files of the package by the names they are imported by."""
    found: dict[str, Path] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = ("wsgid", *path.relative_to(SOURCE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> set[str]:
    """The names of the modules that this one imports anywhere in it, also for types only. ``from a import b`` is both
    ``a`` and ``a.b``: which of the two is the module cannot be told from the text."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        match node:
            case ast.Import(names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module, names, level):
                assert level == 0, "a relative import hides which layer it comes from"
                assert module is not None
                found |= {module, *(f"{module}.{alias.name}" for alias in names)}
    return found


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def ours(name: str, *packages: str) -> Iterator[str]:
    """What of these packages this module imports."""
    return (each for each in imports(name) if within(each, *packages))


def in_package(*packages: str) -> list[str]:
    return [name for name in MODULES if within(name, *packages)]


def test_there_is_something_to_check() -> None:
    assert "wsgid.dispatcher.edges.mongrel2_link" in MODULES
    assert "wsgid.protocol.values" in imports("wsgid.dispatcher.exchange")
    assert all(in_package(process) for process in PROCESSES)


class TestProtocol:
    @pytest.mark.parametrize("name", in_package("wsgid.protocol"))
    def test_is_bytes_in_values_out(self, name: str) -> None:
        assert not {each.partition(".")[0] for each in imports(name)} & IMPURE

    @pytest.mark.parametrize("name", in_package("wsgid.protocol"))
    def test_knows_nothing_of_the_rest(self, name: str) -> None:
        assert set(ours(name, "wsgid")) == set(ours(name, "wsgid.protocol"))


class TestPlugnplay:
    @pytest.mark.parametrize("name", in_package("wsgid.plugins"))
    def test_works_without_the_rest(self, name: str) -> None:
        assert set(ours(name, "wsgid")) == set(ours(name, "wsgid.plugins"))
        assert {each.partition(".")[0] for each in imports(name)} <= {"wsgid", *sys.stdlib_module_names}


class TestZeroMQ:
    def test_is_known_to_two_files(self) -> None:
        knowing = [name for name in MODULES if list(ours(name, "zmq"))]
        assert sorted(knowing) == ["wsgid.cli.mongrel2.control_port", "wsgid.dispatcher.edges.mongrel2_link"]

    @pytest.mark.parametrize("name", in_package("wsgid.mongrel2_config"))
    def test_a_configuration_opens_no_socket(self, name: str) -> None:
        assert not {each.partition(".")[0] for each in imports(name)} & {"socket", "zmq", "subprocess", "asyncio"}


class TestProcesses:
    @pytest.mark.parametrize("name", in_package(*PROCESSES))
    def test_never_import_each_other(self, name: str) -> None:
        [own] = [process for process in PROCESSES if within(name, process)]
        assert list(ours(name, *(process for process in PROCESSES if process != own))) == []

    @pytest.mark.parametrize(
        "name",
        [name for name in MODULES if not within(name, *PROCESSES, "wsgid.cli", "wsgid.__main__", "wsgid.testing")],
    )
    def test_are_above_what_they_share(self, name: str) -> None:
        assert list(ours(name, *PROCESSES, "wsgid.cli")) == []

    @pytest.mark.parametrize("name", in_package(*PROCESSES))
    def test_are_below_the_command(self, name: str) -> None:
        assert list(ours(name, "wsgid.cli")) == []

    @pytest.mark.parametrize("name", in_package("wsgid.channel"))
    def test_talk_in_values_of_the_protocol(self, name: str) -> None:
        assert set(ours(name, "wsgid")) == set(ours(name, "wsgid.protocol", "wsgid.channel"))


@pytest.mark.parametrize(
    "name", ["wsgid.cli", "wsgid.cli.start", "wsgid.master.main", "wsgid.worker.main", "wsgid.core"]
)
def test_only_the_dispatcher_loads_what_is_heavy(name: str) -> None:
    """The master forks at any time; a worker leaves memory and import time to the application."""
    code = f"import sys, {name}; print(*sorted(sys.modules.keys() & {set(HEAVY)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
