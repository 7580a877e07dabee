"""A client that may have left still gets a streamed answer; one that certainly has left ends it."""

from pathlib import Path

import pytest

from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeSite

PARTS = 512
PART = 64 * 1024
"""32 MiB: more than all sockets and buffers on the way take together."""

STREAMING = """
import itertools
import time

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    given = itertools.repeat(b"tick") if environ["PATH_INFO"] == "/endless" else numbered()
    return parts(environ["wsgid.client_gone"], given)

def numbered():
    for number in range(512):
        yield bytes([number % 251]) * (64 * 1024)

def parts(client_gone, given):
    try:
        yield b"begun"
        while not client_gone():
            time.sleep(0.01)
        print("the application has been told", flush=True)
        for part in given:
            yield part
            if part == b"tick":
                time.sleep(0.01)
    finally:
        print("the body has been closed", flush=True)
"""


@pytest.fixture
def streaming(app_folder: MakeFolder) -> Path:
    return app_folder("streaming", {"app/wsgi.py": STREAMING})


@pytest.mark.parametrize("threads", [1, 4])
def test_who_has_only_finished_sending_gets_it_all(serve: MakeDaemon, streaming: Path, threads: int) -> None:
    """Over HTTP: Mongrel2 closes such a connection itself."""
    daemon = serve(streaming, "--bind", "127.0.0.1:0", "--threads", str(threads))
    with Connection(daemon.address) as client:
        client.ask("/numbered", version="1.0")
        received = bytearray()
        while b"begun" not in received:
            received += client.receive()
        client.finish_sending()
        daemon.wait_for_log("the application has been told")
        while data := client.receive():
            received += data
    body = received.partition(b"\r\n\r\nbegun")[2]
    assert body == b"".join(bytes([number % 251]) * PART for number in range(PARTS))
    [line] = daemon.wait_for_access(1)
    assert f" 200 {len(b'begun') + PARTS * PART} " in line


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("half_first", [False, True], ids=["at once", "by halves"])
def test_who_has_really_left_ends_an_endless_stream(
    site: MakeSite, streaming: Path, half_first: bool, threads: int
) -> None:
    served = site(streaming, workers=1, threads=threads)
    with served.connect() as client:
        client.ask("/endless")
        received = b""
        while b"begun" not in received:
            received += client.receive()
        if half_first:
            client.finish_sending()
            served.daemon.wait_for_log("the application has been told")
    served.daemon.wait_for_log("the body has been closed")
    served.daemon.wait_for_log("its client has left, the answer is given up")
    assert "the application has been told" in served.daemon.log
    [line] = served.daemon.wait_for_access(1)
    assert " 499 " in line
    assert line.endswith(" end=left")
