import functools
from abc import ABC
from typing import Any

from wsgid.plugins import places
from wsgid.plugins.places import Place


class Located:
    """Takes note of where the classes that derive from it are defined."""

    place: Place

    def __init_subclass__(cls) -> None:
        cls.place = places.of_class(cls)


class Meta(type):
    def __new__(cls, *args: Any) -> Any:
        return super().__new__(cls, *args)


def line_of(text: str) -> int:
    with open(__file__) as file:
        return 1 + next(number for number, line in enumerate(file) if line.strip() == text)


def test_a_class_is_where_its_statement_is() -> None:
    class One(Located):
        pass

    assert One.place == Place(__file__, line_of("class One(Located):"))
    assert str(One.place) == f"{__file__}, line {One.place.line}"


def test_metaclasses_in_between_do_not_matter() -> None:
    scope: dict[str, Any] = {"__name__": "elsewhere", "Located": Located, "Meta": Meta, "ABC": ABC}
    exec(
        compile("\nclass Two(Located, metaclass=Meta): pass\nclass Three(Located, ABC): pass", "two.py", "exec"), scope
    )
    assert [scope[name].place for name in ("Two", "Three")] == [Place("two.py", 2), Place("two.py", 3)]


def test_a_class_of_a_module_that_is_not_running_is_where_it_is_made() -> None:
    made: Any = type("Made", (Located,), {"__module__": "nowhere"})
    assert made.place.file == __file__


def test_a_function_is_below_its_decorators() -> None:
    @functools.lru_cache
    def function() -> None: ...

    expected = Place(__file__, line_of("@functools.lru_cache"))
    assert places.of_function(function) == expected
    assert places.of_function(staticmethod(function)) == expected


def test_what_is_not_written_in_python_is_nowhere() -> None:
    assert places.of_function(len) is None
    assert places.of_function(3) is None


def test_what_is_ours() -> None:
    assert places.is_own(places.__file__)
    assert not places.is_own(__file__)
