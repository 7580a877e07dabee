"""Answers when the milliseconds of the query have passed: time that an application waits for a database, say. Whom it
waits for is not on this machine, so the processors stay free for the server."""

import time
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    query = environ["QUERY_STRING"]
    if query:
        time.sleep(int(query.removeprefix("ms=")) / 1000)
    body = environ["PATH_INFO"].encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
