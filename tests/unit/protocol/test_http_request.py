import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.protocol.http_request import (
    MAX_LENGTH_DIGITS,
    Body,
    Refused,
    Target,
    check_host,
    framing,
    parse_target,
    wants_keep_alive,
)
from wsgid.protocol.values import Header

text = st.text(st.characters(max_codepoint=0xFF), max_size=20)
versions = st.sampled_from(["HTTP/1.0", "HTTP/1.1"])
headers = st.lists(
    st.tuples(st.sampled_from(["host", "content-length", "transfer-encoding", "connection", "x-other"]), text),
    max_size=6,
)


def refusal_of(version: str, *given_headers: Header) -> Refused:
    with pytest.raises(Refused) as refused:
        framing(version, list(given_headers))
    return refused.value


class TestFraming:
    def test_no_length_is_no_body(self) -> None:
        assert framing("HTTP/1.1", [("host", "a"), ("x-length", "5")]) == Body(None, False)

    @pytest.mark.parametrize(("value", "length"), [("0", 0), ("5", 5), ("005", 5), ("9" * 18, 10**18 - 1)])
    def test_a_plain_length(self, value: str, length: int) -> None:
        assert framing("HTTP/1.1", [("content-length", value)]) == Body(length, False)

    def test_chunked(self) -> None:
        assert framing("HTTP/1.1", [("transfer-encoding", "chunked")]) == Body(None, True)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            " ",
            "+5",
            "-5",
            "5 ",
            " 5",
            "5, 5",
            "5,5",
            "0x5",
            "5_0",
            "5.0",
            "\u00b2",
            "abc",
            "5\t",
            "1" * (MAX_LENGTH_DIGITS + 1),
        ],
    )
    def test_an_odd_length_is_refused(self, value: str) -> None:
        assert refusal_of("HTTP/1.1", ("content-length", value)).code == 400

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "Chunked",
            "CHUNKED",
            "xchunked",
            "gzip",
            "gzip, chunked",
            "chunked, chunked",
            "identity",
            "chunked ",
            "\x0bchunked",
            "chunked;q=1",
        ],
    )
    def test_any_other_coding_is_refused(self, value: str) -> None:
        assert refusal_of("HTTP/1.1", ("transfer-encoding", value)).code == 400

    def test_two_lengths_are_refused_even_when_equal(self) -> None:
        assert (
            "more than one Content-Length"
            in refusal_of("HTTP/1.1", ("content-length", "5"), ("content-length", "5")).why
        )

    def test_two_codings_are_refused_even_when_equal(self) -> None:
        assert (
            "more than one Transfer-Encoding"
            in refusal_of("HTTP/1.1", ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")).why
        )

    def test_length_and_coding_together_are_refused(self) -> None:
        length, coding = ("content-length", "5"), ("transfer-encoding", "chunked")
        assert "both" in refusal_of("HTTP/1.1", length, coding).why
        assert "both" in refusal_of("HTTP/1.1", coding, length).why

    def test_http_1_0_has_no_codings(self) -> None:
        assert "HTTP/1.0" in refusal_of("HTTP/1.0", ("transfer-encoding", "chunked")).why

    @given(versions, headers)
    def test_anything_is_framed_in_one_way_or_refused_with_400(self, version: str, given_headers: list[Header]) -> None:
        body: Body | Refused
        try:
            body = framing(version, given_headers)
        except Refused as refused:
            body = refused
        if isinstance(body, Refused):
            assert body.code == 400
            assert str(body) == f"400: {body.why}"
        else:
            assert not (body.chunked and body.length is not None)
            names = [name for name, _ in given_headers]
            assert names.count("content-length") == (body.length is not None)
            assert names.count("transfer-encoding") == body.chunked


class TestHost:
    @pytest.mark.parametrize(
        ("version", "count", "legal"),
        [
            ("HTTP/1.1", 0, False),
            ("HTTP/1.1", 1, True),
            ("HTTP/1.1", 2, False),
            ("HTTP/1.0", 0, True),
            ("HTTP/1.0", 1, True),
            ("HTTP/1.0", 2, False),
        ],
    )
    def test_there_is_one(self, version: str, count: int, legal: bool) -> None:
        hosts = [("host", "same")] * count
        if legal:
            check_host(version, [("x", "y"), *hosts])
        else:
            with pytest.raises(Refused, match="Host") as refused:
                check_host(version, [("x", "y"), *hosts])
            assert refused.value.code == 400

    @pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
    def test_it_is_one(self, version: str) -> None:
        for value in ("", "a.example:80", "[::1]"):
            check_host(version, [("host", value)])
        for value in ("not a host", ":80", "a:b", "user@a", "\xe9"):
            with pytest.raises(Refused, match="not a host name or address") as refused:
                check_host(version, [("host", value)])
            assert refused.value.code == 400


class TestTarget:
    @pytest.mark.parametrize(
        ("target", "parsed"),
        {
            "/": Target("", "/", "", ""),
            "/a/b?c=d&e": Target("", "/a/b", "c=d&e", ""),
            "/a?b?c": Target("", "/a", "b?c", ""),
            "/?": Target("", "/", "", ""),
            "//a//b": Target("", "//a//b", "", ""),
            "/http://h/x": Target("", "/http://h/x", "", ""),
            "/%2f/%zz": Target("", "/%2f/%zz", "", ""),
            "http://h": Target("", "/", "", "h"),
            "HTTP://h:8/": Target("", "/", "", "h:8"),
            "http://h:8/a?b": Target("", "/a", "b", "h:8"),
            "http://h?b/c": Target("", "/", "b/c", "h"),
            "http://[::1]:8/a": Target("", "/a", "", "[::1]:8"),
        }.items(),
    )
    def test_of_a_form_that_applications_are_behind(self, target: str, parsed: Target) -> None:
        assert parse_target("GET", target, "") == parsed

    @pytest.mark.parametrize(
        ("method", "target", "code"),
        [
            ("OPTIONS", "*", 404),
            ("GET", "*", 404),
            ("CONNECT", "host:443", 501),
            ("CONNECT", "/", 501),
            ("CONNECT", "http://h/", 501),
            ("GET", "a/b", 400),
            ("GET", "", 400),
            ("GET", "ftp://h/a", 400),
            ("GET", "http:/a", 400),
            ("GET", "http:///a", 400),
            ("GET", "http://?a", 400),
            ("GET", "http://user@h/", 400),
            ("GET", "http://user:password@h/", 400),
            ("GET", "http://h:b/", 400),
            ("GET", "http://:80/", 400),
            ("GET", "http://a|b/", 400),
            ("GET", "https://h/", 421),
            ("GET", "HTTPS://h", 421),
        ],
    )
    def test_of_other_forms_is_refused(self, method: str, target: str, code: int) -> None:
        with pytest.raises(Refused) as refused:
            parse_target(method, target, "")
        assert refused.value.code == code

    @pytest.mark.parametrize(
        ("target", "path"),
        {
            "/a/b": "",
            "/a/b?c": "",
            "/a/b/": "/",
            "/a/b//": "//",
            "/a/b/../c": "/../c",
            "http://h/a/b/c": "/c",
            "http://h/a/b?c": "",
        }.items(),
    )
    def test_below_the_root_of_the_application(self, target: str, path: str) -> None:
        parsed = parse_target("GET", target, "/a/b")
        assert (parsed.script_name, parsed.path) == ("/a/b", path)

    @pytest.mark.parametrize(
        "target", ["/", "/a", "/a/", "/a/bc", "/a/b%2Fc", "/A/b", "/%61/b", "//a/b", "/x/a/b", "http://h", "http://a/b"]
    )
    def test_elsewhere_there_is_no_application(self, target: str) -> None:
        with pytest.raises(Refused) as refused:
            parse_target("GET", target, "/a/b")
        assert (refused.value.code, refused.value.why) == (404, "no application is behind this path")

    @given(
        st.sampled_from(["GET", "CONNECT", "OPTIONS"]),
        text | text.map("/".__add__) | text.map("/a".__add__) | text.map("http://".__add__),
        st.sampled_from(["", "/a", "/a/b"]),
    )
    def test_anything_has_a_path_or_is_refused(self, method: str, target: str, script_name: str) -> None:
        try:
            parsed = parse_target(method, target, script_name)
        except Refused:
            return
        assert parsed.script_name == script_name
        assert parsed.path.startswith("/") or (script_name and not parsed.path)
        assert "?" not in parsed.path
        assert target.endswith(parsed.query)
        assert not set(parsed.authority) & set("/?@")


class TestKeepAlive:
    @pytest.mark.parametrize(
        ("version", "values", "wanted"),
        [
            ("HTTP/1.1", [], True),
            ("HTTP/1.1", ["keep-alive"], True),
            ("HTTP/1.1", ["close"], False),
            ("HTTP/1.1", ["CLOSE"], False),
            ("HTTP/1.1", ["keep-alive, Close"], False),
            ("HTTP/1.1", ["keep-alive", "close"], False),
            ("HTTP/1.1", ["closed"], True),
            ("HTTP/1.1", ["upgrade"], True),
            ("HTTP/1.0", [], False),
            ("HTTP/1.0", ["keep-alive"], True),
            ("HTTP/1.0", ["x , Keep-Alive "], True),
            ("HTTP/1.0", ["keep-alive", "close"], False),
            ("HTTP/1.0", ["close, Keep-Alive"], False),
            ("HTTP/1.0", ["\xa0keep-alive"], False),
            ("HTTP/1.1", ["close\x85", "\tx\t,"], True),
        ],
    )
    def test_what_the_client_lets(self, version: str, values: list[str], wanted: bool) -> None:
        given_headers = [("host", "a"), *(("connection", value) for value in values)]
        assert wants_keep_alive(version, given_headers) is wanted
