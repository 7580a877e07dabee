"""The load of these tests tells what is wrong with an answer: one that accepted everything would prove nothing."""

import socket
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.functional.ledger import Ledger
from tests.functional.load import Load, Record, complaints, same
from tests.functional.shooter import judged

RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nGET 0 7 1 1 0\n"

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGET \r\na\r\n0 7 1 1 0\n\r\n0\r\n\r\n"


def load_on(answer: bytes) -> Load:
    """One request to a server that says this and ends the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_answer_once, args=(listener, answer))
        server.start()
        with Load(listener.getsockname(), same("GET", ""), clients=1, limit=1) as load:
            load.join()
        server.join()
    return load


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    client, _ = listener.accept()
    with client:
        client.recv(1024)
        client.sendall(answer)


@pytest.mark.parametrize("answer", [RIGHT, CHUNKED])
def test_a_right_answer(answer: bytes) -> None:
    load = load_on(answer)
    assert complaints(load) == []
    [record] = load.records
    assert (record.status, record.pid, record.attempt, record.release) == (200, 7, 1, "1")


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (b"", "no answer"),
        (RIGHT[:10], "cut"),
        (RIGHT[:-1], "cut"),
        (CHUNKED[:-2], "cut"),
        (RIGHT.replace(b"GET 0", b"GET 1"), "the answer to another request"),
        (RIGHT.replace(b"1 0\n", b"1 5\n"), "the answer to another request"),
        (RIGHT.replace(b"Content-Length: 14\r\n", b""), "whose end cannot be told"),
        (RIGHT + b"x", "more than was asked for"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", "not a status line"),
    ],
)
def test_a_wrong_one(answer: bytes, trouble: str) -> None:
    [complaint] = complaints(load_on(answer))
    assert trouble in complaint


@pytest.mark.parametrize(
    ("method", "status", "runs", "shot", "sound"),
    [
        ("GET", 200, 1, 0, True),
        ("GET", 200, 2, 1, True),
        ("GET", 502, 2, 2, True),
        ("POST", 200, 1, 0, True),
        ("POST", 502, 1, 1, True),
        ("GET", 502, 1, 1, False),
        ("GET", 200, 2, 0, False),
        ("POST", 200, 2, 1, False),
        ("POST", 502, 1, 0, False),
        ("POST", 200, 0, 0, False),
    ],
)
def test_what_may_become_of_a_request_that_is_shot(
    tmp_path: Path, method: str, status: int, runs: int, shot: int, sound: bool
) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.path.write_text("".join(f"begin {method} 0 {pid} 1\n" for pid in range(runs)))
    load = Load(("127.0.0.1", 0), same(method, ""))
    load.records.append(Record(0, method, status, 0.1))
    assert (judged(load, ledger, Counter({"0": shot})) == []) is sound
