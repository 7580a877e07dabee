"""A request as plug-ins see it: by the names that handlers of Mongrel2 know, and the same whichever way it came."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from wsgid.protocol.values import Request


class Upload(enum.Enum):
    """Where the body of a request is."""

    NONE = enum.auto()
    """With the request."""
    STARTED = enum.auto()
    """It is still to come, into a file."""
    DONE = enum.auto()
    """In a file."""


NONE, STARTED, DONE = Upload
ROOT: Final = "/"


# Compared and hashed by identity: so a plug-in can keep what it knows of a request in a WeakKeyDictionary.
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Message:
    """One request. All text is latin-1 "bytes in str", as in PEP 3333."""

    server_id: str
    """Who handed us the request: Mongrel2's ``send_ident``, or ``http`` for our own edge."""
    client_id: str
    """The connection it came on, unique within ``server_id``. It carries many requests."""
    request_id: str
    """Names the request in logs and answers, as ``wsgid.request_id`` in the environ."""
    path: str
    """As the client sent it: percent-encoded, with the script name, without the query."""
    headers: Mapping[str, str]
    """The client's by their names in lower case, those that came more than once joined by ``", "``. In capitals what
    Mongrel2 tells its handlers: METHOD, VERSION, URI, PATH, QUERY (if there is one), PATTERN (the script name, or
    ``/``), REMOTE_ADDR, URL_SCHEME."""
    body: bytes
    """Empty when it is in a file."""
    upload: Upload = NONE

    @classmethod
    def of(cls, request: Request, upload: Upload | None = None) -> Self:
        """``upload``: None when the body of the request is there."""
        if upload is None:
            upload = DONE if request.body_in_file else NONE
        path = request.script_name + request.path
        headers = _headers(request, path)
        return cls(request.server_id, request.client_id, request.id, path, headers, request.body, upload)

    def is_disconnect(self) -> bool:
        """Is it no request, but the word that a client has left? Plug-ins are not called for these, so it is not."""
        return False

    def is_upload_start(self) -> bool:
        """Is the body still to come?"""
        return self.upload is STARTED

    def is_upload_done(self) -> bool:
        """Is the body in a file?"""
        return self.upload is DONE


def _headers(request: Request, path: str) -> dict[str, str]:
    headers = {
        "METHOD": request.method,
        "VERSION": request.version,
        "URI": request.target,
        "PATH": path,
        "PATTERN": request.script_name or ROOT,
        "REMOTE_ADDR": request.remote_addr,
        "URL_SCHEME": request.scheme,
    }
    if request.query:
        headers["QUERY"] = request.query
    for name, value in request.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
