"""Reads HTTP/1 requests: bytes in, calls to a sink out.

The grammar is httptools' (llhttp, strict). It knows no limits and not every rule about framing; both are added here,
and anything wrong comes out as `Refused`, whoever noticed it.
"""

import enum
from typing import Final, NoReturn, Protocol

import httptools
import msgspec

from wsgid.protocol import http_request
from wsgid.protocol.host import is_host
from wsgid.protocol.http_request import NO_BODY, Body, Refused, Target
from wsgid.protocol.limits import FIELD_OVERHEAD, HttpLimits
from wsgid.protocol.values import Header

FRAMING_OVERHEAD: Final = 64 * 1024
FRAMING_RATIO: Final = 16
"""A body may take FRAMING_OVERHEAD bytes of chunk sizes, extensions and trailers, plus FRAMING_RATIO for each byte of
content (one-byte chunks take 6): llhttp bounds neither extensions nor trailers."""


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """The head of a request."""

    method: str
    target_text: str
    """As sent, less a fragment."""
    target: Target
    version: str
    headers: list[Header]
    body: Body
    expects_continue: bool


class Sink(Protocol):
    """Told of each request in this order; what it raises as Refused ends the reading."""

    def request_begins(self) -> None: ...

    def head_read(self, head: Incoming) -> None: ...

    def body_read(self, part: bytes) -> None: ...

    def request_read(self, head: Incoming, keep_alive: bool) -> None: ...


class Phase(enum.Enum):
    BETWEEN = enum.auto()
    """No byte of the next request has come."""
    HEAD = enum.auto()
    BODY = enum.auto()
    LAST = enum.auto()
    """The client said that no request follows: what still comes is not read."""
    REFUSED = enum.auto()
    """Nobody knows where the next request would begin."""


_RULED: Final = frozenset({"host", "content-length", "transfer-encoding", "expect"})

BETWEEN, HEAD, BODY, LAST, REFUSED = Phase
"""Looked at several times for each request: a global name costs a third of an enum's attribute (Python 3.11)."""

_WHERE_READING_ENDS: Final = (LAST, REFUSED)

MOST_NAMES: Final = 512
LONGEST_NAME: Final = 64
"""How many names of headers are remembered, and up to how many bytes each: browsers, tools and front ends together send
some dozens, and whoever invents others makes us remember no more than this."""

_names: Final[dict[bytes, str]] = {}
"""Names of headers as text in lower case, by the bytes that came: a look-up costs a third of decoding them."""


def _remembered(name: bytes) -> str:
    lowered = name.decode("latin-1").lower()
    if len(name) <= LONGEST_NAME:
        if len(_names) >= MOST_NAMES:
            _names.clear()
        _names[name] = lowered
    return lowered


class _NothingFollows(Exception):
    """Stops the parser, for the request before was the last."""


