"""What three filters that do nothing cost a request: each is a pre and a post filter. Run by scripts/bench-filters.

In the worker's code alone, and in the worker processes of two daemons, of which one has the filters. Counted is the
time that the processor worked, not the clock's; all kinds take turns, so that a machine that slows down slows all of
them; of each the median round counts.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import proc
from tests.functional.clients import Connection
from tests.functional.daemon import APPLICATIONS, Daemon
from tests.unit.worker.dispatcher_side import a_request

from wsgid.plugins import isolated, load_plugins, set_plugin_dirs
from wsgid.testing import hello
from wsgid.worker.environ import environ_template
from wsgid.worker.filters import Filters
from wsgid.worker.in_hand import InHand
from wsgid.worker.outlet import Frames
from wsgid.worker.serve import serve

REQUESTS = 10_000
"""Of each kind."""

ROUNDS = 20

FILTERS = 3

REQUEST = a_request(
    headers=[("host", "localhost"), ("user-agent", "Mozilla/5.0"), ("accept", "*/*"), ("accept-encoding", "gzip")]
)

DO_NOTHING = """\
from wsgid.core import Plugin
from wsgid.interfaces.filters import IPostRequestFilter, IPreRequestFilter


class Pre(Plugin, IPreRequestFilter):
    def process(self, message, environ):
        pass


class Post(Plugin, IPostRequestFilter):
    needs_body = {needs_body}

    def process(self, message, status, headers, body):
        return status, headers, body

    def exception(self, message, e):
        pass
"""

Ask = Callable[[], object]
"""Makes one request."""

Clock = Callable[[], float]
"""Seconds of a processor that have been spent on requests."""


def main() -> int:
    proc.adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        folder = Path(name)
        report(
            "serve() alone",
            {
                "no filter": in_worker(None),
                "three": in_worker(loaded(folder / "hungry", needs_body=True)),
                "three with needs_body = False": in_worker(loaded(folder / "others", needs_body=False)),
            },
        )
        report(
            "a worker process",
            {
                "no filter": stack.enter_context(served(folder / "without")),
                "three": stack.enter_context(served(folder / "with", filters=True)),
            },
        )
    return 0


def report(where: str, kinds: dict[str, tuple[Ask, Clock]]) -> None:
    rounds: dict[str, list[float]] = {name: [] for name in kinds}
    for ask, clock in kinds.values():
        measure(ask, clock)  # warms up
    for _ in range(ROUNDS):
        for name, (ask, clock) in kinds.items():
            rounds[name].append(measure(ask, clock))
    medians = {name: statistics.median(taken) for name, taken in rounds.items()}
    least = medians["no filter"]
    for name, taken in medians.items():
        print(f"{where}, {name}: {taken:.1f} µs a request, {taken - least:+.1f} µs")


def measure(ask: Ask, clock: Clock) -> float:
    """Microseconds of one request."""
    count = REQUESTS // ROUNDS
    began = clock()
    for _ in range(count):
        ask()
    return (clock() - began) / count * 1e6


def in_worker(filters: Filters | None) -> tuple[Ask, Clock]:
    """All that a worker does for a request, but for the channel."""
    outlet = Frames(lambda data: None, lambda pieces: None, lambda data, descriptor: None)
    template, in_hand = environ_template(threads=1), InHand()
    return lambda: serve(hello, REQUEST, None, outlet, template, in_hand, filters), time.thread_time


def loaded(folder: Path, *, needs_body: bool) -> Filters | None:
    write_filters(folder, needs_body=needs_body)
    with isolated():
        set_plugin_dirs(folder)
        load_plugins()
        return Filters.registered()


def write_filters(folder: Path, *, needs_body: bool) -> None:
    folder.mkdir(parents=True)
    for number in range(FILTERS):
        (folder / f"filter{number}.py").write_text(DO_NOTHING.format(needs_body=needs_body))


@contextmanager
def served(site: Path, *, filters: bool = False) -> Iterator[tuple[Ask, Clock]]:
    """A daemon with one worker, asked over one connection."""
    site.mkdir()
    (site / "app").symlink_to(APPLICATIONS / "plain/app")
    if filters:
        write_filters(site / "plugins", needs_body=True)
    daemon = Daemon(site, "--bind", "127.0.0.1:0")
    try:
        daemon.start()
        [worker] = daemon.worker_pids
        # Of its main thread, which serves the requests: see schedstats in the kernel's documentation of the scheduler.
        spent = Path(f"/proc/{worker}/schedstat")
        with Connection(daemon.address) as connection:
            yield lambda: ask(connection), lambda: int(spent.read_text().split()[0]) / 1e9
        daemon.stop()
    finally:
        daemon.kill()


def ask(connection: Connection) -> None:
    connection.ask()
    assert connection.answer().status == 200


if __name__ == "__main__":
    sys.exit(main())
