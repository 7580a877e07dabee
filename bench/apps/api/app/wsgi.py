"""An API that works for a while and answers with JSON. Standard library only."""

import json
import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

LOOPS = "BENCH_LOOPS"
"""Environment variable: how long to work, in loops."""


def work(loops: int) -> int:
    total = 0
    for number in range(loops):
        total += number & 7
    return total


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = json.dumps({"path": environ["PATH_INFO"], "sum": work(int(os.environ[LOOPS]))}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
