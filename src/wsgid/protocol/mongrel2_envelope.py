"""A message taken apart: who it is about, its headers and its body.

    SEND_IDENT SP CONNECTION_ID SP PATH SP length:HEADERS tag length:BODY ,

The tag after the headers tells their format: ``,`` is a netstring of JSON, ``}`` a tnetstring dict
(``handler.protocol``).
"""

import re
from typing import Final

import msgspec

from wsgid.protocol.mongrel2_fields import Fields, FieldsError, Repeats, read_json, read_tnetstring
from wsgid.protocol.mongrel2_messages import MalformedMessage
from wsgid.protocol.tnetstrings import MAX_SIZE

_WORDS: Final = rb"([A-Za-z0-9-]{1,255}) (0|-?[1-9][0-9]{0,9}) "
"""Connection ids are unsigned 32-bit numbers that Mongrel2 prints as signed ones."""

_ORIGIN: Final = re.compile(_WORDS).match
_HEAD: Final = re.compile(_WORDS + rb"([^ ]*) (0|[1-9][0-9]{0,6}):").match
_UNANSWERABLE: Final = re.compile(rb"[^ ]+ -?[0-9]+ ").match


class Envelope(msgspec.Struct, gc=False):
    """Its dicts are used up by whoever makes a value of it."""

    server_id: str
    client_id: str
    path: bytes
    """The third word; ``@*`` is a control message's."""
    block: bytes
    """The headers as they came."""
    fields: Fields
    repeats: Repeats
    body: bytes

    def malformed(self, reason: str) -> MalformedMessage:
        return MalformedMessage(reason, self.server_id, self.client_id)


def open_envelope(message: bytes) -> Envelope:
    """Raises MalformedMessage."""
    head = _HEAD(message)
    if head is None:
        raise _bad_head(message)
    server, client, path, length = head.groups()
    if len(client) > 9 and not _is_id(client):
        raise _bad_head(message)
    server_id, client_id = server.decode(), client.decode()
    begin = head.end()
    end = begin + int(length)
    if end - begin > MAX_SIZE:
        raise MalformedMessage(f"headers of {end - begin} bytes, the limit is {MAX_SIZE}", server_id, client_id)
    block = message[begin:end]
    try:
        fields, repeats = _read_fields(message[end : end + 1], block.decode("latin-1"))
    except FieldsError as error:
        raise MalformedMessage(f"headers: {error}", server_id, client_id) from None
    body = _body(message, end + 1)
    if body is None:
        raise MalformedMessage("the body is not one netstring up to the message's end", server_id, client_id)
    return Envelope(server_id, client_id, path, block, fields, repeats, body)


def _read_fields(tag: bytes, text: str) -> tuple[Fields, Repeats]:
    if tag == b"}":
        return read_tnetstring(text)
    if tag == b",":
        return read_json(text)
    raise FieldsError(f"neither a comma nor a brace after their {len(text)} bytes")


def _body(message: bytes, start: int) -> bytes | None:
    if len(message) == start + 3 and message.endswith(b"0:,"):
        return b""
    colon = message.find(b":", start, start + 12)
    digits = message[start:colon]
    body = message[colon + 1 : -1]
    # The length is compared as text: one that is written otherwise is as wrong as one that is too small.
    if colon < 0 or digits != b"%d" % len(body) or message[-1:] != b",":
        return None
    return body


def _is_id(client: bytes) -> bool:
    """Nine digits always are one."""
    return len(client) <= 9 or -(2**31) <= int(client) < 2**32


def _bad_head(message: bytes) -> MalformedMessage:
    origin = _ORIGIN(message)
    if origin is not None and not _is_id(origin[2]):
        return MalformedMessage(f"the connection id {origin[2].decode()} is no number of 32 bits")
    if origin is not None:
        reason = "no path and length of headers after the connection id"
        return MalformedMessage(reason, origin[1].decode(), origin[2].decode())
    if _UNANSWERABLE(message):
        return MalformedMessage(
            f"send_ident {message.partition(b' ')[0][:80]!r} cannot be answered: Mongrel2 reads only letters, digits "
            "and hyphens in an answer. Change send_ident of this handler in Mongrel2's configuration"
        )
    return MalformedMessage(f"no send_ident and connection id at the start: {message[:80]!r}")
