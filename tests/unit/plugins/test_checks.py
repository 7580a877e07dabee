import re
from collections.abc import Callable
from typing import Any

import pytest

from wsgid.plugins import Interface, PluginError
from wsgid.plugins.checks import check
from wsgid.plugins.places import Place

HERE = Place("/srv/site/plugins/greeting.py", 7)


class IFilter(Interface):
    def process(self, m2message: object, environ: dict[str, Any]) -> None: ...

    def exception(self, m2message: object, e: Exception) -> None: ...


class ITimed(IFilter):
    def process(self, m2message: object, environ: dict[str, Any], seconds: float = 0) -> None: ...


PROCESS = f"expected is IFilter.process(m2message, environ) of {vars(IFilter)['process'].place}"
EXCEPTION = f"expected is IFilter.exception(m2message, e) of {vars(IFilter)['exception'].place}"


class Right:
    def process(self, message: object, environ: dict[str, Any]) -> None: ...

    def exception(self, message: object, error: Exception) -> None: ...


def faults(plugin: type, *interfaces: type[Interface]) -> list[str]:
    with pytest.raises(PluginError) as caught:
        check(plugin, interfaces or (IFilter,), HERE)
    return str(caught.value).splitlines()


def with_process(process: object) -> type:
    return type("Greeting", (Right,), {"process": process})


def test_what_is_right_passes() -> None:
    check(Right, (IFilter,), HERE)


def test_a_missing_method() -> None:
    class Greeting:
        process = Right.process

    [fault] = faults(Greeting)
    assert fault == f"{HERE}: {Greeting.__qualname__} has no method exception; {EXCEPTION}"


def test_a_mistyped_name() -> None:
    class Greeting:
        proces = Right.process
        exception = Right.exception

    [fault] = faults(Greeting)
    assert fault == f"{HERE}: {Greeting.__qualname__} has no method process, but has proces; {PROCESS}"


def test_all_faults_are_told() -> None:
    found = faults(type("Empty", (), {"order": "first"}))
    assert len(found) == 3
    assert found[2] == f"{HERE}: Empty.order is 'first', and must be a whole number"


def test_a_wrong_number_of_parameters() -> None:
    def process(self: object, environ: dict[str, Any]) -> None: ...

    [fault] = faults(with_process(process))
    line = process.__code__.co_firstlineno
    assert fault == (
        f"{__file__}, line {line}: Greeting.process(environ) does not take 2 positional arguments, whatever the names; "
        f"{PROCESS}"
    )


@pytest.mark.parametrize(
    ("process", "text"),
    [
        (property(lambda self: 1), r"Greeting\.process is a property and no method"),
        (7, r"Greeting\.process is a int and no method"),
        (eval("lambda: 0"), r"Greeting\.process\(\) has no parameter for self"),
        (
            staticmethod(lambda self, message, environ: 0),
            r"Greeting\.process\(self, message, environ\) does not take 2",
        ),
    ],
)
def test_what_else_is_wrong(process: object, text: str) -> None:
    [fault] = faults(with_process(process))
    assert re.search(f"{text}.*; {re.escape(PROCESS)}$", fault)


def test_what_cannot_be_known_is_believed() -> None:
    check(with_process(min), (IFilter,), HERE)


@pytest.mark.parametrize(
    ("process", "count"),
    [
        (lambda self, m, e: 0, 1),  # ITimed's callers may give three
        (lambda self, m, e, s: 0, 2),  # IFilter's give two, and ITimed's may
        (lambda self, m, e, s=1: 0, 0),
    ],
)
def test_a_method_declared_anew_is_to_fit_both(process: Callable[..., Any], count: int) -> None:
    plugin = with_process(process)
    if count:
        assert len(faults(plugin, ITimed)) == count
    else:
        check(plugin, (ITimed,), HERE)
