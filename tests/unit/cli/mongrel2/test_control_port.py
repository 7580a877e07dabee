"""Somebody else stands at the other end; Mongrel2 itself is asked by tests/functional/test_mongrel2_command.py."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from wsgid.cli.mongrel2 import control_port
from wsgid.cli.mongrel2.control_port import ControlPort, NotRunning, Unanswered
from wsgid.protocol.tnetstrings import encode

INFO = encode({b"headers": [b"port", b"uuid"], b"rows": [[6767, b"m2"]]})


@pytest.fixture
def endpoint() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="m2-") as folder:  # of a short name, as a socket's path has to be
        yield f"ipc://{folder}/control"


@pytest.fixture
def answering(endpoint: str) -> Iterator[list[bytes]]:
    """What it is to answer, one after another; what it heard is put in their place."""
    answers: list[bytes] = []
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(endpoint)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                if socket.poll(10):
                    answers.append(socket.recv())
                    socket.send(answers.pop(0))

        thread = threading.Thread(target=serve)
        thread.start()
        yield answers
        done.set()
        thread.join()


def test_rows_are_told_by_their_names(endpoint: str, answering: list[bytes]) -> None:
    answering.append(INFO)
    assert ControlPort(endpoint).ask("info", {"what": "all"}) == [{"port": 6767, "uuid": "m2"}]
    assert answering == [encode([b"info", {b"what": b"all"}])]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request", b"0:}", b"5:hello,", b"24:4:code,3:BAD,5:error,1:x,}"])
def test_what_is_no_control_port_is_told(endpoint: str, answering: list[bytes], answer: bytes) -> None:
    answering.append(answer)
    with pytest.raises(Unanswered, match="is no control port of Mongrel2"):
        ControlPort(endpoint).ask("info")


def test_one_that_hangs(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_port, "ANSWER_TIME", 0.2)
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(endpoint)
        with pytest.raises(Unanswered, match=r"does not answer at .* it hangs"):
            ControlPort(endpoint).ask("info")


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_port, "ANSWER_TIME", 0.2)
    with pytest.raises(NotRunning, match="there is no"):
        ControlPort(f"ipc://{tmp_path}/control").ask("info")
    with pytest.raises(NotRunning, match="nobody is at"):
        ControlPort("tcp://127.0.0.1:1").ask("info")
