"""The line of a request in the access log: a format made into a function, once, when the dispatcher begins.

Every request pays for it. So the function is written for its format, as `dataclasses` write theirs: it looks at nothing
that the format does not name, goes through the headers once, and looks for what has to be escaped in all texts at once.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring_ascii as as_json
from typing import Final, Protocol, cast

from wsgid.access_fields import COMBINED, COMBINED_TEXT, FIELDS, JSON, Kind, Piece, Placed, pieces
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Exchange

TENTHS: Final = tuple(f"{tenths // 10}.{tenths % 10}" for tenths in range(10_000))
"""Milliseconds, up to a second. Each line has two such numbers, and formatting is dearer than looking it up."""


class Line(Protocol):
    def __call__(self, exchange: Exchange, code: int, note: str, clock: Clock, now: float, /) -> str:
        """With its line end."""


def line_of(text: str) -> Line:
    """By a value of ``--access-log-format`` that is not ``none``. Raises ValueError."""
    if text == JSON:
        return _compiled(_json_pieces())
    found = list(pieces(COMBINED_TEXT if text == COMBINED else text))
    return _compiled([*found, "\n"], separators(found))


def quoted(text: str) -> str:
    """The text in printable ASCII, with quotes and backslashes escaped: nobody forges a line or its fields."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return text.encode("unicode_escape").decode("ascii").replace('"', '\\"')


def bare(text: str, ends: str) -> str:
    """The same where no quotes stand around it, and each of these characters would end it."""
    return quoted(text).translate({ord(each): f"\\x{ord(each):02x}" for each in ends})


def separators(found: Sequence[Piece]) -> str:
    """A blank, and the punctuation by which a format ends what stands outside of quotes, in order: what stands next to
    a field that others write, or alone between two fields. Not quotes and backslashes, which are escaped anyway."""
    ends = {" "}
    for before, piece, after in zip(["", *found], found, [*found[1:], ""], strict=False):
        if isinstance(piece, Placed):
            if piece.field.kind is Kind.OUTSIDE and not piece.quoted:
                ends.update(before[-1:] if isinstance(before, str) else "", after[:1] if isinstance(after, str) else "")
        elif len(piece) == 1 and isinstance(before, Placed) and isinstance(after, Placed):
            ends.add(piece)
    return "".join(sorted(each for each in ends if each.isprintable() and not each.isalnum() and each not in '"\\'))


