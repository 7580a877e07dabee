"""docs/images/top-*.svg: ``wsgid top`` in terminals of two sizes, while a real daemon is under a real load.

The load is there before the pictures are taken for as long as it takes that each thing that `top` shows has happened: a
queue, workers that were replaced for `--max-requests`, one that was killed, one whose request has reached `--timeout`.
"""

import http.client
import os
import random
import signal
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from docs.made.screenshot import svg
from tests.functional.daemon import Daemon, command
from tests.functional.screen import Terminal

FOLDER: Final = Path(__file__).resolve().parents[1] / "images"

SIZES: Final = ((80, 24), (200, 50))

WORKERS, CLIENTS = 24, 30
"""More clients than workers, so that there is a queue."""

SECONDS: Final = 25.0
"""Of load."""

TIMEOUT: Final = 6

APPLICATION: Final = """
import random, time

SECONDS = {"/report": 2.5, "/export": 6.0, "/search": 0.12, "/stuck": 3600.0}
STATUS = {"/favicon.ico": "404 Not Found", "/broken": "500 Internal Server Error"}

def application(environ, start_response):
    path = environ["PATH_INFO"]
    longest = SECONDS.get(path, 0.03)
    time.sleep(longest if path == "/stuck" else longest * random.uniform(0.2, 1.0))
    start_response(STATUS.get(path, "200 OK"), [("Content-Type", "text/plain")])
    return [b"answer"]
"""

PATHS: Final = (
    *("/articles/{}",) * 60,
    *("/search?q=wsgi&page={}",) * 25,
    *("/report?month={}",) * 3,
    "/export?account={}",
    *("/favicon.ico",) * 4,
    "/broken",
)


def main() -> None:
    """Writes the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        daemon = _start(Path(scratch) / "mysite")
        stack.callback(daemon.stop)
        over = threading.Event()
        clients = [threading.Thread(target=_ask, args=(daemon.address, over)) for _ in range(CLIENTS)]
        for each in clients:
            each.start()
            stack.callback(each.join)
        stack.callback(over.set)
        terminals = [
            stack.enter_context(Terminal(command(daemon.folder, "top"), columns, lines)) for columns, lines in SIZES
        ]
        _run(daemon, terminals)
        for terminal, (columns, lines) in zip(terminals, SIZES, strict=True):
            terminal.wait_for(lambda lines: lines[0].endswith("q: quit"), "the screen")
            path = FOLDER / f"top-{columns}x{lines}.svg"
            path.write_text(svg(terminal.screen, f"wsgid top, {columns} x {lines}"))
            print(f"{path.relative_to(FOLDER.parents[1])}:", *terminal.look(), sep="\n  ")
            terminal.press(b"q")
            terminal.end()


def _start(folder: Path) -> Daemon:
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "wsgi.py").write_text(APPLICATION)
    sized = ("--workers", str(WORKERS), "--max-requests", "200", "--max-requests-jitter", "200")
    daemon = Daemon(folder, "--bind", "127.0.0.1:0", "--timeout", str(TIMEOUT), *sized)
    daemon.start()
    return daemon


def _run(daemon: Daemon, terminals: list[Terminal]) -> None:
    """The load's time, with what happens in it."""
    begun = time.monotonic()
    threading.Thread(target=_request, args=(daemon.address, "/stuck"), daemon=True).start()
    killed = False
    while (passed := time.monotonic() - begun) < SECONDS:
        for terminal in terminals:
            terminal.look()
        if not killed and passed > SECONDS / 2:
            killed = True
            os.kill(random.choice(daemon.worker_pids), signal.SIGKILL)
        time.sleep(0.05)


def _ask(address: tuple[str, int], over: threading.Event) -> None:
    """One after the other, as somebody who reads what comes."""
    while not over.wait(random.uniform(0.0, 0.05)):
        _request(address, random.choice(PATHS).format(random.randint(1, 99)))


def _request(address: tuple[str, int], target: str) -> None:
    connection = http.client.HTTPConnection(*address, timeout=60)
    try:
        connection.request("GET", target)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return  # a worker that is killed cuts its client off, too
    finally:
        connection.close()


if __name__ == "__main__":
    main()
