"""The environ of PEP 3333 from a request: pure, and quick, as every request pays for it.

What is the same for all requests of a process is in a template that is copied. What a header is called in the environ
is worked out once for each name and remembered.

Text is latin-1 "bytes in str", as the request holds it: one character is one byte, also for percent-decoding.
"""

import logging
import re
from collections.abc import Callable
from typing import Any, BinaryIO, Final
from wsgiref.types import ErrorStream

from wsgid import SERVER_SOFTWARE
from wsgid.logs import about
from wsgid.protocol.values import Request
from wsgid.worker.file_wrapper import FileWrapper

log = logging.getLogger(__name__)

Environ = dict[str, Any]

MAX_KNOWN_NAMES: Final = 1024
MAX_KNOWN_NAME: Final = 64
"""Header names that are remembered, and the characters of the longest: clients choose them, and they choose many."""

DROPPED: Final = ""

# RFC 9110 section 5.6.2, but for the underscore: in the environ `a_b` would pose as `a-b`, past a front end that
# filters or sets `a-b`. nginx and Apache drop such names for the same reason.
_NAME: Final = re.compile(r"[!#$%&'*+\-.^`|~0-9A-Za-z]+").fullmatch
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")

_known_names: dict[str, str] = {
    "content-type": "CONTENT_TYPE",
    # From `Request.content_length`, which is the decoded body's and there also when the body came in chunks.
    "content-length": DROPPED,
    # The body is decoded: RFC 9112 section 7.1 has the decoder remove the header, so that nobody decodes twice.
    "transfer-encoding": DROPPED,
}
"""Names of headers and their keys in the environ. Written by all threads: at worst two learn the same."""


_OF_EACH_REQUEST: Final = (
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "REQUEST_URI",
    "RAW_URI",
    "SERVER_PROTOCOL",
    "SERVER_NAME",
    "SERVER_PORT",
    "REMOTE_ADDR",
    "wsgi.url_scheme",
    "wsgi.input",
    "wsgi.errors",
    "wsgid.request_id",
    "wsgid.attempt",
    "wsgid.client_gone",
)
"""What `build_environ` sets in every environ. The template has their places: a copy that grew by so many keys would
move all of them twice, which takes as long as all else that is done to it."""


def environ_template(*, threads: int) -> Environ:
    """What is in the environ of every request that a worker with so many threads serves."""
    return dict.fromkeys(_OF_EACH_REQUEST) | {
        "SERVER_SOFTWARE": SERVER_SOFTWARE,
        "wsgi.version": (1, 0),
        "wsgi.multithread": threads > 1,
        # Also with one worker: a worker being replaced finishes its requests beside its successor, and several daemons
        # may run on one app folder.
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        # Reading ends at the body's end, with or without a CONTENT_LENGTH.
        "wsgi.input_terminated": True,
    }


def build_environ(
    template: Environ, request: Request, body: BinaryIO, errors: ErrorStream, client_gone: Callable[[], bool]
) -> Environ:
    """The environ of one request; ``template`` is copied. Raises nothing, whatever the request holds.

    What begins with ``wsgid.`` is described for applications in docs/environ.md.
    """
    environ = template.copy()
    environ["REQUEST_METHOD"] = request.method
    script_name, path = request.script_name, request.path
    if script_name or "%" in path or path[:1] != "/":
        script_name, path = _split_path(script_name, path)
    environ["SCRIPT_NAME"] = script_name
    environ["PATH_INFO"] = path
    environ["QUERY_STRING"] = request.query
    # The first name is uWSGI's and Apache's, the second gunicorn's; applications look for either.
    environ["REQUEST_URI"] = environ["RAW_URI"] = request.target
    environ["SERVER_PROTOCOL"] = request.version
    # PEP 3333: never empty.
    environ["SERVER_NAME"] = request.server_name or "localhost"
    environ["SERVER_PORT"] = request.server_port or ("443" if request.scheme == "https" else "80")
    environ["REMOTE_ADDR"] = request.remote_addr  # RFC 3875 section 4.1.8 wants it even where there is none
    if request.remote_port:
        environ["REMOTE_PORT"] = request.remote_port
    if request.content_length is not None:
        environ["CONTENT_LENGTH"] = str(request.content_length)
    environ["wsgi.url_scheme"] = request.scheme
    environ["wsgi.input"] = body
    environ["wsgi.errors"] = errors
    environ["wsgid.request_id"] = request.id
    environ["wsgid.attempt"] = request.attempt
    environ["wsgid.client_gone"] = client_gone
    known = _known_names.get
    for name, value in request.headers:
        key = known(name)
        if key is None:
            key = _learn(name)
        if key is DROPPED:
            if "_" in name:
                told = "request %s: header %r is dropped: it could pose as one with '-'"
                log.debug(told, request.id, name, extra=about(request.id))
        elif key not in environ:
            environ[key] = value
        else:
            _join(environ, key, value)
    return environ


def _split_path(script_name: str, path: str) -> tuple[str, str]:
    """SCRIPT_NAME and PATH_INFO, decoded.

    As in CGI (RFC 3875 section 4.1.5) an escaped slash is a slash afterwards; REQUEST_URI tells them apart. Bytes that
    are no UTF-8 and zero bytes are the application's to judge, escapes that are none stay as they were sent.
    """
    if script_name:
        decoded = _unquoted(script_name)
        if decoded == "/" or decoded[0] != "/":
            # PEP 3333 has no such SCRIPT_NAME: it is all path.
            decoded, path = "", script_name + path
        script_name = decoded
    if "%" in path:
        path = _unquoted(path)
    if not path.startswith("/"):
        # PATH_INFO may be empty behind a SCRIPT_NAME only; `*` and the like are no paths.
        path = "" if script_name else "/"
    return script_name, path


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


def _learn(name: str) -> str:
    """The key of a header in the environ, or DROPPED."""
    lowered = name.lower()
    if not _NAME(name):
        key = DROPPED
    elif lowered != name and lowered in _known_names:
        key = _known_names[lowered]
    else:
        key = "HTTP_" + name.upper().replace("-", "_")
    if len(name) <= MAX_KNOWN_NAME and len(_known_names) < MAX_KNOWN_NAMES:
        _known_names[name] = key
    return key


def _join(environ: Environ, key: str, value: str) -> None:
    """A header that is there again (RFC 9110 section 5.3)."""
    if key == "HTTP_COOKIE":
        # RFC 9113 section 8.2.3: a comma would be taken for part of a cookie's value.
        environ[key] += "; " + value
    elif key != "CONTENT_TYPE":
        environ[key] += "," + value
    # Else the first one stands. A media type is no list, and joined it would be none; a front end that looks at the
    # type (a firewall, say) has looked at the first.
