"""The messages of the main log, found in the source: level, text with placeholders, and where each stands."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "wsgid"

LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "exception": "ERROR"}
LOGGERS = {"log", "logger", "_logger"}
DECIDED = "Log"
"""What the master's plan returns for a record: `wsgid.master.actions.Log`."""

CONVERSION = re.compile(r"%%|%[-0-9.]*[a-z]")
"""Of a %-format."""

HIDDEN = {
    "request_id": "id",
    "strerror": "reason",
    "error": "reason",
    "filename": "file",
    "held": "requests",
    "how": "how",
}
"""Names that say less than these."""


@dataclass(frozen=True, slots=True)
class Message:
    module: str
    """``master/plan.py``."""
    level: str
    text: str
    """With ``<name>`` for what is put in; ``<name>`` alone where the whole text is made elsewhere."""


def messages() -> list[Message]:
    """Each of them once, in the order of files and lines."""
    found = (each for file in sorted(SOURCE.rglob("*.py")) for each in _of(file))
    return list(dict.fromkeys(found))


def _of(file: Path) -> Iterator[Message]:
    tree = ast.parse(file.read_text())
    module = str(file.relative_to(SOURCE))
    names = _assigned(tree)
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            for call in _calls(scope):
                texts = _Texts(module, {**names, **_assigned(scope)})
                for level in _levels(call, scope):
                    yield Message(module, level, texts.of(call))


def _calls(scope: ast.AST) -> Iterator[ast.Call]:
    """Those of a record, in this function and not in one that is defined in it."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.Call) and _is_record(child):
            yield child
        yield from _calls(child)


def _is_record(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=name), attr=attr):
            return name in LOGGERS and attr in LEVELS
        case ast.Name(id=name):
            return name == DECIDED and len(call.args) >= 2
    return False


def _levels(call: ast.Call, scope: ast.AST) -> list[str]:
    """One, or two where it depends."""
    match call.func, call.args:
        case ast.Attribute(attr=attr), _:
            return [LEVELS[attr]]
        case _, [ast.Attribute(attr=attr), *_]:
            return [attr]
        case _, [ast.Name(id=name), *_]:
            value = _assigned(scope).get(name)
            found = [each.attr for each in ast.walk(value) if isinstance(each, ast.Attribute)] if value else []
            return [each for each in found if each in LEVELS.values()] or ["INFO"]
    raise ValueError(f"no level is found in {ast.unparse(call)}")


def _assigned(scope: ast.AST) -> dict[str, ast.expr]:
    """What names are given in it, each by the last plain assignment."""
    body = scope.body if isinstance(scope, ast.Module) else list(ast.walk(scope))
    return {
        each.targets[0].id: each.value
        for each in body
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)
    }


@dataclass(frozen=True, slots=True)
class _Texts:
    module: str
    names: Mapping[str, ast.expr]

    def of(self, call: ast.Call) -> str:
        if isinstance(call.func, ast.Name):
            return self._text(call.args[1])
        template, *values = call.args
        shown = iter([self._shown(each) for each in values])
        text = self._text(template)
        return CONVERSION.sub(lambda each: "%" if each[0] == "%%" else next(shown), text)

    def _text(self, node: ast.expr) -> str:
        """Of a literal, an f-string, or the name of one."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=parts):
                return "".join(map(self._text, parts))
            case ast.FormattedValue(value=value):
                return self._shown(value)
            case ast.Name(id=name) if isinstance(given := self.names.get(name), ast.Constant | ast.JoinedStr):
                return self._text(given)
        return self._shown(node)

    def _shown(self, node: ast.expr) -> str:
        """What stands for a value: the value itself when it is a constant."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))):
                return f"{one}|{other}"
            case ast.Name(id=name) if name.isupper():
                return self._constant("", name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if name.isupper():
                return self._constant(owner, name)
        return f"<{_name(node)}>"

    def _constant(self, owner: str, name: str) -> str:
        module: object = importlib.import_module(f"wsgid.{self.module.removesuffix('.py').replace('/', '.')}")
        value = getattr(getattr(module, owner, None) if owner else module, name, None)
        if not isinstance(value, str | int | float):
            return f"<{name.lower().replace('_', ' ')}>"
        return f"{value:g}" if isinstance(value, float) else str(value)


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return HIDDEN.get(name, name.strip("_").replace("_", " "))
        case ast.Call(func=ast.Name(id="len")):
            return "number"
        case ast.BoolOp(values=[first, *_]):
            return _name(first)
        case ast.Call(args=[first, *_]) | ast.Call(func=ast.Attribute(value=first, attr="splitlines" | "absolute")):
            return _name(first)
        case ast.Call(func=function):
            return _name(function).removeprefix("get")
        case ast.Subscript(value=value) | ast.Starred(value=value) | ast.GeneratorExp(elt=value):
            return _name(value)
    return "text"
