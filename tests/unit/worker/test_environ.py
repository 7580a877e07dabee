"""The environ of PEP 3333."""

import io
import logging
import sys
from typing import Any
from wsgiref import validate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.worker.dispatcher_side import a_request
from wsgid.worker import environ as environ_module
from wsgid.worker.environ import MAX_KNOWN_NAME, MAX_KNOWN_NAMES, Environ, build_environ, environ_template
from wsgid.worker.file_wrapper import FileWrapper

check_environ = validate.check_environ  # type: ignore[attr-defined]  # not in typeshed

TEMPLATE = environ_template(threads=1)


def here() -> bool:
    """The answer of ``wsgid.client_gone``."""
    return False


def built(**fields: Any) -> Environ:
    return build_environ(TEMPLATE, a_request(**fields), io.BytesIO(), sys.stderr, here)


def test_a_request_in_full() -> None:
    body = io.BytesIO(b"abc")
    request = a_request(
        id="http-7",
        method="POST",
        target="/app/caf%C3%A9?a=%20b",
        script_name="/app",
        path="/caf%C3%A9",
        query="a=%20b",
        version="HTTP/1.0",
        headers=[("host", "example.org:81"), ("content-type", "text/plain"), ("x-some-thing", "y")],
        scheme="https",
        server_name="::1",
        server_port="81",
        remote_addr="::2",
        remote_port="5",
        content_length=3,
        body=b"abc",
        attempt=2,
    )
    environ = build_environ(environ_template(threads=4), request, body, sys.stderr, here)
    check_environ(environ)
    assert environ.pop("SERVER_SOFTWARE").startswith("wsgid/")
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/caf\xc3\xa9",
        "QUERY_STRING": "a=%20b",
        "REQUEST_URI": "/app/caf%C3%A9?a=%20b",
        "RAW_URI": "/app/caf%C3%A9?a=%20b",
        "SERVER_PROTOCOL": "HTTP/1.0",
        "SERVER_NAME": "::1",
        "SERVER_PORT": "81",
        "REMOTE_ADDR": "::2",
        "REMOTE_PORT": "5",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "3",
        "HTTP_HOST": "example.org:81",
        "HTTP_X_SOME_THING": "y",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "wsgid.request_id": "http-7",
        "wsgid.attempt": 2,
        "wsgid.client_gone": here,
    }


def test_what_is_not_known_is_not_there() -> None:
    environ = built(remote_addr="", remote_port="", content_length=None)
    assert not environ.keys() & {"REMOTE_PORT", "CONTENT_LENGTH", "CONTENT_TYPE"}
    assert environ["REMOTE_ADDR"] == ""  # RFC 3875, section 4.1.8: always there
    assert built(content_length=0)["CONTENT_LENGTH"] == "0"


def test_the_server_has_always_a_name_and_a_port() -> None:
    environ = built(server_name="", server_port="")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "80")
    assert built(server_port="", scheme="https")["SERVER_PORT"] == "443"


def test_one_thread_is_not_multithread() -> None:
    assert built()["wsgi.multithread"] is False


def test_each_request_has_an_environ_of_its_own() -> None:
    environ = built(headers=[("x-first", "1")])
    environ["mine"] = 1
    assert not built().keys() & {"mine", "HTTP_X_FIRST"}


