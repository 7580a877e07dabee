# ruff: noqa: RUF009 - a table is made of calls of option()
import itertools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.config import OPTIONS
from wsgid.options import (
    MAX_HEADER_VALUE,
    MAX_SHOWN,
    HeaderValue,
    Mask,
    Option,
    ScriptName,
    Size,
    Switch,
    nearest,
    option,
    read_table,
    shown,
)

ROOT = Path(__file__).parents[2]


def shout(text: str, base: Path) -> str:
    if text == "mute":
        raise ValueError("a mute cannot shout")
    return f"{text.upper()} in {base}"


@dataclass(frozen=True, slots=True)
class Table:
    name: str | None = option(None, group="One", help="A name.", default_text="made up")
    folder: Path = option(Path("."), group="One", help="A folder.")
    no_noise: bool = option(False, group="One", help="Quiet.")
    colour: bool = option(True, group="One", help="Paint.")
    count: int = option(3, group="Two", metavar="BEANS", limits=(1, 9), help="Beans.")
    wait: float = option(1.5, group="Two", limits=(0, 60), help="Patience.")
    room: Size = option(3 * 1024**2, group="Two", limits=(0, 1024**3), help="Room.")
    spare: Size = option(0, group="Two", limits=(1024, 1024**2), or_zero=True, help="Some, or none.")
    mask: Mask | None = option(None, group="Two", help="Bits.", default_text="as it was", fixed=True)
    again: Switch = option(True, group="Two", help="Once more.")
    root: ScriptName = option("", group="Two", help="Where.", default_text="nowhere")
    words: tuple[str, ...] = option(("a", "b"), group="Two", each=shout, help="Words.")
    badge: HeaderValue = option("me", group="Two", help="Who.")
    plain: int = 7


HEADER_VALUE = "a header value: printable ASCII, at most 128 characters, no blank at either end, or empty"

TABLE = {each.name: each for each in read_table(Table)}
BASE = Path("/usr")


def test_the_table_is_read_off_the_class() -> None:
    names = [
        "name",
        "folder",
        "no_noise",
        "colour",
        "count",
        "wait",
        "room",
        "spare",
        "mask",
        "again",
        "root",
        "words",
        "badge",
    ]
    assert list(TABLE) == names
    assert TABLE["count"].group == "Two"
    assert TABLE["count"].help == "Beans."
    assert TABLE["count"].default == 3
    told = ["made up", ".", "false", "true", "3", "1.5", "3m", "0", "as it was", "on", "nowhere", "a, b", "me"]
    assert [each.default_text for each in TABLE.values()] == told
    metavars = ["TEXT", "DIR", "", "", "BEANS", "SECONDS", "SIZE", "SIZE", "MASK", "on|off", "PATH", "TEXT", "TEXT"]
    assert [each.metavar for each in TABLE.values()] == metavars
    assert [each.name for each in TABLE.values() if each.fixed] == ["mask"]
    assert [each.name for each in TABLE.values() if each.is_boolean] == ["no_noise", "colour"]
    assert [each.name for each in TABLE.values() if each.is_repeatable] == ["words"]


def test_all_spellings_come_from_the_name() -> None:
    quiet, colour = TABLE["no_noise"], TABLE["colour"]
    assert (quiet.flag, quiet.opposite, quiet.variable) == ("--no-noise", "--noise", "WSGID_NO_NOISE")
    assert (colour.flag, colour.opposite, colour.variable) == ("--colour", "--no-colour", "WSGID_COLOUR")


