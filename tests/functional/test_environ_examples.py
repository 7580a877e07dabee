"""The applications in docs/environ.md do what the text says of them."""

import io
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import pytest

from tests.deadlines import seconds
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeFolder
from tests.unit.worker.dispatcher_side import a_request
from tests.unit.worker.serving import Bench, bench
from wsgid.channel.frames import Kind

TEXT = (Path(__file__).parents[2] / "docs/environ.md").read_text()

EXAMPLES = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

REQUEST_ID, ATTEMPT, SUM, TICKS, REPORT = EXAMPLES


@pytest.fixture(name="bench")
def a_bench() -> Iterator[Bench]:
    with bench() as made:
        yield made


def names_of(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "docs/environ.md", "exec"), names)
    return names


def told_when_called(application: WSGIApplication, called: threading.Event, errors: io.StringIO) -> WSGIApplication:
    def wrapper(environ: dict[str, Any], start_response: Any) -> Any:
        called.set()
        return application({**environ, "wsgi.errors": errors}, start_response)

    return wrapper


def test_the_request_has_a_name(bench: Bench) -> None:
    answered = bench.serve(names_of(REQUEST_ID)["application"], a_request(id="r7"))
    assert answered.body.endswith(b": r7\n")


def test_a_second_attempt_is_not_counted(bench: Bench) -> None:
    names = names_of(ATTEMPT)
    for attempt, path in ((1, "/a"), (2, "/a"), (1, "/b")):
        assert bench.serve(names["application"], a_request(path=path, attempt=attempt)).body == b"seen\n"
    assert names["visits"] == ["/a", "/b"]


def test_work_for_nobody_ends(bench: Bench) -> None:
    called = threading.Event()
    served = bench.start(told_when_called(names_of(SUM)["application"], called, io.StringIO()))
    assert called.wait(seconds())
    bench.in_hand.client_gone("r1")
    assert bench.peer.answer().status == "200 OK"
    served.result()


def leave(bench: Bench) -> None:
    bench.in_hand.client_gone("r1")


def interrupt(bench: Bench) -> None:
    bench.interrupt()


@pytest.mark.parametrize("end", [leave, interrupt])
def test_a_stream_tidies_up(bench: Bench, end: Callable[[Bench], None]) -> None:
    errors = io.StringIO()
    served = bench.start(told_when_called(names_of(TICKS)["application"], threading.Event(), errors))
    assert [bench.peer.frame()[0] for _ in range(2)] == [Kind.HEAD, Kind.PART]
    end(bench)
    while bench.peer.frame()[0] is not Kind.DONE:
        continue
    served.result()
    assert errors.getvalue() == "the client has left\n"


def test_the_time_limit_is_not_caught_and_lets_the_application_tidy_up(bench: Bench) -> None:
    called, errors = threading.Event(), io.StringIO()
    served = bench.start(told_when_called(names_of(REPORT)["application"], called, errors))
    assert called.wait(seconds())
    interrupt(bench)
    assert bench.peer.answer().status == "500 Internal Server Error"  # which goes to nobody: the client has had 504
    served.result()
    assert errors.getvalue() == "tidied up\n"


def test_a_daemon_tells_the_application_that_its_client_has_left(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    daemon = serve(app_folder("ticks", {"app/wsgi.py": TICKS}), "--bind", "127.0.0.1:0", "--workers", "1")
    received = b""
    with Connection(daemon.address) as client:
        client.ask("/")
        while b"data: tick" not in received:
            received += client.socket.recv(4096)
    daemon.wait_for_log("the client has left")


def test_a_daemon_interrupts_what_takes_too_long(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    daemon = serve(app_folder("report", {"app/wsgi.py": REPORT}), "--bind", "127.0.0.1:0", "--timeout", "0.5")
    assert clients.request(daemon.url).status == 504
    daemon.wait_for_log("tidied up")
