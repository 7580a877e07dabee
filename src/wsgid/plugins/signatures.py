"""With what a method is called, read off its class: without an instance, and without ``self``."""

import functools
import inspect
from inspect import Parameter, Signature
from types import FunctionType
from typing import Any

_STAND_IN = object()
"""In the place of an instance, which does not exist yet. Binding a function to it runs nothing."""

_WRAPPED = (classmethod, functools.partialmethod, functools.singledispatchmethod)
"""Methods that are themselves not callable. All else that is not, a property for one, is no method."""

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def is_method(member: object) -> bool:
    """Can what stands under a name in a class be called on its instances?"""
    return callable(member) or isinstance(member, _WRAPPED)


def as_called(member: object, owner: type) -> Signature | None:
    """What the method takes beside ``self`` or ``cls``; None when that cannot be known, as of some written in C.

    Raises ValueError for a function that has no parameter for ``self``.
    """
    get = getattr(type(member), "__get__", None)
    try:
        bound: Any = member if get is None else get(member, _STAND_IN, owner)
        return inspect.signature(bound)
    except (ValueError, TypeError):
        if isinstance(member, FunctionType):
            raise ValueError(f"{member.__qualname__}() has no parameter for self") from None
        return None


def fits(taken: Signature, declared: Signature) -> bool:
    """Can a method that takes the one be called in every way that the other declares?

    Arguments go by position, whatever their names; only what is declared behind a ``*`` goes by its name.
    """
    kinds = {each.kind for each in taken.parameters.values()}
    if any(each.kind not in kinds for each in declared.parameters.values() if _is_open(each)):
        return False
    return _takes(taken, declared, optional=False) and _takes(taken, declared, optional=True)


def shown(signature: Signature) -> str:
    """``(message, environ)``: names and defaults, without annotations, which would make a message unreadable."""
    bare = [each.replace(annotation=Parameter.empty) for each in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=Signature.empty))


def counted(signature: Signature) -> str:
    """``2 positional arguments``, ``1 to 3 positional arguments``, ``no arguments``."""
    each = signature.parameters.values()
    most = sum(one.kind in _BY_POSITION for one in each)
    least = sum(one.kind in _BY_POSITION and one.default is Parameter.empty for one in each)
    by_name = [one.name for one in each if one.kind is Parameter.KEYWORD_ONLY]
    number = f"{least} to {most}" if least < most else str(most)
    if any(one.kind is Parameter.VAR_POSITIONAL for one in each):
        number = f"{least} or more"
    text = f"{number} positional argument{'' if number == '1' else 's'}"
    return f"{text} and {', '.join(by_name)} by name" if by_name else text


def _is_open(parameter: Parameter) -> bool:
    return parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def _takes(taken: Signature, declared: Signature, *, optional: bool) -> bool:
    """With or without what may be left out."""
    given = [each for each in declared.parameters.values() if optional or each.default is Parameter.empty]
    by_position = [each.name for each in given if each.kind in _BY_POSITION]
    by_name = {each.name: None for each in given if each.kind is Parameter.KEYWORD_ONLY}
    try:
        taken.bind(*by_position, **by_name)
    except TypeError:
        return False
    return True
