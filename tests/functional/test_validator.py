"""wsgiref's validator around the application: it complains about anything a gateway does that PEP 3333 forbids."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.deadlines import seconds
from tests.functional.conftest import MakeSite, Site

MEBIBYTE = bytes(range(256)) * 4096

CLIENTS = 8
"""As many as there are threads in two workers of four: each has one at a time."""

TURNS = 10


@pytest.mark.parametrize("threads", [1, 4])
def test_the_validator_has_nothing_to_complain_about(site: MakeSite, threads: int) -> None:
    served = site("validated", workers=2, threads=threads)
    _ask_in_every_way(served)
    together = Barrier(CLIENTS)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(_ask_with_others, served, client, together) for client in range(CLIENTS)]:
            done.result()
    complaints = [line for line in served.daemon.log.splitlines() if "AssertionError" in line or "WSGIWarning" in line]
    assert complaints == []
    assert all(" 500 " not in line for line in served.daemon.access_log)


def _ask_in_every_way(served: Site) -> None:
    assert served.request("/").body == b"Hello, World!\n"
    head = served.request("/", "HEAD")
    assert (head.status, head.body, head.header("content-length")) == (200, b"", "14")
    for method in ("POST", "PUT", "DELETE"):
        assert served.request("/echo", method, b"some body").body == b"some body"
        assert served.request("/echo", method, b"").body == b""
    assert served.request("/", "OPTIONS").status == 200
    chunked = served.request("/echo", "POST", iter([b"in ", b"three ", b"chunks"]))  # type: ignore[arg-type]
    assert chunked.body == b"in three chunks"
    large = served.request("/echo", "POST", MEBIBYTE)
    assert large.header("x-body-sha256") == hashlib.sha256(MEBIBYTE).hexdigest()
    assert large.body == MEBIBYTE
    assert served.request("/stream?n=5&size=1000").body == b"s" * 5000
    assert served.request("/status?code=204").status == 204
    assert served.request("/status?code=304").status == 304
    assert served.request("/readlines", "POST", b"a\nb\nc").json() == ["a\n", "b\n", "c"]
    assert served.request("/iter", "POST", b"a\nb\nc").json() == ["a\n", "b\n", "c"]


def _ask_with_others(served: Site, client: int, together: Barrier) -> None:
    """On one connection, while the others do the same on theirs."""
    with served.connect() as connection:
        together.wait(seconds())
        for turn in range(TURNS):
            body = b"turn %d of client %d" % (turn, client)
            for method, sent in (("POST", body), ("PUT", body * 5000), ("DELETE", body)):  # the second goes by a file
                connection.ask("/echo", method, body=sent)
                assert connection.answer().body == sent
            connection.ask("/", "HEAD")
            assert connection.answer().header("content-length") == "14"
            connection.ask("/status?code=204")
            assert connection.answer().status == 204
            connection.ask(f"/stream?n={client + 1}&size=1000")
            assert connection.answer().body == b"s" * 1000 * (client + 1)