def test_a_table_still_makes_ordinary_instances() -> None:
    assert Table().count == 3
    assert Table(words=("x",)).words == ("x",)


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        ("name", "blog", "blog"),
        ("folder", "/tmp", Path("/tmp")),
        ("folder", "bin", Path("/usr/bin")),
        ("folder", ".", Path("/usr")),
        ("colour", True, True),
        ("colour", "true", True),
        ("colour", "True", True),
        ("colour", "1", True),
        ("colour", 0, False),
        ("colour", "false", False),
        ("count", 9, 9),
        ("count", "4", 4),
        ("wait", 3, 3.0),
        ("wait", "0.25", 0.25),
        ("room", 10, 10),
        ("room", "10", 10),
        ("room", "2k", 2048),
        ("room", "2M", 2 * 1024**2),
        ("room", "1g", 1024**3),
        ("spare", 0, 0),
        ("spare", "1k", 1024),
        ("mask", "022", 0o22),
        ("mask", "7", 7),
        ("mask", "0777", 0o777),
        ("again", "off", False),
        ("again", "On", True),
        ("again", "false", False),
        ("again", True, True),
        ("root", "", ""),
        ("root", "/shop", "/shop"),
        ("root", "/shop/caf%C3%A9/~a.b;c=d,e@f:g", "/shop/caf%C3%A9/~a.b;c=d,e@f:g"),
        ("root", "/...", "/..."),
        ("words", "hi", ("HI in /usr",)),
        ("words", ["hi", "ho"], ("HI in /usr", "HO in /usr")),
        ("words", ("hi",), ("HI in /usr",)),
        ("words", [], ()),
        ("badge", "", ""),
        ("badge", "shop/1 (Unix; ~)", "shop/1 (Unix; ~)"),
        ("badge", "!" * MAX_HEADER_VALUE, "!" * MAX_HEADER_VALUE),
    ],
)
def test_a_value_becomes_what_the_field_holds(name: str, value: object, result: object) -> None:
    read = TABLE[name].read(value, BASE)
    assert read == result
    assert type(read) is type(result) or isinstance(result, Path)


