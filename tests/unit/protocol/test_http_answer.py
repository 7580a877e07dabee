"""h11, which shares no code with us, reads what is written here as a client would."""

import re
from dataclasses import dataclass

import h11
import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from wsgid.protocol import http_answer
from wsgid.protocol.http_answer import BODILESS, LAST_CHUNK, Framing, Opening, chunk, opening, refusal, written
from wsgid.protocol.values import Head

DATE = "Sat, 21 Nov 2026 07:33:24 GMT"

PARTLY_OURS = {"connection", "content-length", "transfer-encoding", "upgrade", "date", "server", "x-request-id"}
"""Names the strategy leaves out: the worker refuses hop-by-hop names, and the others are drawn on their own."""

ADDED = (b"date", b"server", b"connection", b"x-request-id")

tokens = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=12)
names = tokens.filter(lambda name: name.lower() not in PARTLY_OURS)
visible = st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="".join(map(chr, range(0x7F, 0xA1))))
values = st.text(st.one_of(visible, st.just(" ")), max_size=20).map(str.strip)
reasons = values


@dataclass(frozen=True)
class Answer:
    """What an application may give, and to whom."""

    code: int
    reason: str
    headers: list[tuple[str, str]]
    parts: list[bytes]
    method: str
    version: str
    keep_alive: bool
    declares_length: bool
    in_parts: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    @property
    def has_body(self) -> bool:
        return self.method != "HEAD" and self.code not in BODILESS

    def opening(self, server: str = "wsgid", request_id: str = "r-1") -> Opening:
        length = len(self.body) if self.declares_length else None
        headers = [*self.headers, ("Content-Length", str(length))] if length is not None else self.headers
        return opening(
            written(Head(f"{self.code} {self.reason}", headers, length)),
            method=self.method,
            version=self.version,
            keep_alive=self.keep_alive,
            body_length=None if self.in_parts else len(self.body),
            date=DATE,
            server=server,
            request_id=request_id,
        )

    def written(self) -> bytes:
        begun = self.opening()
        match begun.framing:
            case Framing.NONE:
                rest = b""
            case Framing.CHUNKED:
                rest = b"".join(chunk(part) for part in self.parts) + LAST_CHUNK
            case Framing.LENGTH | Framing.UNTIL_CLOSE:
                rest = self.body
        return begun.head + rest


answers = st.builds(
    Answer,
    code=st.sampled_from([200, 201, 204, 205, 206, 301, 304, 404, 500]) | st.integers(200, 599),
    reason=reasons,
    headers=st.lists(st.tuples(names, values), max_size=5),
    parts=st.lists(st.binary(max_size=20), max_size=4),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
    version=st.sampled_from(["HTTP/1.0", "HTTP/1.1"]),
    keep_alive=st.booleans(),
    declares_length=st.booleans(),
    in_parts=st.booleans(),
)


def plain(**changes: object) -> Answer:
    values: dict[str, object] = {
        "code": 200,
        "reason": "OK",
        "headers": [],
        "parts": [b"hello"],
        "method": "GET",
        "version": "HTTP/1.1",
        "keep_alive": True,
        "declares_length": False,
        "in_parts": False,
    }
    return Answer(**{**values, **changes})  # type: ignore[arg-type]


def client_that_asked(method: str) -> h11.Connection:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    return client


def read(client: h11.Connection, data: bytes, ends: bool) -> tuple[h11.Response, bytes]:
    """The one answer in ``data``, of which nothing may remain unless the connection goes on."""
    client.receive_data(data)
    if ends:
        client.receive_data(b"")
    response = client.next_event()
    assert isinstance(response, h11.Response)
    body = b""
    while isinstance(got := client.next_event(), h11.Data):
        body += got.data
    assert isinstance(got, h11.EndOfMessage)
    return response, body


class TestAsAnotherReadsIt:
    @given(answers)
    @example(plain(code=205, declares_length=True, in_parts=True))
    @example(plain(code=204, declares_length=True, parts=[]))
    @example(plain(method="HEAD", version="HTTP/1.0", in_parts=True))
    def test_a_client_reads_what_the_application_gave(self, answer: Answer) -> None:
        begun = answer.opening()
        event(begun.framing.name)
        response, body = read(client_that_asked(answer.method), answer.written(), ends=not begun.keep_alive)

        assert response.status_code == answer.code
        assert response.reason == answer.reason.encode("latin-1")
        assert body == (answer.body if answer.has_body else b"")
        got = [(name, value) for name, value in response.headers if name not in ADDED]
        sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
        assert got[: len(sent)] == sent
        assert {name for name, _ in got[len(sent) :]} <= {b"content-length", b"transfer-encoding"}

    @given(answers, answers)
    def test_the_next_answer_begins_where_the_one_before_ends(self, first: Answer, second: Answer) -> None:
        if not first.opening().keep_alive:
            first = plain()
        client = client_that_asked(first.method)
        client.receive_data(first.written() + second.written())
        events = [client.next_event()]
        while not isinstance(events[-1], h11.EndOfMessage):
            events.append(client.next_event())

        assert client.their_state is h11.DONE
        assert client.trailing_data == (second.written(), False)

    @given(answers)
    def test_both_sides_agree_on_whether_the_connection_goes_on(self, answer: Answer) -> None:
        begun = answer.opening()
        client = client_that_asked(answer.method)
        read(client, answer.written(), ends=begun.framing is Framing.UNTIL_CLOSE)
        assert (client.their_state is h11.DONE) == begun.keep_alive
        if answer.version == "HTTP/1.0" and begun.keep_alive:
            assert b"Connection: keep-alive\r\n" in begun.head  # which is not the default there

    @given(answers)
    def test_what_the_client_wished_is_never_exceeded(self, answer: Answer) -> None:
        if answer.opening().keep_alive:
            assert answer.keep_alive


