"""Why a target is missed, by scenario and target: shown beside the figure, and only while it is missed."""

from collections.abc import Mapping
from typing import Final

PYTHON: Final = (
    "all requests go through one process of plain Python, and each wakes two processes: where the time goes is in "
    "[performance](performance.md)"
)
WAITRESS: Final = f"{PYTHON}. waitress is one process that wakes no other, and writes no access log"
FRONT: Final = (
    "between Mongrel2 and the worker a request goes through two ZeroMQ sockets, whose threads have to be woken, and "
    "through the dispatcher; the processor time of each is in the table"
)
COMPILED: Final = "granian speaks HTTP to nginx in compiled code, in the process that runs the application"

REASONS: Mapping[str, str] = {
    "hello/sync": f"{PYTHON}.",
    "hello/gthread": f"{PYTHON}.",
    "hello/gthread-threads": f"{PYTHON}.",
    "hello/waitress": f"{WAITRESS}.",
    "hello/waitress-threads": f"{WAITRESS}.",
    "hello-front/gunicorn": f"{FRONT}.",
    "hello-front/granian": f"{FRONT}. {COMPILED}.",
    "hello-front/granian-unlogged": f"{FRONT}. {COMPILED}.",
    "hello-front/file": f"{FRONT}.",
}
