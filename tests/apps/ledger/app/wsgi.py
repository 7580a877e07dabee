"""Keeps a ledger of what it really ran, and suffers whatever the query asks for, while it runs it.

The path is the request's number: ``/17?ms=10``. The ledger is the file that the environment variable LEDGER names; each
line is written by one write(2) in append mode: ``begin|end <method> <number> <pid> <attempt>``. The last thing before
the answer is the line ``end``, so a request that has begun and not ended has sent nothing yet.

The answer is ``<method> <number> <pid> <attempt> <release> <CRC-32 of the body>``. In the query, in this order:

- ``ms=10``: takes so many milliseconds
- ``gate=NAME``: waits at the gate of this name
- ``die=kill|segv|exit``: the process ends so; ``until=1``: only at the first attempt; ``late=NAME``: after the first of
  its ``parts``, when the gate of this name lets it go
- ``stick=sleep|loop|regex|stubborn``: never ends, with and without the interpreter lock
- ``gone=1``: waits until it hears that the client has left, and notes the line ``gone``
- ``parts=3``: answers in so many parts of unknown length; ``stick_late=``, as above: after the first one
- ``grow=1000000``: keeps so many bytes for ever
"""

import os
import re
import signal
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

RELEASE = "1"

PIECE = 64 * 1024
"""Bytes read from the body at a time."""

LOOK = 0.005
"""Seconds between two looks at whether the client has left."""

kept: list[bytes] = []


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    method, number, attempt = (
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"].lstrip("/"),
        environ.get("wsgid.attempt", 1),  # other servers, that are measured beside it, have none
    )
    name = f"{method} {number} {os.getpid()} {attempt}"
    _note(f"begin {name}")
    check = _checksum(environ)
    _suffer(query, environ, name)
    _note(f"end {name}")
    told = f"{name} {RELEASE} {check}\n".encode()
    if count := int(query.get("parts", "0")):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return _parts(told, count, query)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(told)))])
    return [told]


def _note(line: str) -> None:
    with open(os.environ["LEDGER"], "ab", buffering=0) as ledger:
        ledger.write(f"{line}\n".encode())


def _checksum(environ: WSGIEnvironment) -> int:
    check = 0
    while piece := environ["wsgi.input"].read(PIECE):
        check = zlib.crc32(piece, check)
    return check


def _suffer(query: dict[str, str], environ: WSGIEnvironment, name: str) -> None:
    time.sleep(int(query.get("ms", "0")) / 1000)
    if gate := query.get("gate"):
        Path(os.environ["GATES"], gate).read_bytes()
    if "die" in query and "late" not in query and environ["wsgid.attempt"] <= int(query.get("until", "2")):
        _die(query["die"])
    if stuck := query.get("stick"):
        STUCK[stuck]()
    if "gone" in query:
        _wait_until_gone(environ["wsgid.client_gone"], name)
    if size := query.get("grow"):
        kept.append(b"k" * int(size))


def _parts(told: bytes, count: int, query: dict[str, str]) -> Iterator[bytes]:
    """``told``, in so many parts."""
    size = -(-len(told) // count)
    for start in range(0, len(told), size):
        yield told[start : start + size]
        if "stick_late" in query:
            STUCK[query["stick_late"]]()
        if "late" in query:
            Path(os.environ["GATES"], query["late"]).read_bytes()
            _die(query["die"])


def _die(how: str) -> None:
    if how == "exit":
        os._exit(7)
    os.kill(os.getpid(), {"kill": signal.SIGKILL, "segv": signal.SIGSEGV}[how])


def _wait_until_gone(client_gone: Callable[[], bool], name: str) -> None:
    while not client_gone():
        time.sleep(LOOK)
    _note(f"gone {name}")


def _sleep() -> None:
    time.sleep(3600)


def _loop() -> None:
    while True:
        pass


def _regex() -> None:
    """Backtracks for longer than anybody waits, and holds the interpreter lock all the while."""
    re.match("(a+)+$", "a" * 60 + "b")


def _stubborn() -> None:
    """Takes whatever interrupts it for an error of its own, and goes on."""
    while True:
        with suppress(BaseException):
            time.sleep(LOOK)


STUCK = {"sleep": _sleep, "loop": _loop, "regex": _regex, "stubborn": _stubborn}
