import sys
import threading
from dataclasses import dataclass, replace
from types import ModuleType
from typing import cast

import pytest

from tests.deadlines import seconds, wait_for
from tests.unit.plugins.greetings import IGreeting, greeters
from wsgid.plugins import Place, Plugin, PluginError, isolated, registered
from wsgid.plugins.registry import Registration, Registry, current


class Greets:
    def greet(self, name: str) -> str:
        return name


class Fails(Greets):
    def __init__(self) -> None:
        raise LookupError


def registration(plugin: type, order: int = 0) -> Registration:
    return Registration(plugin, (IGreeting,), order, Place("greeting.py", 1))


def define(name: str) -> type:
    return type(name, (Greets,), {"__qualname__": name})


def names(registry: Registry) -> list[str]:
    return [each.plugin.__name__ for each in registry.registrations]


class TestIsolated:
    def test_is_empty_and_forgotten_afterwards(self, registry: Registry) -> None:
        class Outer(Greets, Plugin):
            implements = [IGreeting]

        with isolated() as inner:
            assert current() is inner
            assert registered() == ()

            class Inner(Greets, Plugin):
                implements = [IGreeting]

            assert greeters() == ["Inner"]
        assert greeters() == ["Outer"]
        assert current() is registry

    def test_ends_also_with_an_exception(self, registry: Registry) -> None:
        with pytest.raises(LookupError), isolated():
            raise LookupError
        assert current() is registry

    def test_holds_for_other_threads(self) -> None:
        class Greeter(Greets, Plugin):
            implements = [IGreeting]

        found: list[str] = []
        thread = threading.Thread(target=lambda: found.extend(greeters()))
        thread.start()
        thread.join(seconds())
        assert found == ["Greeter"]


class TestRegistration:
    def test_says_all_about_a_plug_in(self) -> None:
        class Greeter(Greets, Plugin):
            implements = [IGreeting]
            order = 3

        [one] = registered()
        assert (one.plugin, one.interfaces, one.order, one.source) == (Greeter, (IGreeting,), 3, None)
        assert one.place.file == __file__

    def test_of_a_class_defined_again_keeps_its_source(self, registry: Registry) -> None:
        @dataclass
        class Origin:
            name: str = "greeting.py"

        first = replace(registration(define("A")), source=Origin())  # type: ignore[arg-type]
        registry.admit([first, registration(define("B"))])
        registry.register(registration(again := define("A")))
        replaced = registry.registrations[0]
        assert (replaced.plugin, replaced.source) == (again, first.source)
        assert names(registry) == ["A", "B"]


class TestHolding:
    def test_keeps_back_what_this_thread_registers(self, registry: Registry) -> None:
        elsewhere = threading.Thread(target=lambda: registry.register(registration(define("Theirs"))))
        with registry.holding() as held:
            registry.register(registration(define("Ours")))
            elsewhere.start()
            elsewhere.join(seconds())
            assert names(registry) == ["Theirs"]
        assert [each.registration.plugin.__name__ for each in held] == ["Ours"]
        registry.register(registration(define("Later")))
        assert names(registry) == ["Theirs", "Later"]

    def test_may_be_nested(self, registry: Registry) -> None:
        with registry.holding() as outer:
            with registry.holding() as inner:
                registry.register(registration(define("A")))
            registry.register(registration(define("B")))
        assert [len(inner), len(outer)] == [1, 1]

    def test_knows_when_a_module_is_gone(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        plugin = define("A")
        plugin.__module__ = "half_imported"
        monkeypatch.setitem(sys.modules, "half_imported", ModuleType("half_imported"))
        with registry.holding() as held:
            registry.register(registration(plugin))
        gone = [held[0].is_gone]
        monkeypatch.setitem(sys.modules, "half_imported", ModuleType("half_imported"))  # by another attempt
        gone.append(held[0].is_gone)
        monkeypatch.delitem(sys.modules, "half_imported")
        gone.append(held[0].is_gone)
        assert gone == [False, True, True]

    def test_takes_a_module_that_never_was_for_present(self, registry: Registry) -> None:
        plugin = define("A")
        plugin.__module__ = "never_imported"
        with registry.holding() as held:
            registry.register(registration(plugin))
        assert not held[0].is_gone


class TestAdmitting:
    def test_is_of_all_or_none(self, registry: Registry) -> None:
        with pytest.raises(PluginError, match=r"greeting\.py, line 1: Fails\(\) raised LookupError"):
            registry.admit([registration(define("A")), registration(Fails)])
        assert registry.registrations == ()

    def test_constructs_at_once(self, registry: Registry) -> None:
        constructed: list[type] = []
        plugin = type("A", (Greets,), {"__init__": lambda self: constructed.append(type(self))})
        registry.admit([registration(plugin)])
        assert constructed == [plugin]
        assert greeters() == ["A"]
        assert constructed == [plugin]

    def test_constructs_only_the_last_of_what_is_defined_again(self, registry: Registry) -> None:
        constructed: list[type] = []
        own = {"__init__": lambda self: constructed.append(type(self))}
        first, second = type("A", (Greets,), own), type("A", (Greets,), own)
        registry.admit([registration(first), registration(second)])
        assert constructed == [second]

    def test_puts_all_in_order(self, registry: Registry) -> None:
        registry.admit([registration(define("B"), 1), registration(define("A"))])
        registry.admit([registration(define("C"), 1), registration(define("Z"), -1)])
        assert names(registry) == ["Z", "A", "B", "C"]


def test_threads_that_ask_at_the_same_time_get_the_same_instance(registry: Registry) -> None:
    constructed: list[object] = []
    release = threading.Event()

    class Slow(Greets):
        def __init__(self) -> None:
            constructed.append(self)
            release.wait(seconds())

    def where(thread: threading.Thread) -> str:
        return sys._current_frames()[cast(int, thread.ident)].f_code.co_name

    registry.register(registration(Slow))
    found: list[object] = []
    first, second = (threading.Thread(target=lambda: found.extend(IGreeting.implementors())) for _ in range(2))
    first.start()
    wait_for(lambda: constructed, "the first thread to construct")
    second.start()
    wait_for(lambda: where(second) in ("instance", "wait"), "the second to wait for it, or to construct too")
    release.set()
    first.join(seconds())
    second.join(seconds())
    assert found == constructed * 2


def test_construction_does_not_keep_other_threads_from_registering(registry: Registry) -> None:
    """A constructor may import, and wait for a thread that is just importing a module with plug-ins."""

    class Patient(Greets):
        def __init__(self) -> None:
            other = threading.Thread(target=lambda: registry.register(registration(define("Other"))))
            other.start()
            other.join(seconds())
            assert not other.is_alive()

    registry.register(registration(Patient))
    assert greeters() == ["Patient"]
    assert greeters() == ["Patient", "Other"]
