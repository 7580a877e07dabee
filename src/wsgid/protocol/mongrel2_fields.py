"""The header block of a message: text of one of two formats in, names and values out.

This is the dearest step of reading a message, so each format has a quick way for the usual block, strings only, and a
strict one that takes everything Mongrel2 writes. They never disagree: the quick way gives up where it cannot be sure.

Blocks are read as latin-1, which gives every byte a character. It matters for JSON: Mongrel2 escapes only ``"`` and
``\\`` and passes all other bytes of a client's header raw, so that a block may be neither UTF-8 nor valid JSON.
"""

import re
from typing import Final, TypeAlias

import msgspec

from wsgid.protocol import tnetstrings

Fields: TypeAlias = dict[str, str]
"""Names and values. Upper-case names are Mongrel2's own, a client can only send lower-case ones."""

Repeats: TypeAlias = dict[str, list[str]]
"""Names that came more than once, with their values in order of arrival. Mongrel2 keeps the first 5."""


class FieldsError(ValueError):
    """Not a header block. ``str()`` says why."""


_decode_strings = msgspec.json.Decoder(dict[str, str]).decode
_decode_lists = msgspec.json.Decoder(dict[str, str | list[str]]).decode

_WRITTEN_BY_MONGREL2: Final = re.compile(r'[^\\]*(?:\\["\\][^\\]*)*')
"""Text whose only escapes are the two that Mongrel2 knows. A ``\\u0041`` of a client's arrives as ``\\\\u0041``."""

_CONTROLS: Final = {code: f"\\u{code:04x}" for code in range(0x20)}


def read_json(text: str) -> tuple[Fields, Repeats]:
    """Raises FieldsError."""
    if "\\" in text and not _WRITTEN_BY_MONGREL2.fullmatch(text):
        raise FieldsError("a JSON escape that Mongrel2 does not write")
    repeats: Repeats = {}
    try:
        fields = _decode_strings(text)
    except msgspec.DecodeError:
        fields, repeats = _read_unusual_json(text)
    if ' "' in text or "\t" in text:
        _trim(fields, repeats)
    return fields, repeats


def _read_unusual_json(text: str) -> tuple[Fields, Repeats]:
    """A block with lists, or with raw control characters. The latter are given the escapes that JSON wants for them:
    the standard library's ``strict=False`` would read them as they are, but can be made to recurse without end."""
    try:
        mixed = _decode_lists(text.translate(_CONTROLS))
    except msgspec.DecodeError as error:
        raise FieldsError(f"not a JSON object of strings and lists of strings: {error}") from None
    fields = {name: value for name, value in mixed.items() if isinstance(value, str)}
    repeats = {name: value for name, value in mixed.items() if isinstance(value, list)}
    return fields, repeats


_LENGTHS: Final = {f",{length}": length for length in range(4096)}
"""Values are rarely longer, and a longer one only takes the strict way."""

_MAX_COLONS: Final = 256
"""Enough for some 100 headers. Values of nothing but colons, which the quick way puts together again one by one, would
make it a hundred times as slow as the strict one."""


def read_tnetstring(text: str) -> tuple[Fields, Repeats]:
    """``text`` is the payload of a tnetstring dict. Raises FieldsError."""
    repeats: Repeats = {}
    fields = _read_strings(text)
    if not fields:
        fields, repeats = _read_any_tnetstring(text)
    if " ," in text or "\t" in text:
        _trim(fields, repeats)
    return fields, repeats


def _read_strings(text: str) -> Fields:
    """The quick way for a dict of strings, none of them very long; an empty dict for anything else.

    Between two colons lie a string, its tag and the length of the next one: one look-up in a table checks the tag and
    gives the length. It takes two thirds of the time of finding each colon and converting each length.
    """
    # One more length, of a string that never comes, makes the last string look like those before it.
    pieces = iter(f"{text}0".split(":", _MAX_COLONS))
    fields: Fields = {}
    try:
        length = _LENGTHS[f",{next(pieces)}"]
        for piece in pieces:
            name = piece[:length]
            length = _LENGTHS[piece[length:]]
            value = next(pieces)
            while len(value) <= length:
                # The value has a colon, and goes on in the next piece.
                value = f"{value}:{next(pieces)}"
            if name in fields:
                return {}
            fields[name] = value[:length]
            length = _LENGTHS[value[length:]]
    except (KeyError, StopIteration):
        return {}
    return {} if length else fields


def _read_any_tnetstring(text: str) -> tuple[Fields, Repeats]:
    try:
        decoded = tnetstrings.decode(f"{len(text)}:{text}}}".encode("latin-1"))
    except tnetstrings.TnetstringError as error:
        raise FieldsError(f"not a tnetstring dict: {error}") from None
    assert isinstance(decoded, dict)  # its tag is ours
    fields: Fields = {}
    repeats: Repeats = {}
    for name, value in decoded.items():
        if isinstance(value, bytes):
            fields[name.decode("latin-1")] = value.decode("latin-1")
        else:
            repeats[name.decode("latin-1")] = _strings(name, value)
    return fields, repeats


def _strings(name: bytes, value: tnetstrings.Value) -> list[str]:
    if not isinstance(value, list):
        raise FieldsError(f"the value of {name!r} is neither a string nor a list of strings")
    strings = [item.decode("latin-1") for item in value if isinstance(item, bytes)]
    if len(strings) != len(value):
        raise FieldsError(f"not all values of {name!r} are strings")
    return strings


def _trim(fields: Fields, repeats: Repeats) -> None:
    """Takes away the blanks at the end of values, which are no part of them (RFC 9110, section 5.5); Mongrel2 does not.

    Transfer-Encoding keeps its own: ``"chunked "`` is not chunked to Mongrel2, see `mongrel2_framing`.
    """
    for name, value in fields.items():
        if name != "transfer-encoding":
            fields[name] = value.rstrip(" \t")
    for name, values in repeats.items():
        if name != "transfer-encoding":
            repeats[name] = [value.rstrip(" \t") for value in values]
