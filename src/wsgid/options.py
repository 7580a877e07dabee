"""What an option is, and how a table of options is read off a class.

The fields of one frozen dataclass are the table: a field's name, type and default are the option's, what people are
told about it is in the field's metadata, put there by `option`. The command line, the environment variables, the keys
of ``wsgid.json`` and the reference page are all derived from what `read_table` returns: an option is written once.
"""

import difflib
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

import msgspec

T = TypeVar("T")

Size = Annotated[int, "bytes"]
"""Bytes; people may write ``512k``, ``10m`` or ``1g``, powers of 1024 as in nginx."""

Mask = Annotated[int, "octal"]
"""Permission bits that new files do not get (umask(2)); people write it in octal."""

ScriptName = Annotated[str, "of the application"]
"""The path of an application's root, as clients send it; empty: it has the whole server."""

HeaderValue = Annotated[str, "of a header"]
"""What a header of all answers is to say; empty: nothing."""

MAX_HEADER_VALUE = 128
"""Characters: every answer carries them."""

ForwardedHeaders = Literal["x-forwarded", "forwarded"]
"""By which headers a front end says who its client is: ``X-Forwarded-For`` and its kind, or RFC 7239's."""

LogFormat = Literal["text", "json"]
"""How the records of the main log are written."""

SyslogFacility = Literal[
    "user", "daemon", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"
]
"""What syslogd is told that its datagrams come from."""

SyslogTag = Annotated[str, "of syslog"]
"""The name of the program in a datagram to syslogd."""

Switch = Annotated[bool, "on or off"]
"""A boolean that is written with its value, ``--redeliver off``, where a bare flag would not say enough."""

MAX_SHOWN = 200
"""Characters of a wrong value that an error repeats: enough to find it again, too few to flood a terminal."""

VARIABLE_PREFIX = "WSGID_"

Reader = Callable[[object, Path], object]
"""Takes a value from any source and the folder that relative paths start from; raises ValueError."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a type of field means to people."""

    metavar: str
    expected: str
    """Completes "is not ..." in an error."""
    read: Reader
    show: Callable[[Any], str] = str
    """A default, as it would be written."""


@dataclass(frozen=True, slots=True)
class Option:
    name: str
    """The field's name, and the key in ``wsgid.json``."""
    kind: Kind
    default: object
    default_text: str
    help: str
    group: str
    metavar: str
    limits: tuple[float, float] | None
    or_zero: bool
    """0 is allowed as well, and says "none"."""
    each: Callable[[str, Path], str] | None
    fixed: bool
    """Set for the daemon's life: a restart cannot change it."""

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def opposite(self) -> str:
        """What turns a boolean option off: ``--no-debug``, but ``--daemon`` for ``--no-daemon``."""
        return "--" + self.flag.removeprefix("--no-") if self.name.startswith("no_") else "--no-" + self.flag[2:]

    @property
    def variable(self) -> str:
        return VARIABLE_PREFIX + self.name.upper()

    @property
    def is_boolean(self) -> bool:
        return self.kind is BOOLEAN

    @property
    def is_repeatable(self) -> bool:
        return self.kind in (LIST, DIRECTORIES)

    @property
    def allowed(self) -> str:
        """Completes "is not ..." in an error, with the limits."""
        if self.limits is None:
            return self.kind.expected
        low, high = (self.kind.show(limit) for limit in self.limits)
        return f"{self.kind.expected} {'0 or ' if self.or_zero else ''}from {low} to {high}"

    def read(self, value: object, base: Path) -> object:
        """The value as the field's type has it; relative paths are taken from the folder ``base``.

        Strings are understood as the type's text form, whichever the type: they are all that the command line and the
        environment have, and what old ``wsgid.json`` files hold. Raises ValueError, a sentence with value and cure.
        """
        try:
            result = self.kind.read(value, base)
        except (ValueError, msgspec.ValidationError):
            raise ValueError(f"{shown(value)} is not {self.allowed}") from None
        if isinstance(result, int | float) and not self._allows(result):
            raise ValueError(f"{shown(value)} is not {self.allowed}")
        if self.each and isinstance(result, tuple):
            return tuple(self.each(item, base) for item in result)
        if self.each and isinstance(result, str):
            return self.each(result, base)
        return result

    def _allows(self, number: float) -> bool:
        if self.limits is None or (self.or_zero and number == 0):
            return True
        return self.limits[0] <= number <= self.limits[1]


