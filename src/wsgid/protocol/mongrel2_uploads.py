"""Big bodies in files: which upload messages are Mongrel2's own, and which a client made up.

With ``upload.temp_store`` set, Mongrel2 writes a body above ``limits.content_length``, and every chunked one, to a
file, and sends the request twice: when the upload starts, with the file's path in ``x-mongrel2-upload-start``, and
when it is done, with the same path in ``x-mongrel2-upload-done`` as well. A client may send headers of these names
too. What then happens:

- Mongrel2 *replaces* them when it writes its own, however many a client sent. So in a start message the first is
  genuine and the second may be the client's, a single one or a list; in a done message both are genuine single
  values.
- A request whose body is not written to a file keeps the client's.

So all depends on whether Mongrel2 wrote the body to a file, and that shows: it read a length above 0, or found the body
chunked, and yet there is no body in the message.
"""

import re
from typing import Final

import msgspec

from wsgid.protocol.mongrel2_fields import Fields, Repeats
from wsgid.protocol.mongrel2_framing import MAX_LENGTH
from wsgid.protocol.values import Request

START: Final = "x-mongrel2-upload-start"
DONE: Final = "x-mongrel2-upload-done"

_STRTOL: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]+)")


class Upload(msgspec.Struct, frozen=True, gc=False):
    path: bytes
    done: bool


def take_upload(fields: Fields, repeats: Repeats, body: bytes) -> Upload | None:
    """The upload that the headers of an ordinary request speak of, or None when Mongrel2 made none.

    Takes the upload headers, genuine or not, away: nobody behind us shall trust them.
    """
    if START not in fields and DONE not in fields and not repeats:
        return None
    start, done = fields.get(START), fields.get(DONE)
    drop_upload(fields, repeats)
    if not start or "\0" in start or body or not _written_to_file(fields, repeats):
        return None
    return Upload(start.encode("latin-1"), start == done)


def drop_upload(fields: Fields, repeats: Repeats) -> None:
    """Takes the upload headers away where they cannot be genuine: a WebSocket's messages and streamed bodies."""
    for name in (START, DONE):
        fields.pop(name, None)
        repeats.pop(name, None)


def _written_to_file(fields: Fields, repeats: Repeats) -> bool:
    """Whether Mongrel2 has written, or is writing, a body that is not in the message to a file.

    It asks what Mongrel2 made of these headers, be they legal or not: a refused request's file, too, must be removed.
    """
    length = _first("content-length", fields, repeats)
    if length is not None:
        return _strtol(length) > 0
    return _first("transfer-encoding", fields, repeats) == "chunked"


def _first(name: str, fields: Fields, repeats: Repeats) -> str | None:
    return repeats[name][0] if repeats.get(name) else fields.get(name)


def _strtol(text: str) -> int:
    """A Content-Length as Mongrel2 reads it: what precedes the digits and what follows them is ignored; 0 for a number
    below 0 or too large for an ``int``, and when there is none."""
    match = _STRTOL.match(text)
    if match is None or match[1] == "-" or len(match[2]) > 10:
        return 0
    length = int(match[2])
    return length if length <= MAX_LENGTH else 0


def with_file(request: Request, size: int) -> Request:
    """The request of a finished upload, its ``content_length`` known now that its file of ``size`` bytes is open.

    A chunked upload is as long as its file. Any other is as long as its Content-Length: what a client pipelined behind
    it is in the file too, and is not part of it.

    Raises ValueError when the file is shorter than Content-Length.
    """
    length = request.content_length
    if length is None:
        return msgspec.structs.replace(request, content_length=size)
    if size < length:
        raise ValueError(f"the uploaded file has {size} bytes, Content-Length promises {length}")
    return request


def outside_chroot(chroot: bytes, path: bytes) -> bytes:
    """The path of an upload's file as this process sees it: ``chroot`` (``--mongrel2-chroot``) put before it.

    With an empty ``chroot`` the path is used as it is.
    """
    if not chroot:
        return path
    return chroot.rstrip(b"/") + b"/" + path.lstrip(b"/")
