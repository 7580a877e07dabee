"""Which request ids are taken over."""

import pytest

from wsgid.protocol.request_id import MAX_ID, doubt, is_request_id


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "5f3a-1",
        "123e4567-e89b-12d3-a456-426614174000",
        "Root=1-67891233-abcdef012345678912345678",
        "zA+/9==",
        "a:b@c.d~e_f|g!h#i$j%k&l'm*n^o`p",
        "x" * MAX_ID,
    ],
)
def test_sane_ones(value: str) -> None:
    assert is_request_id(value)


@pytest.mark.parametrize("value", ["", *'\t\n\r\0\x7f\xe9 ,;"\\<>[](){}', "a b", "a\r\nX: y", "x" * (MAX_ID + 1)])
def test_others(value: str) -> None:
    assert not is_request_id(value)
    assert not is_request_id(f"a{value}b") or not value


def test_the_doubt_about_one_is_short() -> None:
    assert doubt("a b") == "'a b' is not a request id"
    assert len(doubt("x" * 10_000)) < 120