@pytest.mark.parametrize(
    ("script_name", "path", "expected"),
    [
        ("", "/", ("", "/")),
        ("", "", ("", "/")),
        ("/app", "", ("/app", "")),
        ("/app", "/", ("/app", "/")),
        ("/a%20b", "/c%20d", ("/a b", "/c d")),
        ("", "/%2F//a%2fb;p=1", ("", "////a/b;p=1")),
        ("", "/%00x", ("", "/\x00x")),
        ("", "/caf%C3%A9%FF", ("", "/caf\xc3\xa9\xff")),
        ("", "/%zz%4%", ("", "/%zz%4%")),
        ("", "/%2541", ("", "/%41")),
        ("", "/+", ("", "/+")),
        ("", "/\xe9", ("", "/\xe9")),
        ("", "*", ("", "/")),
        ("/app", "*", ("/app", "")),
        ("", "%2Fa", ("", "/a")),
        ("%2F", "/%2541", ("", "//%41")),
        ("/", "x", ("", "/x")),
        ("%252Fa", "/x", ("", "/")),
        ("app", "/x", ("", "/")),
    ],
)
def test_paths_are_decoded_once_and_legal(script_name: str, path: str, expected: tuple[str, str]) -> None:
    environ = built(script_name=script_name, path=path)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == expected
    check_environ(environ)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("x-a", "1"), ("x-b", ""), ("x-a", "2"), ("x-a", "3")], {"HTTP_X_A": "1,2,3", "HTTP_X_B": ""}),
        ([("cookie", "a=1"), ("cookie", "b=2")], {"HTTP_COOKIE": "a=1; b=2"}),
        ([("content-type", "text/html"), ("content-type", "text/plain")], {"CONTENT_TYPE": "text/html"}),
        ([("content-length", "7"), ("Content-Length", "8"), ("transfer-encoding", "chunked")], {}),
        ([("x_a", "1"), ("content_length", "1"), ("content_type", "x"), ("x-a_b", "1")], {}),
        ([("X-Mixed", "1"), ("x-mixed", "2")], {"HTTP_X_MIXED": "1,2"}),
        ([("Content-Type", "text/html")], {"CONTENT_TYPE": "text/html"}),
        ([("x.y!", "1")], {"HTTP_X.Y!": "1"}),
        ([("", "1"), ("a b", "1"), ("a\r\nb", "1"), ("\xdf", "1"), ("a:", "1"), ("a\n", "1")], {}),
        ([("x-a", "\xff\x01")], {"HTTP_X_A": "\xff\x01"}),
    ],
)
def test_headers(headers: list[tuple[str, str]], expected: dict[str, str]) -> None:
    environ = built(headers=headers)
    assert {key: environ[key] for key in environ if key.startswith(("HTTP", "CONTENT"))} == expected


def test_a_dropped_name_is_told_to_those_who_look_for_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, environ_module.__name__)
    built(id="r9", headers=[("x_real_ip", "1.2.3.4"), ("content-length", "1")])
    built(id="r9", headers=[("x_real_ip", "1.2.3.4"), ("content-length", "1")])
    assert caplog.messages == ["request r9: header 'x_real_ip' is dropped: it could pose as one with '-'"] * 2


def test_made_up_names_do_not_fill_the_memory() -> None:
    long = "x" * (MAX_KNOWN_NAME + 1)
    assert built(headers=[(long, "1")])["HTTP_" + long.upper()] == "1"
    assert long not in environ_module._known_names
    headers = [(f"x-{number}", "v") for number in range(MAX_KNOWN_NAMES + 10)]
    assert built(headers=headers)[f"HTTP_X_{MAX_KNOWN_NAMES + 9}"] == "v"
    assert len(environ_module._known_names) == MAX_KNOWN_NAMES


ANY = st.text(max_size=12)
BYTES_IN_STR = st.text(st.characters(max_codepoint=0xFF), max_size=12)
PATHS = st.lists(st.sampled_from(["/", "%", "%2", "%2F", "%00", "%25", "%C3%A9", "*", ".."]) | BYTES_IN_STR, max_size=6)
NAMES = (
    st.sampled_from(["content-type", "Content-Length", "content-length", "cookie", "transfer-encoding", "x_y", "host"])
    | BYTES_IN_STR
)


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "PATCH", "PUT", "DELETE", "TRACE"]),
    target=ANY,
    script_name=PATHS.map("".join),
    path=PATHS.map("".join),
    query=ANY,
    headers=st.lists(st.tuples(NAMES, ANY), max_size=8),
    scheme=st.sampled_from(["http", "https"]),
    server_name=ANY,
    server_port=ANY,
    remote_addr=ANY,
    content_length=st.none() | st.integers(0, 2**63),
)
def test_whatever_a_request_holds_makes_a_legal_environ(**fields: Any) -> None:
    environ = built(**fields)
    check_environ(environ)
    assert environ["SERVER_NAME"]
    assert environ["SERVER_PORT"]
    assert environ["QUERY_STRING"] == fields["query"]
    assert environ["REQUEST_URI"] == fields["target"]
    assert environ["SCRIPT_NAME"] or environ["PATH_INFO"]
    for key in environ:
        if key.startswith("HTTP_"):
            assert key.isascii()
            assert key == key.upper()
            assert "-" not in key


@given(st.fixed_dictionaries(dict.fromkeys(["method", "target", "script_name", "path", "query", "version"], ANY)))
def test_text_that_no_edge_lets_pass_breaks_nothing(fields: dict[str, Any]) -> None:
    environ = built(**fields)
    assert environ["REQUEST_METHOD"] == fields["method"]


@given(st.binary(max_size=20))
def test_every_path_can_be_told_by_its_escapes(path: bytes) -> None:
    escaped = "/" + "".join(f"%{byte:02x}" for byte in path)
    assert built(path=escaped)["PATH_INFO"].encode("latin-1") == b"/" + path
