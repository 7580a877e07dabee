"""The fields of the access log, and the formats that are made of them (``--access-log-format``).

A format is text with the names of fields in braces: ``{remote_addr} "{request}" {status}``. Each field says by which
code its value comes out of an exchange: so a format can be made into one function (`wsgid.dispatcher.access_line`),
which is run for every request.
"""

import enum
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wsgid.options import nearest

COMBINED, JSON, NONE = "combined", "json", "none"
"""Formats that have a name."""

HEADER: Final = "header"
"""``{header:Accept-Language}``: that header of the request."""


class Kind(enum.Enum):
    """What the value of a field is, and so how it is written."""

    NUMBER = enum.auto()
    MAYBE_NUMBER = enum.auto()
    """Or None: ``-``, and null in JSON."""
    TEXT = enum.auto()
    """Of our own, or checked long before. Empty: ``-``, and null in JSON."""
    OUTSIDE = enum.auto()
    """The same, but as others have written it: it is escaped."""
    VERBATIM = enum.auto()
    """Also when it is empty."""


@dataclass(frozen=True, slots=True)
class Field:
    words: str
    """What it is, for docs/logs.md."""
    kind: Kind
    code: str
    """An expression of Python, with none but double quotes. It may use ``exchange``, ``request``, ``code``, ``note``,
    ``now``, ``clock``, ``wait`` and ``service`` (seconds), `milliseconds` and `TENTHS`; in what has a `header`,
    ``header``, ``""`` without it."""
    header: str = ""
    """Its name in lower case."""
    in_json: bool = True


_MILLISECONDS: Final = "TENTHS[int({0} * 10_000 + 0.5)] if 0.0 <= {0} < 0.9999 else milliseconds({0})"
"""Nearly all are in the table: for them a call is saved."""

FIELDS: Final[dict[str, Field]] = {
    "time": Field("The end of the request: RFC 3339, UTC, with milliseconds.", Kind.TEXT, "clock.stamp()"),
    "time_local": Field(
        "The same as the combined format has it, in seconds and UTC: `21/Nov/2026:07:33:24 +0000`.",
        Kind.VERBATIM,
        "clock.common(now)",
        in_json=False,
    ),
    "remote_addr": Field(
        "The client's address, as a trusted front end tells it (docs/front-ends.md); none over a UNIX socket.",
        Kind.OUTSIDE,
        "request.remote_addr",
    ),
    "remote_user": Field(
        "The user name of `Authorization: Basic`. Whether the password is right only the application knows.",
        Kind.OUTSIDE,
        'basic_user(header) if header else ""',
        header="authorization",
    ),
    "request": Field(
        "Method, target and protocol, with blanks between them.",
        Kind.OUTSIDE,
        'f"{request.method} {request.target} {request.version}"',
        in_json=False,
    ),
    "method": Field("The method; `-` when it could not be read.", Kind.OUTSIDE, "request.method"),
    "target": Field(
        "Path and query, as they were sent; `-` when they could not be read.", Kind.OUTSIDE, "request.target"
    ),
    "protocol": Field("`HTTP/1.1` or `HTTP/1.0`.", Kind.OUTSIDE, "request.version"),
    "host": Field("The Host header.", Kind.OUTSIDE, "header", header="host"),
    "status": Field("The status code. 499: the client left before it had an answer.", Kind.NUMBER, "code"),
    "bytes": Field("Bytes of the body that were sent to the client.", Kind.NUMBER, "exchange.sent"),
    "referer": Field("The Referer header.", Kind.OUTSIDE, "header", header="referer"),
    "user_agent": Field("The User-Agent header.", Kind.OUTSIDE, "header", header="user-agent"),
    "wait_ms": Field(
        "Milliseconds before a worker had it: in the queue, and behind others of its connection.",
        Kind.NUMBER,
        _MILLISECONDS.format("wait"),
    ),
    "service_ms": Field(
        "Milliseconds from then to its end; 0.0 when no worker had it.",
        Kind.NUMBER,
        _MILLISECONDS.format("service"),
    ),
    "worker": Field(
        "Process id of the worker that had it.",
        Kind.MAYBE_NUMBER,
        "None if exchange.slot is None else exchange.slot.worker.pid",
    ),
    "request_id": Field(
        "Its id: that of `X-Request-Id` in the answer, and of the records of the log.", Kind.TEXT, "request.id"
    ),
    "end": Field(
        "How it ended when not by an answer of the application: `refused` by wsgid, `cut` in the midst, `left` by its "
        "client, `killed` by an operator.",
        Kind.TEXT,
        "note",
    ),
    "ending": Field(
        "The same as ` end=refused`, with a blank before it; nothing after an answer of the application.",
        Kind.VERBATIM,
        'f" end={note}" if note else ""',
        in_json=False,
    ),
}

COMBINED_TEXT: Final = (
    '{remote_addr} - {remote_user} [{time_local}] "{request}" {status} {bytes} "{referer}" "{user_agent}" '
    "wait={wait_ms}ms service={service_ms}ms worker={worker} id={request_id}{ending}"
)
"""Apache's and nginx's combined format, and behind it what they have not."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A field in a format."""

    field: Field
    quoted: bool
    """It stands in double quotes: there a blank ends nothing."""


Piece = str | Placed


def pieces(text: str) -> Iterator[Piece]:
    """Of a format in text: what is written as it is, and fields. Raises ValueError, a sentence."""
    if not (text.replace("\t", "").isascii() and text.replace("\t", "").isprintable()):
        raise ValueError("it has characters that are neither printable ASCII nor tabs")
    in_quotes = False
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{error}: a brace that is no field's is written twice") from None
    for literal, name, option, conversion in parsed:
        in_quotes ^= literal.count('"') % 2 == 1
        if literal:
            yield literal
        if name is not None:
            if conversion:
                raise ValueError(f"{{{name}!{conversion}}} is no field: its name is all that stands in braces")
            yield Placed(_field(name, option or ""), in_quotes)


def access_log_format(text: str, base: object = None) -> str:
    """The text, if it is a format. Raises ValueError."""
    if text not in (COMBINED, JSON, NONE):
        try:
            found = list(pieces(text))
        except ValueError as error:
            raise ValueError(f"{text!r:.200} is no format of the access log: {error}") from None
        if not any(isinstance(each, Placed) for each in found):
            hint = nearest(text, (COMBINED, JSON, NONE))
            raise ValueError(
                f"{text!r:.200} is no format of the access log: it is none of combined, json and none{hint}, and names "
                'no field, as {remote_addr} "{request}" {status} does'
            )
    return text


def _field(name: str, option: str) -> Field:
    if name == HEADER and option:
        if not _is_token(option):
            raise ValueError(f"{option!r:.80} is not the name of a header")
        return Field("", Kind.OUTSIDE, "header", header=option.lower())
    if option or name not in FIELDS:
        written = f"{name}:{option}" if option else name
        names = [*FIELDS, f"{HEADER}:NAME"]
        raise ValueError(f"there is no field {{{written}}}{nearest(name, names)}; there are {', '.join(names)}")
    return FIELDS[name]


def _is_token(name: str) -> bool:
    """RFC 9110 section 5.6.2, without what no header's name has and a line could be misread by."""
    return all(each.isalnum() or each in "-_.!#$%&*+^~|" for each in name)
