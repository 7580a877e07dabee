"""Header blocks of both formats, the usual and the odd ones."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocol.mongrel2_writer import json_message, latin1, tnetstring_message
from wsgid.protocol import tnetstrings
from wsgid.protocol.mongrel2_fields import Fields, FieldsError, Repeats, _read_strings, read_json, read_tnetstring

Reader = Callable[[str], tuple[Fields, Repeats]]


def json_block(headers: dict[str, str | list[str]]) -> str:
    message = json_message({}, headers, origin="a 1 /").removeprefix(b"a 1 / ")
    return message.partition(b":")[2].removesuffix(b",0:,").decode("latin-1")


def tnetstring_block(headers: dict[str, str | list[str]]) -> str:
    message = tnetstring_message({}, headers, origin="a 1 /").removeprefix(b"a 1 / ")
    return message.partition(b":")[2].removesuffix(b"}0:,").decode("latin-1")


def both(headers: dict[str, str | list[str]]) -> list[tuple[Fields, Repeats]]:
    return [read_json(json_block(headers)), read_tnetstring(tnetstring_block(headers))]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost"},
        {"host": "localhost:8000", "referer": "http://localhost:8000/a:b", "x-forwarded-for": "::1"},
        {"empty": "", "empty-too": ""},
        {"colons": ":::", "commas": ",,,", "both": ",3:abc,", "braces": "],}0:,"},
        {"long": "x" * 4095},
        {"longer": "x" * 4096},
        {"many-colons": ":" * 300},
        {"q": 'v"1\\2\\u0041', "inject": '","METHOD":"JSON'},
        {"t": "a\tb\x01\x1f\x7f\xff\xe9"},
        {"utf-8": "\xc3\xa9\xe2\x82\xac", "not-utf-8": "\xff\xfe"},
        {"x\x01c": "control in a name", "nocolon\r\nx-b": "1"},
        {"newline": "a\r\n b"},
    ],
)
def test_both_formats_give_the_same_bytes(headers: dict[str, str | list[str]]) -> None:
    assert both(headers) == [(headers, {})] * 2


@pytest.mark.parametrize(
    ("headers", "quick"),
    [
        ({"host": "localhost:8000", "referer": "http://localhost:8000/a:b", "x": "", "y": ":"}, True),
        ({"cookie": "x" * 4095}, True),
        ({"cookie": "x" * 4096}, False),
        ({"colons": ":" * 200}, True),
        ({"colons": ":" * 300, "x": "1"}, False),
        ({"x": ["1", "2"]}, False),
    ],
)
def test_the_quick_way_is_taken_for_usual_blocks(headers: dict[str, str | list[str]], quick: bool) -> None:
    """Nothing else would tell if it were never taken: the strict one gives the same."""
    assert _read_strings(tnetstring_block(headers)) == (headers if quick else {})


def test_repeated_headers_keep_their_order() -> None:
    headers: dict[str, str | list[str]] = {"a": "1", "x-dup": ["2", '"', "1", "\x01"], "b": "2", "empty": []}
    assert both(headers) == [({"a": "1", "b": "2"}, {"x-dup": ["2", '"', "1", "\x01"], "empty": []})] * 2


def test_blanks_at_the_end_are_no_part_of_a_value() -> None:
    """Mongrel2 strips those at the beginning only."""
    headers: dict[str, str | list[str]] = {"a": "b c \t ", "d": " \t", "e": ["f ", "g\t"], "last": "x "}
    assert both(headers) == [({"a": "b c", "d": "", "last": "x"}, {"e": ["f", "g"]})] * 2


@pytest.mark.parametrize("blank", [" ", "\t"])
def test_but_a_transfer_encoding_stays_as_mongrel2_saw_it(blank: str) -> None:
    assert both({"transfer-encoding": f"chunked{blank}"}) == [({"transfer-encoding": f"chunked{blank}"}, {})] * 2
    twice: dict[str, str | list[str]] = {"transfer-encoding": [f"chunked{blank}", "x"]}
    assert both(twice) == [({}, twice)] * 2


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("", "not a JSON object"),
        ("{", "not a JSON object"),
        ("[]", "not a JSON object"),
        ('{"a":1}', "not a JSON object"),
        ('{"a":null}', "not a JSON object"),
        ('{"a":["b",1]}', "not a JSON object"),
        ('{"a":{"b":"c"}}', "not a JSON object"),
        ('{"a":"b"}x', "not a JSON object"),
        ('{"a":"b"\x01}', "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ('{"a":"\x01"' + ',"b":' + "[" * 100_000, "not a JSON object"),
        ('{"a":"\\u0041"}', "escape that Mongrel2 does not write"),
        ('{"a":"\\n"}', "escape that Mongrel2 does not write"),
        ('{"a":"\\\\\\r"}', "escape that Mongrel2 does not write"),
        ('{"a":"b\\', "escape that Mongrel2 does not write"),
    ],
)
def test_what_is_no_json_block(block: str, reason: str) -> None:
    with pytest.raises(FieldsError, match=reason):
        read_json(block)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("1:a,", "a key without a value"),
        ("1:a,1:b", "cut off"),
        ("1:a,1:b,1", "no length at"),
        ("1:a,1:b,1:", "cut off"),
        ("1:a,1:b,0", "no length at"),
        ("1:a,01:b,", "no length at"),
        ("2:a,1:b,", "unknown tag"),
        ("1:a,1:b]", "no length at"),
        ("1:a,1:1,1:a,1:2,", "the key b'a' twice"),
        ("1:a,1:1#", "neither a string nor a list"),
        ("1:a,0:}", "neither a string nor a list"),
        ("1:a,4:1:1#]", "not all values of b'a' are strings"),
        ("1:a,4:0:]]", "unknown tag|cut off"),
        ("x", "no length at"),
        (":", "no length at"),
        ("1:a,9999:b,", "cut off"),
    ],
)
def test_what_is_no_tnetstring_block(block: str, reason: str) -> None:
    with pytest.raises(FieldsError, match=reason):
        read_tnetstring(block)


texts = st.text(st.characters(max_codepoint=255) | st.sampled_from('":,\\ \t]}\x01'), max_size=12)
headers = st.dictionaries(texts, texts | st.lists(texts, max_size=3), max_size=6)


@given(headers)
def test_both_formats_agree_on_all_that_can_be_written(written: dict[str, str | list[str]]) -> None:
    from_json, from_tnetstring = both(written)
    assert from_json == from_tnetstring
    assert from_json[0].keys() | from_json[1].keys() == written.keys()


pieces = st.lists(
    st.sampled_from(["1:a,", "0:,", "2::,,", "3:a:b,", "1", "0", ":", ",", "]", "a", "5:1:a,,"]), max_size=8
)


@given(pieces.map("".join))
def test_the_quick_way_and_the_strict_one_never_disagree(block: str) -> None:
    try:
        expected = tnetstrings.decode(latin1(f"{len(block)}:{block}}}"))
    except tnetstrings.TnetstringError:
        with pytest.raises(FieldsError):
            read_tnetstring(block)
    else:
        fields, repeats = read_tnetstring(block)
        assert not repeats
        assert expected == {latin1(name): latin1(value) for name, value in fields.items()}


@pytest.mark.parametrize("read", [read_json, read_tnetstring])
@given(block=st.text(st.characters(max_codepoint=255)) | texts)
def test_any_text_is_fields_or_the_error(read: Reader, block: str) -> None:
    try:
        fields, repeats = read(block)
    except FieldsError:
        return
    assert all(isinstance(value, str) for value in fields.values())
    assert all(isinstance(value, str) for values in repeats.values() for value in values)
