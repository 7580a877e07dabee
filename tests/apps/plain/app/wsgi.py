"""A bare WSGI application with an endpoint for everything a server can get wrong. Standard library only.

What an endpoint is told comes in the query: ``/status?code=404``. Paths of FIFOs are taken from the folder that the
environment variable GATES names, unless they are absolute.
"""

import hashlib
import http
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

TEXT = ("Content-Type", "text/plain; charset=utf-8")
BINARY = ("Content-Type", "application/octet-stream")
JSON = ("Content-Type", "application/json")

PIECE = 64 * 1024
"""Bytes read from the body or a file at a time."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call of the application."""

    environ: WSGIEnvironment
    start_response: StartResponse

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.environ.get("QUERY_STRING", ""), keep_blank_values=True, encoding="latin-1")

    @property
    def query(self) -> dict[str, str]:
        return dict(self.pairs)

    @property
    def fifo(self) -> Path:
        return Path(os.environ.get("GATES", ""), self.query["fifo"])

    def start(self, *headers: tuple[str, str], status: str = "200 OK") -> Callable[[bytes], object]:
        return self.start_response(status, list(headers))

    def answer(self, body: bytes, *headers: tuple[str, str], status: str = "200 OK") -> list[bytes]:
        self.start(*headers, ("Content-Length", str(len(body))), status=status)
        return [body]

    def answer_json(self, value: object) -> list[bytes]:
        return self.answer(json.dumps(value).encode(), JSON)


# Plain answers


def hello(exchange: Exchange) -> Iterable[bytes]:
    return exchange.answer(b"Hello, World!\n", TEXT)


def environ(exchange: Exchange) -> Iterable[bytes]:
    return exchange.answer_json({k: v for k, v in exchange.environ.items() if isinstance(v, str | int | tuple)})


def pid(exchange: Exchange) -> Iterable[bytes]:
    return exchange.answer(str(os.getpid()).encode(), TEXT)


def nolength(exchange: Exchange) -> Iterable[bytes]:
    exchange.start(TEXT)
    return [b"no ", b"length\n"]


def status(exchange: Exchange) -> Iterable[bytes]:
    code = http.HTTPStatus(int(exchange.query["code"]))
    line = f"{code.value} {code.phrase}"
    if code in (http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED):
        exchange.start(status=line)
        return []
    return exchange.answer(f"{line}\n".encode(), TEXT, status=line)


def headers(exchange: Exchange) -> Iterable[bytes]:
    """Sends the pairs of the query as headers."""
    return exchange.answer(b"see the headers\n", TEXT, *exchange.pairs)


def file(exchange: Exchange) -> Iterable[bytes]:
    path = exchange.query["path"]
    exchange.start(BINARY, ("Content-Length", str(os.path.getsize(path))))
    wrapped: Iterable[bytes] = exchange.environ["wsgi.file_wrapper"](open(path, "rb"), PIECE)  # noqa: SIM115 (close() of the wrapper closes it)
    return wrapped


# The body of the request


def echo(exchange: Exchange) -> Iterable[bytes]:
    read = exchange.environ["wsgi.input"].read
    body = b"".join(iter(lambda: read(PIECE), b""))
    digest = hashlib.sha256(body).hexdigest()
    return exchange.answer(body, BINARY, ("X-Body-Length", str(len(body))), ("X-Body-SHA256", digest))


def readlines(exchange: Exchange) -> Iterable[bytes]:
    hints = [int(exchange.query["hint"])] if "hint" in exchange.query else []
    return exchange.answer_json(_texts(exchange.environ["wsgi.input"].readlines(*hints)))


def iterate(exchange: Exchange) -> Iterable[bytes]:
    return exchange.answer_json(_texts(exchange.environ["wsgi.input"]))


def _texts(parts: Iterable[bytes]) -> list[str]:
    return [part.decode("latin-1") for part in parts]


# Answers in parts


def stream(exchange: Exchange) -> Iterable[bytes]:
    """``n`` parts of ``size`` bytes."""
    count, part = int(exchange.query["n"]), b"s" * int(exchange.query["size"])
    exchange.start(BINARY)
    return (part for _ in range(count))


def write(exchange: Exchange) -> Iterable[bytes]:
    send = exchange.start(TEXT)
    send(b"written, ")
    send(b"written again, ")
    return [b"returned\n"]


