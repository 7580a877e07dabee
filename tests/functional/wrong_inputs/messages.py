"""The messages in the source: what is raised for people to read, and by which tests it is known."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "wsgid"
TESTS = ROOT / "tests"

ERRORS = ("CannotStart", "CannotDo", "LoadError", "ConfigError", "ValueError")

NOT_FOR_USERS = ("dispatcher", "worker", "protocol", "channel", "plugins", "cli/examples")
"""Packages whose errors of these names go from one part of the program to another, or to the author of a plug-in."""

SHORTEST = 12
"""Characters: a piece that is shorter might be anywhere."""


@dataclass(frozen=True)
class Message:
    place: str
    """File and line."""
    pieces: tuple[str, ...]
    """What is the same each time."""

    def __str__(self) -> str:
        return "{}".join(self.pieces)

    @property
    def is_long_enough(self) -> bool:
        return any(len(each) >= SHORTEST for each in self.pieces)

    def is_in(self, text: str) -> bool:
        """All pieces, in their order."""
        place = 0
        for piece in self.pieces:
            found = text.find(piece, place)
            if found < 0:
                return False
            place = found + len(piece)
        return True

    def is_quoted(self) -> bool:
        """Does another test have a piece of it in a text of its own?"""
        pieces = [each for each in self.pieces if len(each) >= SHORTEST]
        return any(piece in text or text in piece for piece in pieces for text in _quotes())


def messages() -> Iterator[Message]:
    """Those that have something to be known by."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = str(path.relative_to(SOURCE))
        if name.startswith(NOT_FOR_USERS):
            continue
        for call in _calls(path):
            pieces = tuple(piece for argument in call.args for piece in _pieces(argument))
            message = Message(f"{name}, line {call.lineno}", pieces)
            if message.is_long_enough:
                yield message


def _calls(path: Path) -> Iterator[ast.Call]:
    """Of the errors, and of the lists that are made into one."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in ERRORS:
                yield node
            case ast.Call(func=ast.Attribute(value=ast.Name(id="errors"), attr="append")):
                yield node


def _pieces(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values):
            return [piece for value in values for piece in _pieces(value)]
        case ast.BinOp(left, _, right):
            return [*_pieces(left), *_pieces(right)]
        case ast.List(elts):
            return [piece for value in elts for piece in _pieces(value)]
        case _:
            return []


@cache
def _quotes() -> frozenset[str]:
    """All texts in other tests. A regular expression counts as what it looks for."""
    found: set[str] = set()
    for path in set(TESTS.rglob("test_*.py")) - {TESTS / "functional" / "test_wrong_inputs.py"}:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value, node.value.replace("\\", ""), node.value.lstrip("^").rstrip("$")}
    return frozenset(each for each in found if len(each) >= SHORTEST)
