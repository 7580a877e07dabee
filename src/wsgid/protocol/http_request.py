"""From the pieces that an HTTP parser gives to a `Request`, or to the reason why it is refused.

The parser (llhttp, strict) has checked the grammar. What is left are the rules that need the whole head: how many Host
and length fields there are, what they say together, and which form the target has.
"""

from typing import Final

import msgspec

from wsgid.protocol.host import NOT_A_HOST, is_host
from wsgid.protocol.http_answer import refusal
from wsgid.protocol.script_name import below
from wsgid.protocol.values import Header, WrittenHead

_DIGITS: Final = frozenset("0123456789")

NOT_CHUNKED: Final = "a Transfer-Encoding that is not exactly chunked"
"""Why a request is refused, on both edges."""

MAX_LENGTH_DIGITS: Final = 18
"""A Content-Length with more digits does not fit a signed 64-bit number, which is what file sizes are."""


class Refused(Exception):
    """The request is answered by us, with this status code, and the connection is closed after it."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code
        self.why = why

    def answer(self) -> tuple[WrittenHead, bytes]:
        """What the client gets."""
        return refusal(self.code, self.why)


class Body(msgspec.Struct, frozen=True, gc=False):
    """What the head says about the body."""

    length: int | None
    """Content-Length, or None when there is none."""
    chunked: bool


NO_BODY: Final = Body(None, False)


class Target(msgspec.Struct, frozen=True, gc=False):
    script_name: str
    """The application's root, percent-encoded; ``""`` for the whole server."""
    path: str
    """What follows it, percent-encoded."""
    query: str
    authority: str
    """Of a target in absolute form, where it overrides Host (RFC 9112 section 3.2.2); else ``""``."""


def framing(version: str, headers: list[Header]) -> Body:
    """How the request's body is framed. Anything that two parsers could read differently raises Refused(400):
    RFC 9112 section 6.1 and 6.3 leave a server free to, and request smuggling lives in what is let through."""
    length: str | None = None
    coding: str | None = None
    for name, value in headers:
        if name == "content-length":
            if length is not None:
                raise Refused(400, "more than one Content-Length")
            length = value
        elif name == "transfer-encoding":
            if coding is not None:
                raise Refused(400, "more than one Transfer-Encoding")
            coding = value
    if coding is not None:
        if length is not None:
            raise Refused(400, "both Content-Length and Transfer-Encoding")
        if version == "HTTP/1.0":
            raise Refused(400, "Transfer-Encoding on HTTP/1.0")
        # RFC 9112 section 7 has names of codings in any case, but not all read them so: Mongrel2 sees no body there.
        if coding != "chunked":
            raise Refused(400, NOT_CHUNKED)
        return Body(None, True)
    if length is None:
        return NO_BODY
    if not _DIGITS.issuperset(length) or not 0 < len(length) <= MAX_LENGTH_DIGITS:
        raise Refused(400, "a Content-Length that is not a plain number")
    return Body(int(length), False)


def check_host(version: str, headers: list[Header]) -> None:
    """HTTP/1.1 needs exactly one Host, HTTP/1.0 at most one, and it has to be a host (RFC 9112 section 3.2). Raises
    Refused(400)."""
    hosts = [value for name, value in headers if name == "host"]
    if len(hosts) > 1:
        raise Refused(400, "more than one Host")
    if not hosts and version != "HTTP/1.0":
        raise Refused(400, "HTTP/1.1 without Host")
    if hosts and not is_host(hosts[0]):
        raise Refused(400, NOT_A_HOST)


def parse_target(method: str, target: str, script_name: str) -> Target:
    """Splits a request target (RFC 9112 section 3.2). Raises Refused for what no application is behind: targets of
    other forms, and paths that are not below ``script_name``."""
    if method == "CONNECT":
        raise Refused(501, "CONNECT is for proxies")
    authority, path_and_query = "", target
    if not target.startswith("/"):
        authority, path_and_query = _split_url(target)
    path, _, query = path_and_query.partition("?")
    if script_name:
        rest = below(script_name, path)
        if rest is None:
            raise Refused(404, "no application is behind this path")
        path = rest
    return Target(script_name, path, query, authority)


def _split_url(target: str) -> tuple[str, str]:
    """Authority, and path with query, of a target in absolute form. Raises Refused when it is none."""
    scheme, separator, rest = target.partition("://")
    if separator and scheme.lower() == "https":
        # RFC 9110 section 7.4: what is asked for by https must not be given without TLS, of which there is none here.
        raise Refused(421, "https is not spoken on this connection")
    if separator and scheme.lower() == "http":
        end = min((position for mark in "/?" if (position := rest.find(mark)) >= 0), default=len(rest))
        authority = rest[:end]
        if not authority or not is_host(authority):
            raise Refused(400, "a target in absolute form without a plain host")
        return authority, rest[end:] if rest[end:].startswith("/") else f"/{rest[end:]}"
    if target == "*":
        # Mongrel2 answers the asterisk form with 404 as well: it asks about the server, not about an application.
        raise Refused(404, "no application is behind the target *")
    raise Refused(400, "a target that is neither a path nor a URL")


def wants_keep_alive(version: str, headers: list[Header]) -> bool:
    """Whether the client lets the connection be used again (RFC 9112 section 9.3). Tokens in any case."""
    tokens: list[str] = []
    for name, value in headers:
        if name == "connection":
            # Nothing else is a blank in HTTP; to Python some bytes above 0x7f are.
            tokens += [token.strip(" \t") for token in value.lower().split(",")]
    if "close" in tokens:
        return False
    return version != "HTTP/1.0" or "keep-alive" in tokens
