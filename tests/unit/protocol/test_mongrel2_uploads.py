"""Telling Mongrel2's upload headers from a client's."""

import ctypes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsgid.protocol.mongrel2_fields import Fields, Repeats
from wsgid.protocol.mongrel2_uploads import Upload, drop_upload, outside_chroot, take_upload, with_file
from wsgid.protocol.values import Request

START, DONE = "x-mongrel2-upload-start", "x-mongrel2-upload-done"
OURS = "tmp/upl.PWNrS2"
FORGED = "/etc/passwd"


@pytest.mark.parametrize(
    "length",
    [
        {"content-length": "30000"},
        {"content-length": "+30000"},
        {"content-length": "30000abc"},
        {"content-length": "030000"},
        {"content-length": "2147483647"},
        {"content-length": "5", "transfer-encoding": "gzip"},
        {"transfer-encoding": "chunked"},
    ],
)
def test_a_body_that_is_not_in_the_message_is_in_a_file(length: Fields) -> None:
    """Some of these are refused, but Mongrel2 has made a file for each."""
    assert take_upload({START: OURS, **length}, {}, b"") == Upload(OURS.encode(), False)
    assert take_upload({START: OURS, DONE: FORGED, **length}, {}, b"") == Upload(OURS.encode(), False)
    assert take_upload({START: OURS, **length}, {DONE: [FORGED, FORGED]}, b"") == Upload(OURS.encode(), False)
    assert take_upload({START: OURS, DONE: OURS, **length}, {}, b"") == Upload(OURS.encode(), True)


@pytest.mark.parametrize(
    ("name", "values"),
    [("transfer-encoding", ["chunked", "gzip"]), ("content-length", ["30000", "5"]), ("content-length", ["1", "x"])],
)
def test_mongrel2_reads_the_first_of_several(name: str, values: list[str]) -> None:
    assert take_upload({START: OURS}, {name: values}, b"") == Upload(OURS.encode(), False)
    assert take_upload({START: FORGED, DONE: FORGED}, {name: ["", *values]}, b"") is None


@pytest.mark.parametrize(
    ("length", "body"),
    [
        ({}, b""),
        ({"content-length": "3"}, b"abc"),
        ({"content-length": "0"}, b""),
        ({"content-length": "-5"}, b""),
        ({"content-length": "abc"}, b""),
        ({"content-length": ""}, b""),
        ({"content-length": "2147483648"}, b""),
        ({"content-length": "0", "transfer-encoding": "chunked"}, b""),
        ({"content-length": "abc", "transfer-encoding": "chunked"}, b""),
        ({"transfer-encoding": "Chunked"}, b""),
        ({"transfer-encoding": "chunked "}, b""),
    ],
)
def test_what_a_client_makes_up_is_taken_away_and_never_believed(length: Fields, body: bytes) -> None:
    """Each as measured: Mongrel2 makes no file for these, and leaves the client's headers as they are."""
    forgeries: list[tuple[Fields, Repeats]] = [
        ({START: FORGED, DONE: FORGED}, {}),
        ({START: FORGED}, {}),
        ({DONE: FORGED}, {}),
        ({}, {START: [FORGED, FORGED], DONE: [FORGED, FORGED]}),
        ({START: FORGED}, {DONE: [FORGED, FORGED]}),
    ]
    for forged, repeated in forgeries:
        fields, repeats = {**length, **forged}, dict(repeated)
        assert take_upload(fields, repeats, body) is None
        assert (fields, repeats) == (length, {})


def test_headers_that_only_look_alike_stay() -> None:
    fields = {"x_mongrel2_upload_start": "a", "content-length": "3"}
    assert take_upload(fields, {}, b"") is None
    assert fields == {"x_mongrel2_upload_start": "a", "content-length": "3"}


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_path_that_is_none(path: str) -> None:
    assert take_upload({START: path, DONE: path, "content-length": "3"}, {}, b"") is None


def test_dropping() -> None:
    fields, repeats = {START: "a", "host": "h"}, {DONE: ["a", "b"], "x": ["1", "2"]}
    drop_upload(fields, repeats)
    assert (fields, repeats) == ({"host": "h"}, {"x": ["1", "2"]})


C_STRTOL = ctypes.CDLL(None, use_errno=True).strtol
C_STRTOL.restype = ctypes.c_long


@given(st.text("0123456789+- \t\v\f\r\nx,abc", max_size=14) | st.integers(0, 2**70).map(str))
@example("2147483647")
@example("2147483648")
@example("0" * 40 + "7")
@example("9" * 5000)
@example("+-5")
@example("-0")
def test_a_length_is_read_as_c_does(length: str) -> None:
    """Mongrel2 gives it to strtol, base 10, and takes what does not fit an int, or is below 0, for 0."""
    number = C_STRTOL(length.encode(), None, 10)
    upload = take_upload({START: OURS, "content-length": length}, {}, b"")
    assert (upload is not None) == (0 < number <= 2**31 - 1)


def request(length: int | None) -> Request:
    return Request(
        key="1",
        id="1",
        method="POST",
        target="/",
        script_name="",
        path="/",
        query="",
        version="HTTP/1.1",
        headers=[],
        scheme="http",
        server_name="localhost",
        server_port="80",
        remote_addr="127.0.0.1",
        remote_port="",
        server_id="srv-1",
        client_id="2",
        content_length=length,
        body=b"",
        body_in_file=True,
    )


def test_a_chunked_upload_is_as_long_as_its_file() -> None:
    assert with_file(request(None), 12345) == request(12345)
    assert with_file(request(None), 0) == request(0)


def test_another_is_as_long_as_it_said() -> None:
    assert with_file(request(30000), 30000) == request(30000)
    assert with_file(request(30000), 30044) == request(30000)
    with pytest.raises(ValueError, match="has 29999 bytes, Content-Length promises 30000"):
        with_file(request(30000), 29999)


@pytest.mark.parametrize(
    ("chroot", "path", "expected"),
    [
        (b"", b"/up/x.ojhrGF", b"/up/x.ojhrGF"),
        (b"", b"tmp/upl.1", b"tmp/upl.1"),
        (b"/srv/m2", b"/up/x.ojhrGF", b"/srv/m2/up/x.ojhrGF"),
        (b"/srv/m2/", b"/up/x.ojhrGF", b"/srv/m2/up/x.ojhrGF"),
        (b"/srv/m2", b"tmp/upl.1", b"/srv/m2/tmp/upl.1"),
        (b"/", b"/up/\xff", b"/up/\xff"),
    ],
)
def test_the_path_outside_the_chroot(chroot: bytes, path: bytes, expected: bytes) -> None:
    assert outside_chroot(chroot, path) == expected
