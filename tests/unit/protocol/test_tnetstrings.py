"""tnetstrings: what is read, what is written, and what neither does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.protocol.tnetstrings import MAX_DEPTH, MAX_SIZE, TnetstringError, Value, decode, encode

PAIRS: list[tuple[bytes, Value]] = [
    (b"0:,", b""),
    (b"5:hello,", b"hello"),
    (b"3:\x00\xff:,", b"\x00\xff:"),
    (b"1:0#", 0),
    (b"5:12345#", 12345),
    (b"2:-1#", -1),
    (b"19:9223372036854775807#", 2**63 - 1),
    (b"20:-9223372036854775808#", -(2**63)),
    (b"4:true!", True),
    (b"5:false!", False),
    (b"0:~", None),
    (b"0:]", []),
    (b"0:}", {}),
    (b"8:1:1,1:2,]", [b"1", b"2"]),
    (b"16:6:METHOD,4:JSON,}", {b"METHOD": b"JSON"}),
    (b"31:3:ctl,21:10:keep-alive,4:true!}]", [b"ctl", {b"keep-alive": True}]),
    (b"25:3:ctl,15:7:credits,2:10#}]", [b"ctl", {b"credits": 10}]),
    (b"26:3:ctl,16:6:cancel,4:true!}]", [b"ctl", {b"cancel": True}]),
    (b"25:8:sendfile,10:/srv/f.bin,]", [b"sendfile", b"/srv/f.bin"]),
    (b"26:6:status,13:4:what,3:net,}]", [b"status", {b"what": b"net"}]),
]


@pytest.mark.parametrize(("data", "value"), PAIRS)
def test_reads_and_writes(data: bytes, value: Value) -> None:
    assert decode(data) == value
    assert type(decode(data)) is type(value)
    assert encode(value) == data


def nested(depth: int) -> bytes:
    data = b"0:]"
    for _ in range(depth - 1):
        data = b"%d:%b]" % (len(data), data)
    return data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no length at 0"),
        (b"5", "no length at 0"),
        (b":,", "no length at 0"),
        (b"05:hello,", "no length at 0"),
        (b"-1:,", "no length at 0"),
        (b" 1:a,", "no length at 0"),
        (b"1_0:aaaaaaaaaa,", "no length at 0"),
        (b"99999999:a,", "no length at 0"),
        (b"5:hell,", "the value at 0 is cut off"),
        (b"5:hello", "the value at 0 is cut off"),
        (b"5:hello,x", "bytes follow the end of the value at 8"),
        (b"5:hello;", "unknown tag b';' of the value at 0"),
        (b"3:1.5^", "unknown tag b'^' of the value at 0"),
        (b"2:01#", "b'01' at 0 does not go with its tag b'#'"),
        (b"2:-0#", "does not go with its tag"),
        (b"2:+1#", "does not go with its tag"),
        (b"0:#", "does not go with its tag"),
        (b"20:12345678901234567890#", "does not go with its tag"),
        (b"4:True!", "does not go with its tag"),
        (b"1:x~", "does not go with its tag"),
        (b"3:1:a]", "the value at 2 is cut off"),
        (b"5:9:abc]", "the value at 2 is cut off"),
        (b"4:1:a,}", "a key without a value in the dict at 0"),
        (b"8:1:1#1:b,}", "a key that is not a string in the dict at 0"),
        (b"16:1:a,1:1,1:a,1:2,}", "the key b'a' twice in the dict at 0"),
        (nested(MAX_DEPTH + 1), "more than 8 containers inside each other"),
        (b"%d:%b," % (MAX_SIZE, b"x" * MAX_SIZE), f"the limit is {MAX_SIZE}"),
    ],
)
def test_refuses_to_read(data: bytes, reason: str) -> None:
    with pytest.raises(TnetstringError) as caught:
        decode(data)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("text", "a str cannot be written"),
        (1.5, "a float cannot be written"),
        ({"key": b""}, "a dict key that is a str"),
        (10**19, "more than 19 digits"),
        (-(10**19), "more than 19 digits"),
        (b"x" * MAX_SIZE, f"the limit is {MAX_SIZE}"),
        ([[[[[[[[[]]]]]]]]], "more than 8 containers inside each other"),
    ],
)
def test_refuses_to_write(value: Value, reason: str) -> None:
    with pytest.raises(TnetstringError, match=reason):
        encode(value)


def test_the_deepest_and_the_largest_that_are_allowed() -> None:
    assert encode(decode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    largest = b"x" * (MAX_SIZE - len(b"1048567:,"))
    assert len(encode(largest)) == MAX_SIZE
    assert decode(encode(largest)) == largest


values = st.recursive(
    st.binary() | st.integers(-(10**19) + 1, 10**19 - 1) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(), inner, max_size=4),
    max_leaves=8,
)


def depth(value: Value) -> int:
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


@given(values.filter(lambda value: depth(value) <= MAX_DEPTH))
def test_reads_what_it_writes(value: Value) -> None:
    assert decode(encode(value)) == value


@given(st.binary() | st.text(alphabet="0123456789:,#!~]}true-", max_size=40).map(str.encode))
def test_any_bytes_are_a_value_written_in_one_way_or_the_error(data: bytes) -> None:
    try:
        value = decode(data)
    except TnetstringError:
        return
    assert encode(value) == data


@given(values.filter(lambda value: depth(value) <= MAX_DEPTH), st.data())
def test_a_piece_of_a_value_is_none(value: Value, data: st.DataObject) -> None:
    whole = encode(value)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(TnetstringError):
        decode(whole[:cut])
