import asyncio

from tests.unit.dispatcher.edges.wires import RecordingTransport
from tests.unit.dispatcher.loops import run
from tests.unit.dispatcher.running import running
from wsgid.dispatcher.edges.http_requests import Requests
from wsgid.protocol.forwarded import FrontEnds
from wsgid.protocol.http_reader import Incoming, RequestReader
from wsgid.protocol.http_request import Body, Target
from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.values import Request

HEAD = Incoming("POST", "/a?b", Target("", "/a", "b", ""), "HTTP/1.1", [("host", "a")], Body(9, False), False)
NOBODY = FrontEnds(["none"], "x-forwarded")
LIMITS = HttpLimits(request_line=4096, fields=100, headers=16 * 1024, body=100)


class Sink:
    """Of a parser that has not come far."""

    def request_begins(self) -> None: ...

    def head_read(self, head: Incoming) -> None: ...

    def body_read(self, part: bytes) -> None: ...

    def request_read(self, head: Incoming, keep_alive: bool) -> None: ...


def test_one_request_has_one_name_while_it_arrives_and_another_has_another() -> None:
    async def main() -> None:
        async with running() as everything:
            transport = RecordingTransport(asyncio.get_running_loop(), asyncio.Protocol())
            requests = Requests(everything.dispatch, NOBODY, transport)
            begun = requests.begun(HEAD)
            whole = requests.whole(HEAD, 9, b"", begun.key)
            other = requests.whole(HEAD, 2, b"ab")
            assert begun == whole == _expected("id-1", begun)
            assert (other.key, other.id, other.body, other.body_in_file) == ("id-2", "id-2", b"ab", False)
            assert begun.client_id == other.client_id

    run(main())


def _expected(key: str, other: Request) -> Request:
    return Request(
        key,
        key,
        "POST",
        "/a?b",
        "",
        "/a",
        "b",
        "HTTP/1.1",
        [("host", "a")],
        "http",
        "127.0.0.1",
        "80",
        "192.0.2.1",
        "1024",
        "http",
        other.client_id,
        9,
        b"",
        True,
    )


def test_one_whose_head_has_not_come() -> None:
    async def main() -> None:
        async with running() as everything:
            transport = RecordingTransport(asyncio.get_running_loop(), asyncio.Protocol())
            requests = Requests(everything.dispatch, NOBODY, transport)
            reader = RequestReader(LIMITS, "", Sink())
            assert requests.unread(reader).target == "-"
            reader.feed(b"PUT /x HTTP/1.1\r\nHo")
            unread = requests.unread(reader)
            assert (unread.method, unread.target, unread.remote_addr) == ("PUT", "/x", "192.0.2.1")

    run(main())