class TestFraming:
    def test_a_declared_length_is_all_that_is_needed(self) -> None:
        begun = plain(declares_length=True, in_parts=True).opening()
        assert begun.framing is Framing.LENGTH
        assert begun.head.count(b"Content-Length: 5\r\n") == 1

    def test_a_whole_body_gets_its_length(self) -> None:
        begun = plain().opening()
        assert begun.framing is Framing.LENGTH
        assert b"Content-Length: 5\r\n" in begun.head

    def test_an_empty_whole_body_has_the_length_0(self) -> None:
        assert b"Content-Length: 0\r\n" in plain(parts=[]).opening().head

    def test_parts_of_unknown_length_are_chunked(self) -> None:
        begun = plain(in_parts=True).opening()
        assert begun.framing is Framing.CHUNKED
        assert b"Transfer-Encoding: chunked\r\n" in begun.head

    def test_an_old_client_is_sent_no_chunks_but_the_end_of_the_connection(self) -> None:
        begun = plain(in_parts=True, version="HTTP/1.0").opening()
        assert begun == Opening(begun.head, Framing.UNTIL_CLOSE, keep_alive=False)
        assert b"Transfer-Encoding" not in begun.head
        assert b"Connection: close\r\n" in begun.head

    @pytest.mark.parametrize("in_parts", [True, False])
    @pytest.mark.parametrize("code", [204, 304])
    def test_codes_without_a_body_say_nothing_of_one(self, code: int, in_parts: bool) -> None:
        begun = plain(code=code, in_parts=in_parts).opening()
        assert begun.framing is Framing.NONE
        assert b"ontent-" not in begun.head
        assert b"ransfer-" not in begun.head

    @pytest.mark.parametrize("parts", [[b"hello"], []])
    @pytest.mark.parametrize("code", [204, 304])
    def test_codes_without_a_body_lose_the_length_that_was_declared(self, code: int, parts: list[bytes]) -> None:
        assert b"Content-Length" not in plain(code=code, declares_length=True, parts=parts).opening().head

    def test_205_has_the_length_0_whatever_was_declared(self) -> None:
        head = plain(code=205, declares_length=True).opening().head
        assert head.count(b"Content-Length: 0\r\n") == head.count(b"Content-Length") == 1

    def test_head_is_told_the_length_that_get_would_have(self) -> None:
        begun = plain(method="HEAD").opening()
        assert begun.framing is Framing.NONE
        assert b"Content-Length: 5\r\n" in begun.head

    def test_head_is_told_the_declared_length(self) -> None:
        assert b"Content-Length: 5\r\n" in plain(method="HEAD", declares_length=True, in_parts=True).opening().head

    @pytest.mark.parametrize("in_parts", [True, False])
    def test_nothing_is_claimed_for_head_when_the_application_gave_no_body(self, in_parts: bool) -> None:
        assert b"Content-Length" not in plain(method="HEAD", parts=[], in_parts=in_parts).opening().head


class TestHeadersOfOurs:
    @pytest.mark.parametrize("code", [200, 204, 304, 503])
    def test_they_come_by_themselves(self, code: int) -> None:
        head = plain(code=code).opening("shop/1", "r-7").head
        assert f"Date: {DATE}\r\n".encode() in head
        assert b"Server: shop/1\r\n" in head
        assert b"X-Request-Id: r-7\r\n" in head

    @pytest.mark.parametrize("name", ["Date", "date", "Server", "SERVER", "X-Request-Id", "x-request-ID"])
    @pytest.mark.parametrize("others", [[], [("A", "b")]], ids=["first", "second"])
    def test_those_of_the_application_win(self, name: str, others: list[tuple[str, str]]) -> None:
        head = plain(headers=[*others, (name, "its own"), (name.lower(), "again")]).opening().head
        assert re.findall(rb"(?i)\r\n%b: (.*)(?=\r\n)" % name.encode(), head) == [b"its own", b"again"]

    def test_another_name_with_theirs_in_it_is_another(self) -> None:
        head = (
            plain(headers=[("X-Date", "a"), ("Server-Timing", "server: b"), ("Not-X-Request-Id", "c")]).opening().head
        )
        assert [head.count(name) for name in (b"\r\nDate:", b"\r\nServer:", b"\r\nX-Request-Id:")] == [1, 1, 1]

    def test_what_is_empty_is_not_sent(self) -> None:
        assert b"Server" not in plain().opening("").head
        assert b"X-Request-Id" not in plain().opening(request_id="").head

    def test_names_keep_the_case_that_the_application_chose(self) -> None:
        assert b"x-ODD-case: \xe9\r\n" in plain(headers=[("x-ODD-case", "\xe9")]).opening().head


class TestChunk:
    def test_an_empty_part_does_not_end_the_body(self) -> None:
        assert chunk(b"") == b""

    def test_the_size_is_in_hexadecimal(self) -> None:
        assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


class TestRefusal:
    @pytest.mark.parametrize("code", http_answer._REASONS)
    def test_every_code_of_ours_has_its_words(self, code: int) -> None:
        head, body = refusal(code, "because \u2713")
        assert head.code == code
        assert head.content_length == len(body)
        assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head.lines
        assert body.startswith(f"{code} ".encode())
        assert body.endswith(b": because ?\n")

    def test_only_a_full_server_asks_to_come_back(self) -> None:
        assert b"\r\nRetry-After: 5\r\n" in refusal(503, "full")[0].lines
        assert b"Retry-After" not in refusal(500, "failed")[0].lines
