import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.plugins.greetings import IGreeting, greeters
from wsgid.plugins import Interface, Plugin, PluginError, registered


class Greets:
    def greet(self, name: str) -> str:
        return name


class INumber(Interface):
    def number(self) -> Any: ...


class TestWhatRegisters:
    def test_a_class_that_names_its_interfaces(self) -> None:
        class Named(Greets, Plugin):
            implements = [IGreeting]

        assert greeters() == ["Named"]

    def test_one_that_derives_from_them(self) -> None:
        class Derived(Greets, Plugin, IGreeting): ...

        class Otherwise(Greets, IGreeting, Plugin): ...

        assert greeters() == ["Derived", "Otherwise"]

    def test_one_that_does_both_once(self) -> None:
        class Both(Greets, Plugin, IGreeting):
            implements = (IGreeting, IGreeting)

        assert greeters() == ["Both"]
        assert registered()[0].interfaces == (IGreeting,)

    def test_one_without_the_interfaces_that_others_of_its_derive_from(self) -> None:
        class IPolite(IGreeting): ...

        class Polite(Greets, Plugin, IGreeting):
            implements = [IGreeting, INumber, IPolite]

            def number(self) -> int:
                return 1

        assert registered()[0].interfaces == (INumber, IPolite)
        assert greeters() == ["Polite"]

    def test_an_implementor_and_what_derives_from_it(self) -> None:
        class Base(Greets, Plugin):
            implements = [IGreeting]

        class Derived(Base): ...

        assert greeters() == ["Base", "Derived"]

    def test_not_one_that_takes_back_what_its_base_names(self) -> None:
        class Base(Greets, Plugin):
            implements = [IGreeting]

        class Neutral(Base):
            implements = []

        assert greeters() == ["Base"]

    def test_not_one_without_interfaces(self) -> None:
        class Shared(Greets, Plugin): ...

        assert registered() == ()

        class Own(Shared):
            implements = [IGreeting]

        assert greeters() == ["Own"]

    @pytest.mark.parametrize("bases", [(Plugin,), (Plugin, ABC), (Plugin, IGreeting)])
    def test_not_one_with_abstract_methods_of_its_own(self, bases: tuple[type, ...]) -> None:
        greet = abstractmethod(lambda self, name: name)
        base: Any = type("Base", bases, {"implements": [IGreeting], "greet": greet})
        assert registered() == ()

        type("Concrete", (Greets, base), {})
        assert greeters() == ["Concrete"]

    def test_what_a_function_defines_each_time(self) -> None:
        def make() -> None:
            class Made(Greets, Plugin):
                implements = [IGreeting]

        make()
        make()
        assert greeters() == ["Made", "Made"]

    def test_a_class_that_is_defined_again_in_its_earlier_place(self) -> None:
        for number in (1, 2):
            _define_global_and_slotted(number)
        assert [each.plugin.__name__ for each in registered()] == ["Slotted", "Plain"]
        assert [each.number() for each in INumber.implementors()] == [2, 2]


def _define_global_and_slotted(of: int) -> None:
    """As a reload of this module would. The decorator makes a second class of the first one."""
    source = """
@dataclass(slots=True)
class Slotted(Plugin):
    implements = [INumber]
    value: int = of
    def number(self): return self.value
class Plain(Plugin):
    implements = [INumber]
    def number(self): return of
"""
    exec(source, {"__name__": __name__, "dataclass": dataclass, "Plugin": Plugin, "INumber": INumber, "of": of})


class TestOrder:
    def test_is_by_number_then_as_they_came(self) -> None:
        for name, order in (("E", 10), ("C", 0), ("A", -5), ("D", None), ("B", -5), ("F", 10)):
            own: dict[str, object] = {} if order is None else {"order": order}
            type(name, (Greets, Plugin), {"implements": [IGreeting], **own})
        assert greeters() == ["A", "B", "C", "D", "E", "F"]

    def test_is_inherited(self) -> None:
        class Late(Greets, Plugin):
            implements = [IGreeting]
            order = 1

        class AlsoLate(Late): ...

        class Early(Greets, Plugin):
            implements = [IGreeting]

        assert greeters() == ["Early", "Late", "AlsoLate"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("implements", "text"),
        [
            (IGreeting, r"implements is <class '.*IGreeting'>, and must be a list of interfaces"),
            ("IGreeting", r"implements is 'IGreeting', and must be a list of interfaces"),
            ([int], r"implements <class 'int'>, which is no class derived from Interface"),
            ([Interface], r"implements <class '.*Interface'>, which is no class derived from Interface"),
            ([None], r"implements None, which is no class derived from Interface"),
        ],
    )
    def test_of_what_is_no_list_of_interfaces(self, implements: object, text: str) -> None:
        with pytest.raises(PluginError, match=rf"test_plugin\.py, line \d+: Wrong.*{text}"):
            type("Wrong", (Greets, Plugin), {"implements": implements})

    def test_leave_nothing_registered(self) -> None:
        with pytest.raises(PluginError, match="has no method number"):
            type("Half", (Greets, Plugin), {"implements": [IGreeting, INumber]})
        assert registered() == ()

    def test_of_a_class_that_has_only_inherited_the_declaration(self) -> None:
        with pytest.raises(PluginError, match=r"Wrong has no method greet, but has greets; expected"):

            class Wrong(Plugin, IGreeting):
                def greets(self) -> None: ...

    def test_come_before_anything_is_constructed(self) -> None:
        constructed: list[object] = []
        with pytest.raises(PluginError):
            type("Wrong", (Plugin,), {"implements": [IGreeting], "__init__": constructed.append})
        assert constructed == []


class TestOldStyle:
    def test_constructors_that_name_their_class(self) -> None:
        """``super(Old, self)``: the name is bound only after the class statement."""
        scope: dict[str, Any] = {"__name__": __name__, "Plugin": Plugin, "IGreeting": IGreeting}
        source = """
class Old(Plugin):
    implements = [IGreeting,]
    def __init__(self):
        super(Old, self).__init__()
        self.greeting = "hello"
    def greet(self, who):
        return self.greeting
"""
        exec(source, scope)
        assert [each.greet("Ann") for each in IGreeting.implementors()] == ["hello"]


class TestMethods:
    @pytest.mark.parametrize(
        "greet",
        [
            lambda self, name: name,
            lambda self, *names: names[0],
            lambda self, name, sign="!": name,
            staticmethod(lambda name: name),
            classmethod(lambda cls, name: name),
            functools.lru_cache(lambda self, name: name),
            functools.partialmethod(lambda self, sign, name: name, "!"),
            str,
        ],
    )
    def test_of_any_kind_count(self, greet: Callable[..., str]) -> None:
        type("Greeter", (Plugin,), {"implements": [IGreeting], "greet": greet})
        assert [each.greet("Ann") for each in IGreeting.implementors()] == ["Ann"]


class TestConstructors:
    def test_that_fail_are_told_to_who_asks(self) -> None:
        class Fails(Greets, Plugin):
            implements = [IGreeting]

            def __init__(self) -> None:
                raise LookupError("no key")

        for _ in range(2):
            with pytest.raises(PluginError, match=r"line \d+: .*Fails\(\) raised LookupError: no key; plug-ins are"):
                IGreeting.implementors()

    def test_may_ask_for_other_plug_ins(self) -> None:
        class Numbered(Plugin):
            implements = [INumber]

            def number(self) -> int:
                return 7

        class Asks(Greets, Plugin):
            implements = [IGreeting]

            def __init__(self) -> None:
                self.number = INumber.implementors()[0].number()

        assert [getattr(each, "number", None) for each in IGreeting.implementors()] == [7]
