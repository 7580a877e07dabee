"""Mongrel2's messages to a handler: bytes in, one value out.

`parse` takes a message apart (`mongrel2_envelope`) and asks what kind it is. HTTP requests, which are nearly all of
them, are made in `mongrel2_http`, the others here. All values are in `mongrel2_messages`; what is sent back is in
`mongrel2_replies`.
"""

import re
from typing import Final

import msgspec

from wsgid.protocol.mongrel2_envelope import Envelope, open_envelope
from wsgid.protocol.mongrel2_http import read_http
from wsgid.protocol.mongrel2_messages import (
    Credits,
    Disconnected,
    MalformedMessage,
    Message,
    SocketKind,
    SocketMessage,
    StreamPart,
)
from wsgid.protocol.mongrel2_terms import Terms
from wsgid.protocol.values import Request

_CONTROL: Final = b"@*"
_KINDS: Final = {kind.value: kind for kind in SocketKind}
_OFFSET: Final = re.compile(r"[0-9]{1,19}").fullmatch
_COUNT: Final = re.compile(r"[0-9]{1,10}").fullmatch


class _Order(msgspec.Struct, frozen=True):
    type: str


_decode_order = msgspec.json.Decoder(_Order).decode


def parse(message: bytes, terms: Terms) -> Message:
    """The value of one ZeroMQ message from Mongrel2. A request whose head exceeds the limits is a RefusedRequest; how
    much body may come is for those to say who receive it. ``terms.next_key`` is called once for each value that holds a
    Request.

    Raises MalformedMessage, and nothing else, for bytes that Mongrel2 does not write.
    """
    envelope = open_envelope(message)
    if "VERSION" in envelope.fields:
        return read_http(envelope, terms)
    # Only Mongrel2 itself can leave VERSION out: a client's request has one, whatever its method.
    if "PATH" in envelope.fields:
        return _socket_message(envelope)
    if envelope.path == _CONTROL:
        return _control(envelope)
    if "UPLOAD_STREAM" in envelope.fields:
        return _stream_part(envelope)
    raise envelope.malformed("neither a request nor a control message: no VERSION, no PATH")


def unread_request(key: str, server_id: str, client_id: str) -> Request:
    """Of which no more is known than where it came from: for the answer to a malformed message, and for the log."""
    return Request(
        key=key,
        id=key,
        method="-",
        target="-",
        script_name="",
        path="",
        query="",
        version="HTTP/1.1",
        headers=[],
        scheme="http",
        server_name="",
        server_port="",
        remote_addr="",
        remote_port="",
        server_id=server_id,
        client_id=client_id,
        content_length=None,
        body=b"",
        body_in_file=False,
    )


def _control(envelope: Envelope) -> Disconnected | Credits:
    """Errors name no connection: whoever is on it is waiting for something else than an answer to this."""
    try:
        order = _decode_order(envelope.body).type
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedMessage(f"a control message that is not a JSON object with a type: {error}") from None
    if order == "disconnect":
        return Disconnected(envelope.server_id, envelope.client_id)
    if order != "credits":
        raise MalformedMessage(f"a control message of unknown type {order[:40]!r}")
    count = envelope.fields.get("DOWNLOAD_CREDITS", "")
    if not _COUNT(count):
        raise MalformedMessage(f"DOWNLOAD_CREDITS {count[:40]!r} are not a number")
    return Credits(envelope.server_id, envelope.client_id, int(count))


def _stream_part(envelope: Envelope) -> StreamPart:
    offset = envelope.fields["UPLOAD_STREAM"]
    if not _OFFSET(offset):
        raise envelope.malformed(f"UPLOAD_STREAM {offset[:40]!r} is not an offset")
    last = "UPLOAD_STREAM_DONE" in envelope.fields
    return StreamPart(envelope.server_id, envelope.client_id, int(offset), envelope.body, last)


def _socket_message(envelope: Envelope) -> SocketMessage:
    fields = envelope.fields
    kind = _KINDS.get(fields.get("METHOD", ""))
    if kind is None:
        raise envelope.malformed("no VERSION, and the METHOD is neither JSON nor XML")
    return SocketMessage(
        envelope.server_id, envelope.client_id, kind, fields["PATH"], fields.get("REMOTE_ADDR", ""), envelope.body
    )