class RequestReader:
    """`feed` is all there is to call; `phase`, `method` and `target` tell where it is."""

    __slots__ = (
        "_body_size",
        "_fed",
        "_head",
        "_header_bytes",
        "_headers",
        "_headers_complete",
        "_limits",
        "_only_host",
        "_parser",
        "_past_last",
        "_refused",
        "_ruled",
        "_script_name",
        "_sink",
        "phase",
        "target",
    )

    def __init__(self, limits: HttpLimits, script_name: str, sink: Sink) -> None:
        # Per connection
        self.phase = BETWEEN
        self._limits = limits
        self._script_name = script_name
        self._sink = sink
        self._parser = httptools.HttpRequestParser(self)
        self._refused: Refused | None = None
        self._only_host: list[Header] | None = None
        """The last of `_ruled` that was nothing but a good Host."""
        self._past_last = False
        """The parser has gone on behind the last request, and was stopped."""
        # Per request
        self.target = b""
        """As far as it has come."""
        self._headers: list[Header] = []
        self._ruled: list[Header] = []
        """Those of them that `_read_head` has rules for: few, so that it need not go through all of them again."""
        self._headers_complete = False
        self._header_bytes = 0
        self._fed = 0
        self._body_size = 0
        self._head: Incoming | None = None

    @property
    def method(self) -> str:
        """``-`` while it is not known."""
        return self._parser.get_method().decode("latin-1") if self.target else "-"

    @property
    def version(self) -> str:
        """``HTTP/1.0`` if the request on its way is of that, else ``HTTP/1.1``, by which a refusal is written."""
        is_1_0 = self._headers_complete and self._parser.get_http_version() == "1.0"
        return "HTTP/1.0" if is_1_0 else "HTTP/1.1"

    @property
    def headers(self) -> list[Header]:
        """Of the request on its way, once all of them have come. One that is missing may be the one that counts."""
        return self._headers if self._headers_complete else []

    def feed(self, data: bytes) -> None:
        """Raises Refused, after which nothing more is read; the same after anything else that the sink raises."""
        while data and self.phase not in _WHERE_READING_ENDS:
            self._fed += len(data)
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # No upgrade is taken: what follows is the next request (RFC 9110 section 7.8).
                data = data[upgrade.args[0] :]
            except httptools.HttpParserError as error:
                self._not_parsed(error)
                return
            else:
                if self._fed > FRAMING_OVERHEAD:  # which every limit has in it
                    self._check_size()
                return

    def _not_parsed(self, error: httptools.HttpParserError) -> None:
        if isinstance(error, httptools.HttpParserCallbackError):
            if self._past_last:
                return
            self.phase = REFUSED
            # What the callback raised is the context of httptools' own error. But there the interpreter puts another
            # one that is just being handled, such as a full queue in the turn before this request.
            raise self._refused or error.__context__ or error
        if isinstance(error, httptools.HttpParserInvalidMethodError):
            self._refuse(Refused(501, "a method that is not known here"))
        # After a request that was to be the last one, llhttp calls more data an error.
        if self.phase is not LAST:
            self._refuse(Refused(400, f"not HTTP: {error}"))

    def stop(self) -> None:
        """Reads nothing more: the caller has a reason of its own to refuse what is on its way."""
        self.phase = REFUSED

    def _refuse(self, refused: Refused) -> NoReturn:
        self.phase = REFUSED
        self._refused = refused
        raise refused

    def _check_size(self) -> None:
        """Counts what was fed, not what was parsed: the parser itself keeps a header line until it is whole."""
        limits = self._limits
        if self.phase is HEAD and self._fed > limits.request_line + limits.headers + FRAMING_OVERHEAD:
            self._refuse(Refused(431, "the head of the request is too large"))
        if self.phase is BODY and self._fed > limits.headers + FRAMING_OVERHEAD + FRAMING_RATIO * self._body_size:
            self._refuse(Refused(400, "the framing of the body takes far more than the body"))

    # Called by httptools.

    def on_message_begin(self) -> None:
        if self.phase is LAST:
            self._past_last = True
            raise _NothingFollows
        self.phase = HEAD
        self.target = b""
        self._headers = []
        self._ruled = []
        self._headers_complete = False
        self._header_bytes = 0
        self._body_size = 0
        self._sink.request_begins()

    def on_url(self, url: bytes) -> None:
        self.target += url
        if len(self.target) > self._limits.request_line:
            self._refuse(self._limits.long_target())

    def on_header(self, name: bytes, value: bytes) -> None:
        limits, headers = self._limits, self._headers
        size = self._header_bytes = self._header_bytes + len(name) + len(value) + FIELD_OVERHEAD
        if size > limits.headers:
            self._refuse(limits.large_headers())
        if self.phase is BODY:
            return  # a trailer: it comes after the body, where nothing may depend on it (RFC 9110 section 6.5.1)
        if len(headers) >= limits.fields:
            self._refuse(limits.many_fields())
        try:
            lowered = _names[name]
        except KeyError:
            lowered = _remembered(name)
        header = (lowered, value.decode("latin-1").rstrip(" \t"))
        headers.append(header)
        if lowered in _RULED:
            self._ruled.append(header)

    def on_headers_complete(self) -> None:
        self._headers_complete = True
        try:
            self._head = head = self._read_head()
        except Refused as refused:
            self._refuse(refused)
        self._fed = 0
        self.phase = BODY
        self._sink.head_read(head)

    def _read_head(self) -> Incoming:
        parser, ruled = self._parser, self._ruled
        method, version = parser.get_method().decode("latin-1"), f"HTTP/{parser.get_http_version()}"
        if version not in ("HTTP/1.1", "HTTP/1.0"):
            raise Refused(505, f"{version} is not spoken here")
        # The usual GET, about which the rules for such headers have nothing more to say: mostly the one before had the
        # same Host.
        only_host = ruled == self._only_host or self._has_only_host()
        body = NO_BODY if only_host else self._read_framing(version)
        # A target has no fragment (RFC 9112 section 3.2); where a client sends one all the same, Mongrel2 drops it too.
        text = self.target.decode("latin-1")
        if "#" in text:
            text = text.partition("#")[0]
        target = http_request.parse_target(method, text, self._script_name)
        headers = self._headers
        if target.authority:
            headers = [("host", target.authority), *(header for header in headers if header[0] != "host")]
        expects_continue = not only_host and _expects_continue(version, ruled, body)
        return Incoming(method, text, target, version, headers, body, expects_continue)

    def _has_only_host(self) -> bool:
        """And that is one."""
        [(name, value), *more] = self._ruled or [("", "")]
        if more or name != "host" or not is_host(value):
            return False
        self._only_host = self._ruled
        return True

    def _read_framing(self, version: str) -> Body:
        """Raises Refused, also for what is wrong with Host."""
        http_request.check_host(version, self._ruled)
        body = http_request.framing(version, self._ruled)
        if body.length is not None and body.length > self._limits.body:
            raise self._limits.large_body()
        if (body.length or body.chunked) and self._parser.should_upgrade():
            # llhttp takes what follows such a head for the other protocol's and leaves the body unread.
            raise Refused(501, "a request with a body that asks for an upgrade")
        return body

    def on_body(self, part: bytes) -> None:
        self._body_size += len(part)
        if self._body_size > self._limits.body:
            self._refuse(self._limits.large_body())
        self._sink.body_read(part)

    def on_message_complete(self) -> None:
        assert self._head is not None, "llhttp calls in order"
        keep_alive = self._parser.should_keep_alive()
        if keep_alive and self._head.version == "HTTP/1.0":
            # llhttp is content with the word keep-alive there, whatever else is said, and reads on.
            keep_alive = http_request.wants_keep_alive("HTTP/1.0", self._head.headers)
        self.phase = BETWEEN if keep_alive else LAST
        self._fed = 0
        self._sink.request_read(self._head, keep_alive)


def _expects_continue(version: str, headers: list[Header], body: Body) -> bool:
    """Whether the client waits for ``100 Continue`` (RFC 9110 section 10.1.1). Raises Refused(417)."""
    expected = [value for name, value in headers if name == "expect"]
    if not expected or version == "HTTP/1.0":
        return False
    if [value.lower() for value in expected] != ["100-continue"]:
        raise Refused(417, "the only expectation met here is 100-continue")
    return body.chunked or bool(body.length)
