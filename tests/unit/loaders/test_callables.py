import functools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from wsgid.loaders import LoadError
from wsgid.loaders.callables import as_application, call_factory


def plain(environ: object, start_response: object) -> Iterable[bytes]:
    return []


class Instance:
    def __call__(self, environ: object, start_response: object) -> Iterable[bytes]:
        return []


class ByIteration:
    """The class itself is the application, its instances are what it returns (PEP 3333)."""

    def __init__(self, environ: object, start_response: object) -> None: ...

    def __iter__(self) -> Iterator[bytes]:
        return iter([b""])


def optional(environ: object = None, start_response: object = None) -> Iterable[bytes]:
    return []


def anything(*args: object, **kwargs: object) -> Iterable[bytes]:
    return []


def more(environ: object, start_response: object, chunked: bool = False) -> Iterable[bytes]:
    return []


class Unreadable:
    """Its signature cannot be inspected, as with much compiled code."""

    __signature__ = "none"

    def __call__(self, *args: object) -> Iterable[bytes]:
        return []


BOUND = Instance().__call__
PARTIAL = functools.partial(more, chunked=True)


@pytest.mark.parametrize(
    "candidate", [plain, Instance(), ByIteration, optional, anything, more, Unreadable(), BOUND, PARTIAL]
)
def test_what_can_be_called_with_two_is_an_application(candidate: object) -> None:
    assert as_application(candidate, "wsgi:app") is candidate


def make() -> Callable[..., Iterable[bytes]]:
    return plain


def make_with_option(debug: bool = False) -> Callable[..., Iterable[bytes]]:
    return plain


def test_what_can_be_called_with_none_and_not_with_two_is_a_factory() -> None:
    assert as_application(make, "wsgi:make") is plain
    assert as_application(make_with_option, "wsgi:make_with_option") is plain
    assert isinstance(as_application(Instance, "wsgi:Instance"), Instance)


@pytest.mark.parametrize("name", ["wsgi:create_app", "wsgi:make_app", "wsgi:shop.create_app"])
def test_a_factory_by_custom_may_have_two_optional_arguments(name: str) -> None:
    def create_app(config: object = None, testing: bool = False) -> Callable[..., Iterable[bytes]]:
        return plain

    assert as_application(create_app, name) is plain


async def asgi(scope: object, receive: object, send: object) -> None: ...


class AsgiInstance:
    async def __call__(self, scope: object, receive: object, send: object) -> None: ...


def one(environ: object) -> None: ...


REFUSED = [
    ("text", "wsgi:it is no application: it is of type str and cannot be called"),
    (None, "wsgi:it is no application: it is of type NoneType and cannot be called"),
    (math, "wsgi:it is a module: name the application in it, for example math:application"),
    (asgi, "wsgi:it is asynchronous, probably an ASGI application: wsgid serves WSGI applications"),
    (AsgiInstance(), "wsgi:it is asynchronous"),
    (AsgiInstance, "what wsgi:it returned is asynchronous"),
    (one, "wsgi:it(environ: object) -> None wants other arguments: a WSGI application is called with two"),
    (lambda: "text", "what wsgi:it returned is no application: it is of type str"),
    (lambda: None, "what wsgi:it returned is no application: it is of type NoneType"),
]


@pytest.mark.parametrize(("candidate", "why"), REFUSED)
def test_what_is_neither_is_refused_in_words(candidate: object, why: str) -> None:
    with pytest.raises(LoadError) as caught:
        as_application(candidate, "wsgi:it")
    assert str(caught.value).startswith(why)


def test_a_factory_by_custom_that_needs_arguments_is_refused() -> None:
    with pytest.raises(LoadError, match=r"wsgi:create_app\(a, b\) wants other arguments: a factory without any"):
        as_application(lambda a, b: plain, "wsgi:create_app")


def test_a_factory_is_called_with_the_arguments_given() -> None:
    got: list[Any] = []

    def factory(*args: object, **kwargs: object) -> Callable[..., Iterable[bytes]]:
        got.append((args, kwargs))
        return plain

    assert call_factory(factory, "wsgi:factory", ("prod",), {"debug": True}) is plain
    assert got == [(("prod",), {"debug": True})]


def test_arguments_that_do_not_fit_are_told_before_anything_is_called() -> None:
    def factory(name: str) -> None:
        raise AssertionError("called")

    with pytest.raises(LoadError, match="wsgi:factory cannot be called like this: missing a required argument: 'name'"):
        call_factory(factory, "wsgi:factory")
    with pytest.raises(LoadError, match="got an unexpected keyword argument 'port'"):
        call_factory(factory, "wsgi:factory", ("x",), {"port": 1})


def test_a_factory_that_cannot_be_inspected_is_called_all_the_same() -> None:
    class Factory(Unreadable):
        def __call__(self, *args: object) -> Any:
            return plain

    assert call_factory(Factory(), "wsgi:factory", (1,)) is plain


def test_what_the_factory_raises_passes() -> None:
    def factory() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        as_application(factory, "wsgi:factory")
