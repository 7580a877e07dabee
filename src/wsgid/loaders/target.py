"""The spellings of ``--wsgi-app``, read without importing anything.

======================================= ==================================================================
spelling                                means
======================================= ==================================================================
``package.module.object``               the old one: modules as far as there are any, then attributes
``package.module:object``               the colon says where the module ends
``module:object.attribute``
``module:factory()``                    the result of the call
``module:factory("prod", debug=True)``  the arguments are literals: nothing is evaluated
======================================= ==================================================================
"""

import ast
from dataclasses import dataclass

from wsgid.loaders.failure import LoadError

ADVICE = "write it as package.module:object, package.module.object or package.module:factory()"


@dataclass(frozen=True, slots=True)
class Call:
    args: tuple[object, ...]
    kwargs: dict[str, object]


@dataclass(frozen=True, slots=True)
class Target:
    module: str
    """``""`` in the spelling without a colon: only importing can tell how many of ``names`` are modules."""
    names: tuple[str, ...]
    call: Call | None


def parse_target(text: str) -> Target:
    """Raises LoadError, with the right spellings in its text."""
    module, expression = _cut(text)
    node = _parse(expression, text)
    call = None
    if isinstance(node, ast.Call):
        call = _literals(node, text)
        node = node.func
    names = _names(node, text)
    if not module and len(names) < 2:
        raise _misspelt(text, "a module and an object in it are needed")
    return Target(module, names, call)


def _cut(text: str) -> tuple[str, str]:
    """The module, ``""`` in the spelling without a colon, and the rest."""
    module, colon, expression = text.strip().partition(":")
    # A colon in the arguments of a call separates nothing.
    if not colon or "(" in module:
        return "", text.strip()
    if not all(module.split(".")):
        raise _misspelt(text, "there is no module before the colon")
    return module, expression.strip()


def _parse(expression: str, text: str) -> ast.expr:
    try:
        return ast.parse(expression, mode="eval").body
    # ast.parse's documentation names the last two for deeply nested text; ValueError is for a NUL character.
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _misspelt(text, "it cannot be read") from None


def _names(node: ast.expr, text: str) -> tuple[str, ...]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise _misspelt(text, "only names with dots between them can stand for an object")
    return (node.id, *reversed(names))


def _literals(call: ast.Call, text: str) -> Call:
    try:
        args = tuple(ast.literal_eval(arg) for arg in call.args)
        kwargs = {_keyword(word): ast.literal_eval(word.value) for word in call.keywords}
    # The exceptions that ast.literal_eval documents.
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _misspelt(text, "the arguments of a call must be literals, such as 'text', 8 or True") from None
    return Call(args, kwargs)


def _keyword(word: ast.keyword) -> str:
    if word.arg is None:
        raise ValueError("** has no name")
    return word.arg


def _misspelt(text: str, why: str) -> LoadError:
    return LoadError(f"--wsgi-app={text}: {why}; {ADVICE}")
