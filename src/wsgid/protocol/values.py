"""The values that travel between an edge, the dispatcher and a worker."""

from typing import Annotated, Final

import msgspec

_CODES: Final = {str(code): code for code in range(100, 600)}
"""Looked up for each answer, at half the price of int()."""

Header = tuple[str, str]
"""One header line. Bytes are carried as latin-1 text, the "bytes in str" of PEP 3333."""


class Request(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One request, parsed once, by whichever edge it came in.

    All text is latin-1 "bytes in str" (PEP 3333, "Unicode Issues"); paths are still percent-encoded.
    """

    key: str
    """By which dispatcher and worker speak of the request; unique within the daemon's life."""
    id: str
    """Names the request to people: in the logs, to the application, to the client. The key, unless a front end that is
    trusted gave one. That may give the same to several requests, so nothing is looked up by it."""
    method: str
    target: str
    """The request target as the client sent it: ``/path?query``."""
    script_name: str
    """The part of the path that chose the application, percent-encoded; ``""`` for the root."""
    path: str
    """The rest of the path, percent-encoded."""
    query: str
    """What follows the first ``?``, without it."""
    version: str
    """``HTTP/1.0`` or ``HTTP/1.1``."""
    headers: list[Header]
    """As they came: order and repeats kept; names lower-cased."""
    scheme: str
    """``http`` or ``https``."""
    server_name: str
    server_port: str
    remote_addr: str
    """IP address of the client in text, ``""`` when it came over a UNIX socket."""
    remote_port: str
    """``""`` when the edge is not told."""
    server_id: str
    """Who handed us the request: Mongrel2's send_ident, or ``http`` for our own edge."""
    client_id: str
    """The connection it came on, unique within ``server_id``."""
    content_length: int | None
    """Bytes of the decoded body; None when the request has none, so that CONTENT_LENGTH is not set."""
    body: bytes
    """The body, unless it is in a file."""
    body_in_file: bool
    """The body is the first ``content_length`` bytes of a descriptor that travels beside this value."""
    attempt: int = 1
    """2 when a worker has died over this request before, and may have done some of its work."""


class UnwritableHead(ValueError):
    """The head of an answer that HTTP cannot carry."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """Status line and headers of an answer, as the application gave them and the worker checked them."""

    status: str
    """``200 OK``: code, one space, reason."""
    headers: list[Header]
    """Checked: latin-1, no control characters, no hop-by-hop names, at most one Content-Length."""
    content_length: int | None
    """The Content-Length among the headers, or None."""

    @property
    def code(self) -> int:
        """Raises UnwritableHead."""
        try:
            return _CODES[self.status[:3]]
        except KeyError:
            raise UnwritableHead(f"no code begins the status {self.status[:40]!r}") from None


GAVE_DATE: Final = 1
GAVE_SERVER: Final = 2
GAVE_REQUEST_ID: Final = 4


class WrittenHead(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A `Head` as HTTP/1.1 writes it, but for what depends on the client and on the moment. Workers write it, who are
    many; what is left to do for the dispatcher does not grow with the number of headers."""

    code: Annotated[int, msgspec.Meta(ge=100, le=599)]
    lines: bytes
    """The status line and the headers, each with its line end."""
    content_length: int | None
    """The Content-Length among them, or None."""
    gave: int
    """Headers that we would add, and the application has given: `GAVE_DATE`, `GAVE_SERVER`, `GAVE_REQUEST_ID`."""
