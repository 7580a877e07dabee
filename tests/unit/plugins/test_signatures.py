import functools
import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.plugins.signatures import as_called, counted, fits, is_method, shown


def of(function: Callable[..., Any]) -> Signature:
    return inspect.signature(function)


@pytest.mark.parametrize(
    ("taken", "declared", "fit"),
    [
        (lambda: 0, lambda: 0, True),
        (lambda a: 0, lambda b: 0, True),
        (lambda: 0, lambda a: 0, False),
        (lambda a: 0, lambda: 0, False),
        (lambda a=1: 0, lambda: 0, True),
        (lambda a, b=1: 0, lambda a: 0, True),
        (lambda *a: 0, lambda a, b: 0, True),
        (lambda a, b: 0, lambda a, b=1: 0, False),  # may be called with one
        (lambda a: 0, lambda a, b=1: 0, False),  # may be called with two
        (lambda a, b=2: 0, lambda a, b=1: 0, True),
        (lambda a, b: 0, lambda a, *b: 0, False),
        (lambda a, *b: 0, lambda a, *b: 0, True),
        (lambda a: 0, lambda a, **b: 0, False),
        (lambda a, **b: 0, lambda a, **b: 0, True),
        (lambda a, *, b: 0, lambda a: 0, False),
        (lambda a, *, b=1: 0, lambda a: 0, True),
        (lambda a: 0, lambda a, *, b=1: 0, False),
        (lambda a, b: 0, lambda a, *, b: 0, True),
        (lambda a, c: 0, lambda a, *, b: 0, False),
        (lambda a, **b: 0, lambda a, *, b=1: 0, True),
        (lambda a, /: 0, lambda b, /: 0, True),
    ],
)
def test_fits(taken: Callable[..., Any], declared: Callable[..., Any], fit: bool) -> None:
    assert fits(of(taken), of(declared)) is fit


KINDS = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.VAR_POSITIONAL, Parameter.KEYWORD_ONLY)


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    """Any but those with ``**``."""
    required, optional = draw(st.integers(0, 4)), draw(st.integers(0, 3))
    positional_only = draw(st.integers(0, required + optional))
    prefix = draw(st.sampled_from("ab"))  # names are to make no difference
    parameters = [
        Parameter(f"{prefix}{at}", KINDS[at >= positional_only], default=Parameter.empty if at < required else None)
        for at in range(required + optional)
    ]
    if draw(st.booleans()):
        parameters.append(Parameter("more", Parameter.VAR_POSITIONAL))
    named = draw(st.lists(st.sampled_from("xyz"), unique=True))
    parameters += [Parameter(name, Parameter.KEYWORD_ONLY, default=draw(st.sampled_from(["", None]))) for name in named]
    return Signature(parameters)


@given(signatures(), signatures(), st.data())
def test_what_fits_takes_every_call_that_is_declared(
    taken: Signature, declared: Signature, data: st.DataObject
) -> None:
    positional = [each for each in declared.parameters.values() if each.kind in KINDS[:2]]
    least = sum(each.default is Parameter.empty for each in positional)
    most = 9 if any(each.kind is Parameter.VAR_POSITIONAL for each in declared.parameters.values()) else len(positional)
    by_name = [each.name for each in declared.parameters.values() if each.kind is Parameter.KEYWORD_ONLY]
    chosen = data.draw(st.sets(st.sampled_from(by_name)) if by_name else st.just(set()))
    call = range(data.draw(st.integers(least, most)))
    options = dict.fromkeys(chosen)
    declared.bind(*call, **options)
    if fits(taken, declared):
        taken.bind(*call, **options)


@given(signatures())
def test_a_signature_fits_itself(signature: Signature) -> None:
    assert fits(signature, signature)


class Methods:
    def plain(self, a: int, b: str = "") -> None: ...

    @staticmethod
    def static(a: int) -> None: ...

    @classmethod
    def of_class(cls, a: int) -> None: ...

    @functools.wraps(plain)
    def wrapped(self, *args: Any) -> None: ...

    part = functools.partialmethod(plain, 1)
    value = property(lambda self: 1)
    number = 3
    builtin = len

    def nothing() -> None: ...  # type: ignore[misc]  # what this is about


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain", "(a, b='')"),
        ("static", "(a)"),
        ("of_class", "(a)"),
        ("wrapped", "(a, b='')"),
        ("part", "(b='')"),
        ("builtin", "(obj, /)"),
    ],
)
def test_as_called(name: str, text: str) -> None:
    signature = as_called(inspect.getattr_static(Methods, name), Methods)
    assert signature is not None
    assert shown(signature) == text


def test_what_has_no_self() -> None:
    with pytest.raises(ValueError, match=r"^Methods\.nothing\(\) has no parameter for self$"):
        as_called(Methods.nothing, Methods)


def test_what_cannot_be_known() -> None:
    assert as_called(dict.fromkeys, Methods) is not None
    assert as_called(min, Methods) is None
    assert as_called(str.upper, Methods) is None


@pytest.mark.parametrize("name", ["plain", "static", "of_class", "part", "builtin"])
def test_methods(name: str) -> None:
    assert is_method(inspect.getattr_static(Methods, name))


@pytest.mark.parametrize("name", ["value", "number"])
def test_no_methods(name: str) -> None:
    assert not is_method(inspect.getattr_static(Methods, name))


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda: 0, "0 positional arguments"),
        (lambda a: 0, "1 positional argument"),
        (lambda a, b: 0, "2 positional arguments"),
        (lambda a, b=1: 0, "1 to 2 positional arguments"),
        (lambda a, *b: 0, "1 or more positional arguments"),
        (lambda a, *, b, c=1: 0, "1 positional argument and b, c by name"),
    ],
)
def test_counted(function: Callable[..., Any], text: str) -> None:
    assert counted(of(function)) == text