@pytest.mark.parametrize(
    "value",
    [
        *["/", "shop", "/shop/", "//shop", "/a//b", "/a?b", "/a#b", "/a b", "/a\n", "/caf\u00e9", "/%zz", "/%4", '/"'],
        *["/[a]", "/.", "/a/../b", "/..", "http://a/b", 5, ["/a"]],
    ],
)
def test_what_is_no_script_name(value: object) -> None:
    with pytest.raises(ValueError, match="is not a path such as /shop: it begins with a slash, has none at its end"):
        TABLE["root"].read(value, BASE)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("name", "", "'' is not a non-empty text"),
        ("name", "  ", "'  ' is not a non-empty text"),
        ("name", 5, "5 is not a non-empty text"),
        ("folder", "/nowhere", "'/nowhere' is not a directory that exists and can be reached"),
        ("folder", "/etc/passwd", "'/etc/passwd' is not a directory that exists and can be reached"),
        ("folder", "/\0", r"'/\x00' is not a directory that exists and can be reached"),
        ("folder", "", "'' is not a directory that exists and can be reached"),
        ("folder", ["/usr"], """["/usr"] is not a directory that exists and can be reached"""),
        ("colour", "blue", "'blue' is not true or false"),
        ("colour", 2, "2 is not true or false"),
        ("colour", {}, "{} is not true or false"),
        ("count", 0, "0 is not a whole number from 1 to 9"),
        ("count", "10", "'10' is not a whole number from 1 to 9"),
        ("count", "many", "'many' is not a whole number from 1 to 9"),
        ("count", 1.5, "1.5 is not a whole number from 1 to 9"),
        ("count", True, "true is not a whole number from 1 to 9"),
        ("wait", "-1", "'-1' is not a number of seconds from 0 to 60"),
        ("wait", "nan", "'nan' is not a number of seconds from 0 to 60"),
        ("wait", float("inf"), "Infinity is not a number of seconds from 0 to 60"),
        ("wait", "5s", "'5s' is not a number of seconds from 0 to 60"),
        ("room", "2t", "'2t' is not a size in bytes, such as 65536, 64k, 10m or 1g, from 0 to 1g"),
        ("room", "2g", "'2g' is not a size in bytes, such as 65536, 64k, 10m or 1g, from 0 to 1g"),
        ("room", "-1k", "'-1k' is not a size in bytes, such as 65536, 64k, 10m or 1g, from 0 to 1g"),
        ("room", False, "false is not a size in bytes, such as 65536, 64k, 10m or 1g, from 0 to 1g"),
        ("spare", "7", "'7' is not a size in bytes, such as 65536, 64k, 10m or 1g, 0 or from 1k to 1m"),
        ("mask", "8", "'8' is not a file mode mask in octal, such as 022 or 0077, as text"),
        ("mask", "01777", "'01777' is not a file mode mask in octal, such as 022 or 0077, as text"),
        ("mask", 22, "22 is not a file mode mask in octal, such as 022 or 0077, as text"),
        ("again", "maybe", "'maybe' is not on or off"),
        ("badge", "two\nlines", rf"'two\nlines' is not {HEADER_VALUE}"),
        ("badge", "me ", f"'me ' is not {HEADER_VALUE}"),
        ("badge", " ", f"' ' is not {HEADER_VALUE}"),
        ("badge", "caf\xe9", f"'caf\xe9' is not {HEADER_VALUE}"),
        ("badge", "!" * (MAX_HEADER_VALUE + 1), f"'{'!' * (MAX_HEADER_VALUE + 1)}' is not {HEADER_VALUE}"),
        ("badge", 5, f"5 is not {HEADER_VALUE}"),
        ("words", [1], "[1] is not a non-empty text or a list of such"),
        ("words", ["a", ""], """["a", ""] is not a non-empty text or a list of such"""),
        ("words", {"a": 1}, """{"a": 1} is not a non-empty text or a list of such"""),
        ("words", ["hi", "mute"], "a mute cannot shout"),
    ],
)
def test_a_wrong_value_is_told(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        TABLE[name].read(value, BASE)
    assert str(caught.value) == message


def test_a_directory_behind_a_closed_one_is_an_ordinary_error(tmp_path: Path) -> None:
    """pathlib's own question raises PermissionError there (seen by all users but root)."""
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    (tmp_path / "closed").chmod(0)
    try:
        if os.access(tmp_path / "closed", os.X_OK):
            assert TABLE["folder"].read("closed/inner", tmp_path) == tmp_path / "closed" / "inner"
        else:
            with pytest.raises(ValueError, match="can be reached"):
                TABLE["folder"].read("closed/inner", tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(OPTIONS), JSON)
def test_any_value_is_read_or_refused(option: Option, value: object) -> None:
    try:
        read = option.read(value, BASE)
    except ValueError:
        return  # told in words: see the table of wrong values
    assert isinstance(read, str | Path | bool | int | float | tuple)


@given(st.text() | JSON)
def test_a_shown_value_is_short(value: object) -> None:
    assert 0 < len(shown(value)) <= MAX_SHOWN


def test_a_near_word_is_found() -> None:
    assert nearest("wrokers", ["threads", "workers"]) == ", did you mean workers?"
    assert nearest("xyzzy", ["threads", "workers"]) == ""


def test_a_common_prefix_brings_no_word_nearer() -> None:
    known = ["WSGID_STDOUT", "WSGID_WORKERS"]
    assert nearest("WSGID_FOO", known, prefix="WSGID_") == ""
    assert nearest("WSGID_WROKERS", known, prefix="WSGID_") == ", did you mean WSGID_WORKERS?"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_told_about(option: Option) -> None:
    assert option.help.endswith(".")
    assert option.default_text
    assert option.is_boolean or option.metavar


def test_options_do_not_clash() -> None:
    flags = [flag for each in OPTIONS for flag in ([each.flag, each.opposite] if each.is_boolean else [each.flag])]
    assert len(flags) == len(set(flags))
    groups = [group for group, _ in itertools.groupby(each.group for each in OPTIONS)]
    assert len(groups) == len(set(groups)), "the options of a group stand together"


def test_the_reference_page_is_up_to_date() -> None:
    checked = subprocess.run([sys.executable, "-B", ROOT / "scripts/docs", "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
