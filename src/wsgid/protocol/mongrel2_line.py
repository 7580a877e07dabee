"""The request line and what else Mongrel2 itself says of a request, under upper-case names that no client can send."""

import re
from typing import Final

import msgspec

from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.mongrel2_envelope import Envelope
from wsgid.protocol.mongrel2_fields import Fields
from wsgid.protocol.mongrel2_framing import CONTROLS, has_controls

HANDSHAKE: Final = "WEBSOCKET_HANDSHAKE"
"""The METHOD of a WebSocket's first message. A client cannot send it: Mongrel2 takes no ``_`` in a method. It can
send those of frames and of control messages (WEBSOCKET, JSON, XML), which are therefore ordinary methods here."""

_TRUSTED: Final = re.compile(r"[A-Z][A-Z0-9_]*").fullmatch
_PLAIN_NAMES: Final = re.compile(r"[a-z0-9-]+").fullmatch


class Line(msgspec.Struct, frozen=True, gc=False):
    method: str
    version: str
    target: str
    path: str
    query: str
    pattern: str
    """The route that matched."""
    scheme: str
    remote_addr: str
    extras: Fields
    """All other upper-case names."""
    usual: bool
    """There is nothing to look for in the client's headers one by one: no odd or repeated name, no control character,
    and too few bytes to exceed a limit."""


def take_line(envelope: Envelope, limits: HttpLimits) -> Line:
    """Takes Mongrel2's names from the envelope's fields and leaves the client's.

    Raises MalformedMessage when one is missing or makes no sense.
    """
    pop = envelope.fields.pop
    try:
        method, version, target, path = pop("METHOD"), pop("VERSION"), pop("URI"), pop("PATH")
        pattern, scheme, remote_addr = pop("PATTERN"), pop("URL_SCHEME"), pop("REMOTE_ADDR")
    except KeyError as error:
        raise envelope.malformed(f"no {error.args[0]} among the headers") from None
    query = pop("QUERY", "")
    usual = _is_usual(envelope, limits)
    extras = {} if usual else _take_extras(envelope.fields)
    line = Line(method, version, target, path, query, pattern, scheme, remote_addr, extras, usual)
    fault = _fault(line)
    if fault is not None:
        raise envelope.malformed(fault)
    return line


def _is_usual(envelope: Envelope, limits: HttpLimits) -> bool:
    fields, block = envelope.fields, envelope.block
    return bool(
        not envelope.repeats
        and _PLAIN_NAMES("".join(fields))
        and "" not in fields
        # The block has all that is limited, and more between its pieces than a header line has.
        and len(block) <= limits.request_line
        and len(block) <= limits.headers
        and len(fields) <= limits.fields
        and len(block.translate(None, CONTROLS)) == len(block)
    )


def _take_extras(fields: Fields) -> Fields:
    return {name: fields.pop(name) for name in list(fields) if _TRUSTED(name)}


def _fault(line: Line) -> str | None:
    method, version, scheme = line.method, line.version, line.scheme
    if not (method.isalnum() and method.isascii()) and method != HANDSHAKE:
        return f"METHOD {method[:40]!r} is not a method"
    if version != "HTTP/1.1" and version != "HTTP/1.0":
        return f"VERSION {version[:40]!r} is neither HTTP/1.0 nor HTTP/1.1"
    if scheme != "http" and scheme != "https":
        return f"URL_SCHEME {scheme[:40]!r} is neither http nor https"
    if line.path[:1] != "/" or not line.target.startswith(line.path):
        return f"PATH {line.path[:40]!r} is not the beginning of URI {line.target[:40]!r}, or has no slash"
    if not line.usual and has_controls(line.target + line.query + line.remote_addr):
        return "a control character in URI, QUERY or REMOTE_ADDR"
    return None
