"""What an application is to do, as the query says it, and the notes that it makes of what was done to it.

Values stand in the query as Python writes them: ``status='200 OK'&headers=[('X-Number', 1)]``. So a rule can have an
application give anything, of any type.
"""

import ast
import os
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

TEXT = ("Content-Type", "text/plain")


def given(environ: WSGIEnvironment, name: str, default: Any) -> Any:
    """The value under this name in the query."""
    values = dict(parse_qsl(environ["QUERY_STRING"], encoding="latin-1"))
    return ast.literal_eval(values[name]) if name in values else default


def note(text: str) -> None:
    """One line more in the file NOTES. It is there before the client, or the log, has heard of anything later."""
    # One write in append mode: lines of several threads do not mix.
    with open(os.environ["NOTES"], "ab", buffering=0) as notes:
        notes.write(f"{text}\n".encode())


def pass_gate(name: str) -> None:
    """Waits until the test opens the FIFO of this name (see tests/functional/gate.py)."""
    with open(f"{os.environ['GATES']}/{name}", "rb") as gate:
        gate.read()
