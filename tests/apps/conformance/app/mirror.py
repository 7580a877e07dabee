"""Tells what it was given, on every path: the environ, and what calls of ``wsgi.input`` gave.

The calls come as JSON in the query: ``/anything?calls=[["read", 3], ["readline"]]``; ``["list"]`` iterates to the end.
"""

import json
from typing import BinaryIO
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

Call = list[str | int]
"""A method's name and its arguments."""


def play(stream: BinaryIO, calls: list[Call]) -> list[object]:
    """What each of the calls gave, in order; bytes as latin-1 text."""
    return [_play(stream, str(name), arguments) for name, *arguments in calls]


def _play(stream: BinaryIO, name: str, arguments: list[str | int]) -> object:
    given = list(stream) if name == "list" else getattr(stream, name)(*arguments)
    if isinstance(given, list):
        return [item.decode("latin-1") for item in given]
    return given.decode("latin-1") if isinstance(given, bytes) else given


def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    calls: list[Call] = json.loads(parse_qs(environ["QUERY_STRING"]).get("calls", ["[]"])[0])
    told = {
        "environ": {key: value for key, value in environ.items() if isinstance(value, str | bool | int | tuple)},
        "played": play(environ["wsgi.input"], calls),
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
