"""Loads an application and asks it for ``/``: what a child of `zygote` does."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

from wsgid.loaders import LoadError, describe_failure, load_application
from wsgid.plugin_sources import load_all


def main(app_path: str, wsgi_app: str | None, django: bool, loader_dirs: list[str]) -> dict[str, object]:
    folder = Path(app_path)
    before = set(sys.path)
    # As a worker does it.
    unusable = [each.reason for each in load_all(folder, map(Path, loader_dirs)).failed]
    try:
        application = load_application(folder, wsgi_app=wsgi_app, django=django, unusable=unusable)
    except LoadError as error:
        return {"failure": describe_failure(error, folder), "cause": type(error.__cause__).__name__}
    added = [entry for entry in sys.path if entry not in before]
    status, body = _get(application)
    return {"status": status, "body": body, "path": sys.path[: len(added)], "added": added}


def _get(application: WSGIApplication) -> tuple[str, str]:
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ |= {"QUERY_STRING": "", "HTTP_HOST": "localhost"}
    statuses: list[str] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda data: None

    answer: Iterable[bytes] = application(environ, start_response)
    body = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    return statuses[-1], body.decode()
