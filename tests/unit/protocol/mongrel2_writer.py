"""Writes messages as Mongrel2 1.12.2 does: both header formats, with its order of names and its JSON escaping."""

from collections.abc import Callable, Mapping

from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.mongrel2_terms import Terms
from wsgid.protocol.tnetstrings import Value, encode
from wsgid.protocol.trust import Trust

LIMITS = HttpLimits(request_line=8190, fields=100, headers=65536, body=1024 * 1024)


def terms(
    key: Callable[[], str] = lambda: "r1",
    limits: HttpLimits = LIMITS,
    trusted: str = "none",
    doubts: list[str] | None = None,
) -> Terms:
    """On which a message is read in a test."""
    return Terms(key, limits, Trust([trusted]).trusts, ([] if doubts is None else doubts).append)


Values = Mapping[str, str | list[str]]

REQUEST_LINE = {
    "REMOTE_ADDR": "127.0.0.1",
    "METHOD": "GET",
    "URL_SCHEME": "http",
    "PATTERN": "/",
    "URI": "/t",
    "VERSION": "HTTP/1.1",
    "PATH": "/t",
}


def tnetstring_message(trusted: Values, client: Values, body: bytes = b"", origin: str = "srv-1 5 /t") -> bytes:
    """Its own names first."""
    fields: dict[bytes, Value] = {}
    for name, value in {**trusted, **client}.items():
        fields[latin1(name)] = latin1(value) if isinstance(value, str) else [latin1(item) for item in value]
    return latin1(origin) + b" " + encode(fields) + b"%d:%b," % (len(body), body)


def json_message(trusted: Values, client: Values, body: bytes = b"", origin: str = "srv-1 5 /t") -> bytes:
    """Its own names last, but for PATH."""
    path = {name: value for name, value in trusted.items() if name == "PATH"}
    pairs = {**path, **client, **trusted}.items()
    block = latin1("{" + ",".join(f"{_json_string(name)}:{_json(value)}" for name, value in pairs) + "}")
    return latin1(origin) + b" " + b"%d:%b,%d:%b," % (len(block), block, len(body), body)


def _json(value: str | list[str]) -> str:
    return _json_string(value) if isinstance(value, str) else "[" + ",".join(map(_json_string, value)) + "]"


def _json_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def latin1(text: str) -> bytes:
    return text.encode("latin-1")