def endless(exchange: Exchange) -> Iterable[bytes]:
    exchange.start(BINARY)
    return _Closing(itertools.repeat(b"e" * PIECE), exchange.query.get("path"))


def closed(exchange: Exchange) -> Iterable[bytes]:
    """Its close() appends the line ``closed <pid>`` to the file ``path``."""
    exchange.start(TEXT)
    return _Closing(iter([b"to be ", b"closed\n"]), exchange.query["path"])


class _Closing:
    def __init__(self, parts: Iterator[bytes], ledger: str | None) -> None:
        self._parts = parts
        self._ledger = ledger

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        if self._ledger is not None:
            _append(self._ledger, f"closed {os.getpid()}")


# Requests that wait for the test


def hold(exchange: Exchange) -> Iterable[bytes]:
    return exchange.answer(_pass_gate(exchange.fifo), BINARY)


def gate_stream(exchange: Exchange) -> Iterable[bytes]:
    """One part, and another one after each gate: ``fifo=one&fifo=two``, at most."""
    fifos = [Path(os.environ.get("GATES", ""), value) for name, value in exchange.pairs if name == "fifo"]
    exchange.start(TEXT)
    return _parts_between(fifos)


def _parts_between(fifos: list[Path]) -> Iterator[bytes]:
    yield b"first\n"
    for fifo, part in zip(fifos, (b"second\n", b"third\n"), strict=False):
        _pass_gate(fifo)
        yield part


def _pass_gate(fifo: Path) -> bytes:
    """What was written into the FIFO, once its writer has closed it. ``<fifo>.held`` says that somebody waits."""
    Path(f"{fifo}.held").touch()
    return fifo.read_bytes()


# Failures


def die(exchange: Exchange) -> Iterable[bytes]:
    how: dict[str, Callable[[], object]] = {
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "segv": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "exit": lambda: os._exit(7),
        "sysexit": lambda: sys.exit(7),
    }
    how[exchange.query["how"]]()
    raise AssertionError("still alive")


def raise_(exchange: Exchange) -> Iterable[bytes]:
    raise RuntimeError("raised on request")


def exc_info(exchange: Exchange) -> Iterable[bytes]:
    """Replaces an answer that was begun but not sent (PEP 3333, "Error Handling")."""
    exchange.start(TEXT)
    try:
        raise RuntimeError("before anything was sent")
    except RuntimeError:
        exchange.start_response("503 Service Unavailable", [TEXT], sys.exc_info())
        return [b"replaced\n"]


# Traces


def ledger(exchange: Exchange) -> Iterable[bytes]:
    """Appends ``<method> <id> <pid>`` to the file ``path``: for counting how often a request was served."""
    query = exchange.query
    _append(query["path"], f"{exchange.environ['REQUEST_METHOD']} {query.get('id', '-')} {os.getpid()}")
    return exchange.answer(b"noted\n", TEXT)


def print_(exchange: Exchange) -> Iterable[bytes]:
    text = exchange.query.get("text", "printed")
    print(f"{text} to stdout")
    print(f"{text} to stderr", file=sys.stderr)
    print(f"{text} to wsgi.errors", file=exchange.environ["wsgi.errors"])
    return exchange.answer(b"printed\n", TEXT)


def _append(path: str, line: str) -> None:
    # One write in append mode: lines of several processes do not mix.
    with open(path, "ab", buffering=0) as target:
        target.write(f"{line}\n".encode())


ENDPOINTS: dict[str, Callable[[Exchange], Iterable[bytes]]] = {
    "/": hello,
    "/environ": environ,
    "/pid": pid,
    "/nolength": nolength,
    "/status": status,
    "/headers": headers,
    "/file": file,
    "/echo": echo,
    "/readlines": readlines,
    "/iter": iterate,
    "/stream": stream,
    "/write": write,
    "/endless": endless,
    "/closed": closed,
    "/hold": hold,
    "/gate-stream": gate_stream,
    "/die": die,
    "/raise": raise_,
    "/exc-info": exc_info,
    "/ledger": ledger,
    "/print": print_,
}


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    exchange = Exchange(environ, start_response)
    endpoint = ENDPOINTS.get(environ.get("PATH_INFO") or "/")
    if endpoint is None:
        return exchange.answer(b"no such endpoint\n", TEXT, status="404 Not Found")
    return endpoint(exchange)
