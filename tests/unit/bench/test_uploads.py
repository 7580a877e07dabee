"""Uploads of the benchmark: all are counted that were sent, and an answer that is not the expected one is no figure."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from bench.contender import NotMeasured
from bench.uploads import Upload, upload

from tests.functional.load import Address

BODY = b"some body"


@contextmanager
def serving(status: int, answer: bytes) -> Iterator[tuple[Address, list[bytes]]]:
    """A server that answers every upload so; and the bodies that it has read."""
    bodies = list[bytes]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield ("127.0.0.1", server.server_address[1]), bodies
        finally:
            server.shutdown()
            thread.join()


def test_each_client_sends_one_at_least_and_all_are_counted() -> None:
    with serving(200, b"read") as (address, bodies):
        done = upload(address, Upload(BODY, b"read"), clients=3, seconds=0.0)
    assert bodies == [BODY] * 3
    assert done.requests == 3
    assert done.seconds > 0


@pytest.mark.parametrize(("status", "answer"), [(200, b"something else"), (500, b"read")])
def test_another_answer_is_not_measured(status: int, answer: bytes) -> None:
    with serving(status, answer) as (address, _), pytest.raises(NotMeasured, match=f"is answered {status}"):
        upload(address, Upload(BODY, b"read"), clients=1, seconds=0.0)


def test_no_answer_is_not_measured() -> None:
    with serving(200, b"read") as (address, _):
        pass
    with pytest.raises(NotMeasured, match="ConnectionRefusedError"):
        upload(address, Upload(BODY, b"read"), clients=1, seconds=0.0)