def option(
    default: T,
    *,
    help: str,
    group: str,
    metavar: str = "",
    default_text: str = "",
    limits: tuple[float, float] | None = None,
    or_zero: bool = False,
    each: Callable[[str, Path], str] | None = None,
    fixed: bool = False,
) -> T:
    """A dataclass field that is an option.

    `limits` are the lowest and highest number allowed, `or_zero` allows 0 beside them; `each` checks and normalizes a
    text, of a repeatable option each, and raises ValueError; `default_text` is what people are told when the default
    is not simply the value; `fixed` says that only a new start can change it.
    """
    told = {
        "help": help,
        "group": group,
        "metavar": metavar,
        "default_text": default_text,
        "limits": limits,
        "or_zero": or_zero,
        "each": each,
        "fixed": fixed,
    }
    return field(default=default, metadata=told)


def read_table(table: type[Any]) -> tuple[Option, ...]:
    """The options among the fields of a dataclass, in their order."""
    types = get_type_hints(table, include_extras=True)
    return tuple(_read_field(each, KINDS[types[each.name]]) for each in fields(table) if "help" in each.metadata)


def shown(value: object) -> str:
    """A value for an error message: on one line, quoted when it is text, not longer than MAX_SHOWN."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def nearest(word: str, known: Iterable[str], prefix: str = "") -> str:
    """A hint for one who mistyped: ``, did you mean workers?``, or nothing when no known word is near.

    A ``prefix`` that all words have is left out of the comparison: it would make any two of them look alike.
    """
    found = difflib.get_close_matches(word.removeprefix(prefix), [each.removeprefix(prefix) for each in known], n=1)
    return f", did you mean {prefix}{found[0]}?" if found else ""


def _read_field(each: Field[Any], kind: Kind) -> Option:
    told = dict(each.metadata)
    told["metavar"] = told["metavar"] or kind.metavar
    told["default_text"] = told["default_text"] or kind.show(each.default)
    return Option(name=each.name, kind=kind, default=each.default, **told)


def _converted(wanted: type[T]) -> Callable[[object, Path], T]:
    """Not strict: msgspec then reads ``"4"`` and ``"true"`` too, which is just what old files need."""
    return lambda value, base: msgspec.convert(value, wanted, strict=False)


def _read_text(value: object, base: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("no text")
    return value


def _read_directory(value: object, base: Path) -> Path:
    # Not resolved: a release is often switched by pointing a symbolic link elsewhere, and the link is what was named.
    path = base / _read_text(value, base)
    if not os.path.isdir(path):  # Path.is_dir raises where a folder on the way may not be searched
        raise ValueError("no directory")
    return path


def _read_directories(value: object, base: Path) -> tuple[Path, ...]:
    return tuple(_read_directory(item, base) for item in _read_list(value, base))


def _read_size(value: object, base: Path) -> int:
    written = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        return msgspec.convert(value, int, strict=False)
    return int(written["number"]) * _UNITS[written["unit"].lower()]


def _read_switch(value: object, base: Path) -> bool:
    if isinstance(value, str) and value.lower() in _SWITCH:
        return _SWITCH[value.lower()]
    return msgspec.convert(value, bool, strict=False)


def _read_mask(value: object, base: Path) -> int:
    """As umask(1) and chmod(1) write it: octal, whether or not it begins with a zero."""
    if not isinstance(value, str) or not _OCTAL.fullmatch(value):
        raise ValueError("no octal number")
    return int(value, 8)


def _read_script_name(value: object, base: Path) -> str:
    if not isinstance(value, str) or not _SCRIPT_NAME.fullmatch(value):
        raise ValueError("no script name")
    return value


def _read_header_value(value: object, base: Path) -> str:
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value) or len(value) > MAX_HEADER_VALUE:
        raise ValueError("no header value")
    return value


def _read_syslog_tag(value: object, base: Path) -> str:
    if not isinstance(value, str) or not _SYSLOG_TAG.fullmatch(value):
        raise ValueError("no tag")
    return value


def _show_size(value: int) -> str:
    for unit in ("g", "m", "k"):
        if value and value % _UNITS[unit] == 0:
            return f"{value // _UNITS[unit]}{unit}"
    return str(value)


def _read_list(value: object, base: Path) -> tuple[str, ...]:
    items = (value,) if isinstance(value, str) else msgspec.convert(value, tuple[object, ...])
    return tuple(_read_text(item, base) for item in items)


def _one_of(words: Any) -> Kind:
    """A kind by a Literal of texts."""
    allowed: tuple[str, ...] = get_args(words)
    return Kind("|".join(allowed), " or ".join(allowed), lambda value, base: msgspec.convert(value, words))


_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_SIZE = re.compile(r"(?P<number>[0-9]{1,18})(?P<unit>[kmgKMG]?)")

_SWITCH = {"on": True, "off": False}
# Segments of RFC 3986, section 3.3. Clients take "." and ".." out of a path before they send it.
_SCRIPT_NAME = re.compile(r"(?:/(?!\.\.?(?:/|$))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*")

_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")
"""As in RFC 9110 section 5.5, but without what that calls obsolete, bytes above ASCII."""
_SYSLOG_TAG = re.compile(r"[A-Za-z0-9._-]{1,32}")
"""RFC 3164 section 4.1.3 has 32 letters and digits; real ones have the others as well."""
_OCTAL = re.compile(r"0?[0-7]{1,3}")

TEXT = Kind("TEXT", "a non-empty text", _read_text)
DIRECTORY = Kind("DIR", "a directory that exists and can be reached", _read_directory)
BOOLEAN = Kind("", "true or false", _converted(bool), lambda value: str(value).lower())
NUMBER = Kind("N", "a whole number", _converted(int))
SECONDS = Kind("SECONDS", "a number of seconds", _converted(float), "{:g}".format)
SIZE = Kind("SIZE", "a size in bytes, such as 65536, 64k, 10m or 1g,", _read_size, _show_size)
SWITCH = Kind("on|off", "on or off", _read_switch, lambda value: "on" if value else "off")
MASK = Kind("MASK", "a file mode mask in octal, such as 022 or 0077, as text", _read_mask, "{:03o}".format)
SCRIPT_NAME = Kind(
    "PATH",
    "a path such as /shop: it begins with a slash, has none at its end, and is percent-encoded as clients send it",
    _read_script_name,
)
HEADER_VALUE = Kind(
    "TEXT",
    f"a header value: printable ASCII, at most {MAX_HEADER_VALUE} characters, no blank at either end, or empty",
    _read_header_value,
    lambda value: value or "empty",
)
FORWARDED_HEADERS = _one_of(ForwardedHeaders)
LOG_FORMAT = _one_of(LogFormat)
SYSLOG_FACILITY = _one_of(SyslogFacility)
SYSLOG_TAG = Kind("NAME", "a name of at most 32 letters, digits and - . _", _read_syslog_tag)
LIST = Kind("TEXT", "a non-empty text or a list of such", _read_list, ", ".join)
DIRECTORIES = Kind("DIR", "a directory that exists and can be reached, or a list of such", _read_directories)

KINDS: dict[Any, Kind] = {
    str: TEXT,
    str | None: TEXT,
    Path: DIRECTORY,
    Path | None: DIRECTORY,
    bool: BOOLEAN,
    int: NUMBER,
    float: SECONDS,
    Size: SIZE,
    Mask | None: MASK,
    Switch: SWITCH,
    ScriptName: SCRIPT_NAME,
    HeaderValue: HEADER_VALUE,
    ForwardedHeaders: FORWARDED_HEADERS,
    LogFormat: LOG_FORMAT,
    SyslogFacility: SYSLOG_FACILITY,
    SyslogTag: SYSLOG_TAG,
    int | None: NUMBER,
    tuple[str, ...]: LIST,
    tuple[Path, ...]: DIRECTORIES,
}
"""A new type of option is a new line here."""
