"""Transfers tell what is wrong with them: if everything were accepted, nothing would be shown."""

import socket
import threading

import pytest

from tests.functional.transfers import Transfer, Transfers, digest_of, generated, pieces, upload

SIZE = 100_000
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
LIMIT = 30.0


def complaints_about(answer: bytes, transfer: Transfer) -> list[str]:
    """Of one transfer with a server that says this, once it has it all, and ends the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_answer_once, args=(listener, answer, transfer))
        server.start()
        with Transfers(listener.getsockname(), [transfer]) as transfers:
            complaints = transfers.complaints(LIMIT)
        server.join()
    return complaints


def _answer_once(listener: socket.socket, answer: bytes, transfer: Transfer) -> None:
    client, _ = listener.accept()
    with client:
        received = b""
        wanted = transfer.size if transfer.upload else 0
        while len(received.partition(b"\r\n\r\n")[2]) < wanted or b"\r\n\r\n" not in received:
            received += client.recv(65536)
        client.sendall(answer)


def body(first: int, size: int) -> bytes:
    return b"".join(pieces(first, size, 1000))


def test_right_ones() -> None:
    assert complaints_about(HEAD + digest_of(3, SIZE).encode(), upload(SIZE, first=3)) == []
    download = generated(2, first=3, rate=1e6, halt=0.1)
    assert complaints_about(HEAD + body(3, download.size), download) == []


@pytest.mark.parametrize(
    ("answer", "transfer", "trouble"),
    [
        (HEAD + digest_of(4, SIZE).encode(), upload(SIZE, first=3), "the digest of what came"),
        (HEAD, upload(SIZE, first=3), "the digest of what came"),
        (HEAD + body(3, SIZE), generated(2, first=3), "the digest of what came"),
        (HEAD + body(4, 2 * 65536), generated(2, first=3), "the digest of what came"),
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\nno", generated(2), "got 500 'no'"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", generated(2), "ValueError"),
        (b"", generated(2), "IncompleteReadError"),
        (HEAD[:-3], generated(2), "IncompleteReadError"),
    ],
)
def test_wrong_ones(answer: bytes, transfer: Transfer, trouble: str) -> None:
    [complaint] = complaints_about(answer, transfer)
    assert trouble in complaint


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with Transfers(address, [upload(SIZE), generated(1)]) as transfers:
        assert ["ConnectionRefusedError" in each for each in transfers.complaints(LIMIT)] == [True, True]