def basic_user(value: str) -> str:
    """The user name in an Authorization header (RFC 7617); ``""`` when there is none."""
    scheme, _, credentials = value.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        user, colon, _ = b64decode(credentials.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return ""
    return user.decode("latin-1") if colon else ""


def milliseconds(seconds: float) -> str:
    """With one decimal."""
    tenths = int(seconds * 10_000 + 0.5)
    return TENTHS[tenths] if 0 <= tenths < len(TENTHS) else f"{seconds * 1000:.1f}"


def _json_pieces() -> list[Piece]:
    found: list[Piece] = []
    for name, field in FIELDS.items():
        if field.in_json:
            found += [f'{", " if found else "{"}"{name}": ', Placed(field, quoted=False)]
    return [*found, "}\n"]


def _compiled(found: Iterable[Piece], ends: str = "") -> Line:
    """In JSON unless there are characters that end fields."""
    written = _Source(ends)
    for piece in found:
        written.add(piece)
    names: dict[str, object] = {each.__name__: each for each in (bare, basic_user, milliseconds, quoted)}
    names |= {"as_json": as_json, "TENTHS": TENTHS}
    exec(compile(written.text(), "<the format of the access log>", "exec"), names)
    return cast(Line, names["line"])


_TIMES: Final = [
    "served_at = exchange.served_at",
    "if served_at:",
    "    wait, service = served_at - exchange.arrived, now - served_at",
    "else:",
    "    wait, service = now - exchange.arrived, 0.0",
]


_TEXT_IN_JSON: Final = 'as_json(text) if (text := {}) else "null"'
_IN_JSON: Final = {
    Kind.NUMBER: "{}",
    Kind.MAYBE_NUMBER: '"null" if (number := {}) is None else number',
    Kind.TEXT: _TEXT_IN_JSON,
    Kind.OUTSIDE: _TEXT_IN_JSON,
    Kind.VERBATIM: "as_json({})",
}
_IN_TEXT: Final = {
    Kind.NUMBER: "{}",
    Kind.MAYBE_NUMBER: '"-" if (number := {}) is None else number',
    Kind.TEXT: '({}) or "-"',
    Kind.OUTSIDE: '({}) or "-"',
    Kind.VERBATIM: "{}",
}
"""Expressions around a field's own: how its value is written."""


class _Source:
    """The source of a `Line`, put together piece by piece. Texts of the format are in it as literals only."""

    def __init__(self, ends: str) -> None:
        self._in_json = not ends
        self._ends = ends
        self._values: list[str] = []
        """Statements that give a name to each value that others have written: it may have to be escaped."""
        self._timed = False
        """It has how long something took."""
        self._headers: dict[str, str] = {}
        """By the name of each header that is looked for, that of its value."""
        self._texts: dict[bool, list[str]] = {True: [], False: []}
        """The names of texts that others have written, in quotes and outside of them."""
        self._parts: list[str] = []
        """Literals whose concatenation is the line."""

    def add(self, piece: Piece) -> None:
        if isinstance(piece, str):
            self._parts.append(repr(piece))
        else:
            self._parts.append(f"f'{{{self._value(piece)}}}'")

    def _value(self, placed: Placed) -> str:
        """An expression."""
        field = placed.field
        code = field.code.replace("header", self._header(field.header)) if field.header else field.code
        form = _IN_JSON if self._in_json else _IN_TEXT
        value = form[field.kind].format(code)
        self._timed = self._timed or "wait" in value or "service" in value
        if field.kind is not Kind.OUTSIDE or self._in_json:
            return f"({value})"
        name = f"value_{len(self._values)}"
        self._values.append(f"{name} = {value}")
        self._texts[placed.quoted].append(name)
        return name

    def _header(self, header: str) -> str:
        return self._headers.setdefault(header, f"header_{len(self._headers)}")

    def text(self) -> str:
        body = ["request = exchange.request"]
        if self._timed:
            body += _TIMES
        body += [*self._reading_headers(), *self._values, *self._escaping()]
        body.append(f"return ({' '.join(self._parts)})")
        return "\n    ".join(["def line(exchange, code, note, clock, now):", *body])

    def _reading_headers(self) -> list[str]:
        """Of several with one name it is the last."""
        if not self._headers:
            return []
        # One look-up for each header, by a hash that its name has already; most are none of these.
        wanted = ", ".join(map(repr, self._headers))
        lines = [f'{" = ".join(self._headers.values())} = ""', "for name, value in request.headers:"]
        lines.append(f"    if name in {{{wanted}}}:")
        for number, (header, value) in enumerate(self._headers.items()):
            lines += [f"        {'elif' if number else 'if'} name == {header!r}:", f"            {value} = value"]
        return lines

    def _escaping(self) -> list[str]:
        quotable, exposed = self._texts[True], self._texts[False]
        texts = [*quotable, *exposed]
        if not texts:
            return []
        together = "".join(f"{{{each}}}" for each in texts)
        further = "".join(f" and {end!r} not in {each}" for each in exposed for end in self._ends)
        clean = f"""texts.isascii() and texts.isprintable() and '"' not in texts and "\\\\" not in texts{further}"""
        return [
            f"texts = f'{together}'" if len(texts) > 1 else f"texts = {texts[0]}",
            f"if not ({clean}):",
            *(f"    {each} = quoted({each})" for each in quotable),
            *(f"    {each} = bare({each}, {self._ends!r})" for each in exposed),
        ]
