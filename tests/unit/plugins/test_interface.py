import abc
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, cast

import pytest

from wsgid.plugins import Interface, Plugin, PluginError
from wsgid.plugins.interface import is_interface, methods


class IShape(Interface):
    def area(self, scale: float) -> Any:
        """In square metres."""

    @staticmethod
    def corners() -> Any: ...

    @classmethod
    def kind(cls, prefix: str, *, upper: bool = False) -> Any: ...

    def _private(self) -> None: ...


def every(interface: type[Interface], name: str) -> Callable[..., list[Any]]:
    """The method as the interface has it: what type checkers take for a call without ``self``."""
    return cast(Callable[..., list[Any]], getattr(interface, name))


def define_shapes() -> None:
    class Square(Plugin):
        implements = [IShape]

        def area(self, factor: float) -> float:
            return factor

        @staticmethod
        def corners() -> int:
            return 4

        @classmethod
        def kind(cls, start: str, *, upper: bool = False) -> str:
            return f"{start}square".upper() if upper else f"{start}square"

    class Circle(Plugin, IShape):
        def area(self, scale: float) -> float:
            return 3 * scale

        def corners(self) -> int:  # type: ignore[override]  # as old plug-ins may
            return 0

        @staticmethod
        def kind(prefix: str, **options: Any) -> tuple[str, dict[str, Any]]:
            return prefix, options


class TestCallingTheInterface:
    def test_calls_every_implementor(self) -> None:
        define_shapes()
        assert every(IShape, "area")(2) == [2, 6]

    def test_calls_static_and_class_methods(self) -> None:
        define_shapes()
        assert every(IShape, "corners")() == [4, 0]
        assert every(IShape, "kind")("a ") == ["a square", ("a ", {})]

    def test_passes_on_by_position_what_implementors_may_call_otherwise(self) -> None:
        define_shapes()
        assert every(IShape, "area")(scale=2) == [2, 6]
        assert every(IShape, "kind")("a ", upper=True) == ["A SQUARE", ("a ", {"upper": True})]

    def test_gives_an_empty_list_without_any(self) -> None:
        assert every(IShape, "area")(2) == []

    @pytest.mark.parametrize("arguments", [(), (1, 2)])
    def test_is_told_when_wrong_also_without_any(self, arguments: tuple[int, ...]) -> None:
        with pytest.raises(TypeError, match="argument"):
            every(IShape, "area")(*arguments)

    def test_may_name_an_argument_as_we_name_ours(self) -> None:
        class INamed(Interface):
            def take(self, interface, args): ...  # type: ignore[no-untyped-def]

        class Taker(Plugin):
            implements = [INamed]

            def take(self, one: int, two: int) -> tuple[int, int]:
                return one, two

        assert every(INamed, "take")(args=2, interface=1) == [(1, 2)]

    def test_passes_what_one_raises_and_leaves_out_the_rest(self) -> None:
        class IStep(Interface):
            def go(self) -> Any: ...

        gone = []

        class First(Plugin, IStep):
            def go(self) -> None:
                gone.append(1)

        class Second(Plugin, IStep):
            def go(self) -> None:
                raise LookupError("second")

        class Third(Plugin, IStep):
            def go(self) -> None:
                gone.append(3)

        with pytest.raises(LookupError, match=r"^second$"):
            every(IStep, "go")()
        assert gone == [1]


class TestImplementors:
    def test_are_the_same_instances_each_time(self) -> None:
        define_shapes()
        first, second = IShape.implementors(), IShape.implementors()
        assert [id(each) for each in first] == [id(each) for each in second]
        assert first is not second

    def test_are_one_for_several_interfaces(self) -> None:
        class IA(Interface): ...

        class IB(Interface): ...

        class Both(Plugin):
            implements = [IA, IB]

        assert [id(each) for each in IA.implementors()] == [id(each) for each in IB.implementors()]

    def test_can_be_filtered(self) -> None:
        define_shapes()
        assert [type(each).__name__ for each in IShape.implementors(lambda each: each.corners())] == ["Square"]

    def test_are_those_of_derived_interfaces_too(self) -> None:
        class IBase(Interface):
            def one(self) -> Any: ...

        class IDerived(IBase):
            def two(self) -> Any: ...

        class Low(Plugin, IBase):
            def one(self) -> str:
                return "low"

        class High(Plugin):
            implements = [IDerived]

            def one(self) -> str:
                return "high"

            def two(self) -> str:
                return "two"

        assert every(IBase, "one")() == ["low", "high"]
        assert every(IDerived, "one")() == ["high"]
        assert every(IDerived, "two")() == ["two"]

    def test_include_what_is_registered_later(self) -> None:
        assert IShape.implementors() == []
        define_shapes()
        assert len(IShape.implementors()) == 2

    def test_are_found_in_other_threads(self) -> None:
        """Readers meet a list that is whole, whatever is registered meanwhile."""

        class ICount(Interface): ...

        seen: list[list[int]] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                seen.append([cast(Any, each).number for each in ICount.implementors()])

        readers = [threading.Thread(target=read) for _ in range(4)]
        for each in readers:
            each.start()
        for number in range(100):
            type(f"Number{number}", (Plugin,), {"implements": [ICount], "number": number})
        done.set()
        for each in readers:
            each.join()
        assert all(each == list(range(len(each))) for each in seen)
        assert len(ICount.implementors()) == 100


class TestDeclarations:
    def test_are_public_functions(self) -> None:
        assert sorted(each.name for each in methods(IShape)) == ["area", "corners", "kind"]

    def test_keep_their_docstrings(self) -> None:
        assert vars(IShape)["area"].__doc__ == "In square metres."

    def test_have_self(self) -> None:
        with pytest.raises(PluginError, match=r"interface\.py, line \d+: .*IOdd\.go\(\) has no parameter for self"):

            class IOdd(Interface):
                def go() -> None: ...  # type: ignore[misc]  # what this is about

    def test_can_be_run_by_super(self) -> None:
        class INamed(Interface):
            def name(self) -> str:
                return "nobody"

        class Ann(Plugin, INamed):
            def name(self) -> str:
                return f"not {super().name()}"

        assert every(INamed, "name")() == ["not nobody"]

    def test_are_what_a_class_that_is_no_interface_inherits(self) -> None:
        class INamed(Interface):
            def name(self) -> str:
                return "nobody"

        class Base(Plugin, INamed):
            @abstractmethod
            def more(self) -> None: ...

        assert Base.name(cast(Any, None)) == "nobody"

    def test_may_be_abstract_and_in_a_class_of_abc(self) -> None:
        class ITyped(Interface, ABC):
            @abstractmethod
            def go(self, far: int) -> int: ...

        class Typed(Plugin, ITyped):
            def go(self, far: int) -> int:
                return far

        assert every(ITyped, "go")(3) == [3]


def test_who_says_what_it_implements_is_to_be_a_plug_in() -> None:
    with pytest.raises(
        PluginError, match=r"test_interface\.py, line \d+: .*Forgotten says .* does not derive from Plugin"
    ):

        class Forgotten(IShape):
            implements = [IShape]


def test_what_is_an_interface() -> None:
    class Implementor(Plugin, IShape):
        @abstractmethod
        def area(self, scale: float) -> float: ...

    assert is_interface(IShape)
    assert not any(map(is_interface, (Interface, Implementor, Plugin, abc.ABC, int, 3, IShape.area)))
