"""The limits on a request's head: over both edges the same ones, by the same count and in the same words."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocol.mongrel2_writer import REQUEST_LINE, Values, json_message, latin1, terms, tnetstring_message
from wsgid.protocol import mongrel2
from wsgid.protocol.http_reader import Incoming, RequestReader
from wsgid.protocol.http_request import Refused
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.mongrel2_messages import HttpRequest, RefusedRequest, UploadDone, UploadStarted
from wsgid.protocol.values import Header

LIMITS = HttpLimits(request_line=100, fields=10, headers=1000, body=1000)

LONG_TARGET = (414, "the target is longer than 100 bytes")
MANY_FIELDS = (431, "more than 10 header lines")
LARGE_HEADERS = (431, "the header lines are longer than 1000 bytes")

Writer = Callable[[Values, Values, bytes], bytes]
Answer = tuple[int, str] | None
"""Status and reason of a refusal."""


class Ignored:
    """A sink."""

    def request_begins(self) -> None: ...

    def head_read(self, head: Incoming) -> None: ...

    def body_read(self, part: bytes) -> None: ...

    def request_read(self, head: Incoming, keep_alive: bool) -> None: ...


def by_http(target: str, headers: list[Header]) -> Answer:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    try:
        RequestReader(LIMITS, "", Ignored()).feed(latin1(f"GET {target} HTTP/1.1\r\n{lines}\r\n"))
    except Refused as refused:
        return refused.code, refused.why
    return None


def by_mongrel2(target: str, headers: list[Header]) -> set[Answer]:
    path, _, query = target.partition("?")
    line = {**REQUEST_LINE, "PATH": path, "URI": target, "QUERY": query}
    client: dict[str, str | list[str]] = {}
    for name, value in headers:
        values = [given for given_name, given in headers if given_name == name]
        client[name] = values if len(values) > 1 else value
    return {answer(write(line, client)) for write in (json_message, tnetstring_message)}


def answer(message: bytes) -> Answer:
    value = mongrel2.parse(message, terms(limits=LIMITS))
    if isinstance(value, RefusedRequest):
        return value.code, value.reason
    assert isinstance(value, HttpRequest)
    return None


def target_of(length: int) -> str:
    return "/" + "t" * (length - 1)


def fields(count: int) -> list[Header]:
    return [("host", "a"), *((f"x{number}", "") for number in range(count - 1))]


def repeated(count: int) -> list[Header]:
    """Mongrel2 keeps five lines of a name."""
    return [("host", "a"), *((f"x{number // 5}", str(number)) for number in range(count - 1))]


def headers_of(size: int) -> list[Header]:
    return [("host", "a"), ("x", "v" * (size - len("host: a\r\nx: \r\n")))]


def repeated_name(size: int) -> list[Header]:
    """Mongrel2 writes the name once, and so a shorter block than the client."""
    name = "n" * 150
    given = [("host", "a"), *[(name, "1")] * 4]
    rest = size - sum(len(name) + len(value) + len(": \r\n") for name, value in given)
    return [*given, (name, "v" * (rest - len(name) - len(": \r\n")))]


@pytest.mark.parametrize(
    ("within", "beyond", "refusal"),
    [
        ((target_of(100), fields(1)), (target_of(101), fields(1)), LONG_TARGET),
        ((target_of(90) + "?query=123", fields(1)), (target_of(90) + "?query=1234", fields(1)), LONG_TARGET),
        (("/", fields(10)), ("/", fields(11)), MANY_FIELDS),
        (("/", repeated(10)), ("/", repeated(11)), MANY_FIELDS),
        (("/", headers_of(1000)), ("/", headers_of(1001)), LARGE_HEADERS),
        (("/", repeated_name(1000)), ("/", repeated_name(1001)), LARGE_HEADERS),
        (("/", fields(10)), (target_of(101), fields(11) + headers_of(1001)[1:]), LONG_TARGET),
    ],
)
def test_the_limit_itself_is_allowed(
    within: tuple[str, list[Header]], beyond: tuple[str, list[Header]], refusal: Answer
) -> None:
    assert by_http(*within) is None
    assert by_mongrel2(*within) == {None}
    assert by_http(*beyond) == refusal
    assert by_mongrel2(*beyond) == {refusal}


@pytest.mark.parametrize(
    ("limit", "target", "headers"),
    [
        ({"request_line": 100}, target_of(101), fields(1)),
        ({"fields": 10}, "/", fields(11)),
        ({"headers": 1000}, "/", headers_of(1001)),
    ],
)
def test_each_of_them_holds_when_the_others_are_far(limit: dict[str, int], target: str, headers: list[Header]) -> None:
    limits = HttpLimits(**{"request_line": 60_000, "fields": 1000, "headers": 60_000, "body": 1, **limit})
    message = tnetstring_message({**REQUEST_LINE, "PATH": target, "URI": target}, dict(headers))
    value = mongrel2.parse(message, terms(limits=limits))
    assert isinstance(value, RefusedRequest)
    assert value.code == (414 if "request_line" in limit else 431)


@given(
    st.integers(1, 110),
    st.lists(st.sampled_from(["x", "y-long-name", "z_odd", "cookie"]), max_size=12),
    st.integers(0, 120),
)
def test_both_edges_agree(length: int, names: list[str], size: int) -> None:
    headers = [("host", "a"), *((name, "v" * size) for name in names if names.count(name) <= 5)]
    one, others = by_http(target_of(length), headers), by_mongrel2(target_of(length), headers)
    # Where both limits on headers are exceeded, either may be named: by HTTP the lines are counted as they come.
    assert others == {one} or (one is not None and {code for code, _ in filter(None, others)} == {one[0]})


@pytest.mark.parametrize("write", [json_message, tnetstring_message])
@pytest.mark.parametrize("done", [False, True])
def test_the_file_of_an_upload_is_named_although_it_is_refused(write: Writer, done: bool) -> None:
    file = {"x-mongrel2-upload-start": "/u", **({"x-mongrel2-upload-done": "/u"} if done else {})}
    line = {**REQUEST_LINE, "DOWNLOAD_CREDITS": "9"}
    allowed = dict([*fields(9), ("content-length", "5")])
    value = mongrel2.parse(write(line, {**allowed, **file}, b""), terms(limits=LIMITS))
    assert isinstance(value, UploadDone if done else UploadStarted)
    refused = mongrel2.parse(write(line, {**allowed, **file, "one-more": ""}, b""), terms(limits=LIMITS))
    assert isinstance(refused, RefusedRequest)
    assert (refused.code, refused.upload, refused.upload_done) == (431, b"/u", done)


@pytest.mark.parametrize("trusted", [{"UPLOAD_STREAM": "0"}, {"METHOD": "WEBSOCKET_HANDSHAKE"}])
def test_streams_and_handshakes_have_them_too(trusted: Values) -> None:
    client = {**dict(fields(10)), "one-more": ""}
    message = tnetstring_message({**REQUEST_LINE, **trusted}, client, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    assert answer(message) == MANY_FIELDS


def test_a_body_is_refused_in_words() -> None:
    refused = LIMITS.large_body()
    assert (refused.code, refused.why) == (413, "the body is longer than 1000 bytes")
