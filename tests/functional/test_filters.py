"""Filters in an app folder, written as for the first wsgid, and those that come with this one."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.functional.clients import request
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeSite, Site
from tests.functional.gate import Gates

WORKER_PID = """\
import os

from wsgid.core import Plugin
from wsgid.interfaces.filters import IPostRequestFilter


class AddWorkerPid(Plugin):
    implements = [IPostRequestFilter]

    def process(self, message, status, headers, body):
        return (status, headers + [("X-Worker", os.getpid())], body)

    def exception(self, message, e):
        pass
"""

ELAPSED = """\
import time

from wsgid.core import Plugin, log
from wsgid.interfaces.filters import IPostRequestFilter, IPreRequestFilter

started = {}


class Start(Plugin):
    implements = [IPreRequestFilter]

    def process(self, message, environ):
        started[message.client_id] = time.time()
        environ["REMOTE_USER"] = "nobody"


class Stop(Plugin):
    implements = [IPostRequestFilter]

    def process(self, message, status, headers, body):
        elapsed = time.time() - started.pop(message.client_id)
        headers.append(("X-Elapsed", elapsed))
        log.info("%s %s took so long: %f", message.headers["METHOD"], message.path, elapsed)
        return status, headers, body

    def exception(self, message, e):
        started.pop(message.client_id)
        log.info("%s raised: %s", message.path, e)
"""

NAUGHTY = """\
import time

from wsgid.core import Plugin
from wsgid.interfaces.filters import IPostRequestFilter


class Naughty(Plugin):
    implements = [IPostRequestFilter]

    def process(self, message, status, headers, body):
        return getattr(self, message.headers.get("x-how", "nothing"))(status, headers, body)

    def exception(self, message, e):
        pass

    def nothing(self, status, headers, body):
        return status, headers, body

    def fails(self, status, headers, body):
        raise LookupError("naughty")

    def none(self, status, headers, body):
        headers.clear()

    def text(self, status, headers, body):
        return status, headers, "text"

    def sleeps(self, status, headers, body):
        time.sleep(2)
        return status, headers + [("X-How", "slept")], body

    def in_place(self, status, headers, body):
        headers[0] = ("X-How", "in place")
        return status, headers, body

    def no_length(self, status, headers, body):
        return status, [each for each in headers if each[0] != "Content-Length"], body

    def longer(self, status, headers, body):
        return "201 Longer", headers, body + b"and more\\n"
"""

MESSAGE = """\
import json

from wsgid.core import Message, Plugin
from wsgid.interfaces.filters import IPreRequestFilter


class Tell(Plugin):
    implements = [IPreRequestFilter]

    def process(self, m, environ):
        assert isinstance(m, Message) and m.server_id and m.client_id
        kind = [m.is_disconnect(), m.is_upload_start(), m.is_upload_done()]
        same_id = m.request_id == environ["wsgid.request_id"]
        environ["MESSAGE"] = json.dumps([m.path, dict(m.headers), m.body.decode(), kind, same_id])
"""

HELLO = b"Hello, World!\n"

PLUGINS = {
    "plugins/a_pid.py": WORKER_PID,
    "plugins/elapsed.py": ELAPSED,
    "plugins/message.py": MESSAGE,
    "plugins/naughty.py": NAUGHTY,
}


def ask(site: Site, how: str, target: str = "/", method: str = "GET") -> tuple[int, list[tuple[str, str]], bytes]:
    """What the client gets, without the headers that each answer has; those of the old filters must be there."""
    answer = site.request(target, method, headers={"X-How": how})
    assert int(str(answer.header("x-worker"))) in site.daemon.worker_pids
    assert float(str(answer.header("x-elapsed"))) < 60
    ours = ("x-worker", "x-elapsed", "server", "date", "connection", "x-request-id")
    return answer.status, [each for each in answer.headers if each[0] not in ours], answer.body


def test_filters_of_the_first_wsgid(site: MakeSite, app_folder: MakeFolder, gates: Gates) -> None:
    served = site(app_folder("plain", PLUGINS), workers=1, env=gates.env)
    usual = [("content-type", "text/plain; charset=utf-8"), ("content-length", "14")]
    got = {how: ask(served, how) for how in ("nothing", "fails", "none", "text", "sleeps", "in_place", "no_length")}
    assert got == {
        "nothing": (200, usual, HELLO),
        "fails": (200, usual, HELLO),
        "none": (200, usual, HELLO),
        "text": (200, usual, HELLO),
        "sleeps": (200, [*usual, ("x-how", "slept")], HELLO),
        "in_place": (200, [("x-how", "in place"), usual[1]], HELLO),
        "no_length": (200, usual, HELLO),
    }
    longer = [usual[0], ("content-length", "23")]
    assert ask(served, "longer") == (201, longer, HELLO + b"and more\n")
    assert ask(served, "nothing", method="HEAD") == (200, usual, b"")
    assert ask(served, "longer", "/nolength")[1:] == ([usual[0], ("content-length", "19")], b"no length\nand more\n")
    assert ask(served, "nothing", "/exc-info")[0] == 503
    assert served.request("/environ").json()["REMOTE_USER"] == "nobody"
    message(served)
    raised(served)
    events(served, gates)
    large(served)
    assert ask(served, "fails") == got["fails"]
    log = served.daemon.log
    # Once, although it failed twice; what differs is told.
    assert log.count("LookupError: naughty") == 1
    assert log.count("naughty.py, line 7) returned None: return (status, headers, body).") == 1
    assert log.count("naughty.py, line 7) returned the str 'text' as the body: encode it") == 1


def message(served: Site) -> None:
    """It is the same whichever way the request has come."""
    sent = {"Host": "localhost", "Accept": "text/html", "X-One": "two"}
    answer = served.request("/%65nviron?a=b%20c", "POST", b"body", sent)
    path, headers, body, kind, same_id = json.loads(answer.json()["MESSAGE"])
    assert (path, body, kind, same_id) == ("/%65nviron", "body", [False, False, False], True)
    headers.pop("x-forwarded-for", None)  # Mongrel2 adds it
    assert headers == {
        "METHOD": "POST",
        "VERSION": "HTTP/1.1",
        "URI": "/%65nviron?a=b%20c",
        "PATH": "/%65nviron",
        "QUERY": "a=b%20c",
        "PATTERN": "/",
        "REMOTE_ADDR": "127.0.0.1",
        "URL_SCHEME": "http",
        "host": "localhost",
        "accept": "text/html",
        "accept-encoding": "identity",
        "x-one": "two",
        "content-length": "4",
    }


def raised(served: Site) -> None:
    """The application's failure is told to the filters, and its own 500 is none."""
    answer = served.request("/raise")
    assert (answer.status, answer.header("x-worker")) == (500, None)
    served.daemon.wait_for_log("/raise raised: raised on request")
    answer = served.request("/status?code=500")
    assert answer.status == 500
    assert answer.header("x-worker") is not None


def events(served: Site, gates: Gates) -> None:
    """A stream flows although there are filters that want its body."""
    with served.connect() as client:
        client.ask(f"/gate-stream?fifo={gates.make('one')}")
        received = b""
        while b"first\n" not in received:  # the application is held meanwhile
            received += client.receive()
        assert b"x-worker" not in received.lower()
        gates.release("one")
        while b"second\n" not in received:
            received += client.receive()
    served.daemon.wait_for_log("naughty.py, line 7) by: it has no Content-Length and does not end.")


def large(served: Site) -> None:
    answer = served.request("/stream?n=20&size=100000")
    assert (len(answer.body), answer.header("x-worker")) == (2_000_000, None)
    served.daemon.wait_for_log("a_pid.py, line 7) by: it is longer than 1048576 bytes.")


NOTING = """\
from wsgid.core import Plugin
from wsgid.interfaces.filters import IPostRequestFilter, IPreRequestFilter


class Before{name}(Plugin, IPreRequestFilter):
    order = {order}

    def process(self, message, environ):
        environ["QUERY_STRING"] += "X-{name}=before&"


class After{name}(Plugin, IPostRequestFilter):
    order = {order}
    needs_body = {needs_body}

    def process(self, message, status, headers, body):
        return status, headers + [("X-Order", "{name}")], body

    def exception(self, message, e): ...
"""


def noting(name: str, order: int = 0, needs_body: bool = True) -> str:
    return NOTING.format(name=name, order=order, needs_body=needs_body)


BROKEN = {
    "plugins/bad_syntax.py": "class Broken(\n",
    "plugins/bad_import.py": "import no_such_module_at_all\n",
    "plugins/bad_method.py": noting("Missing").replace("def exception", "def exeption"),
    "plugins/good.py": noting("Good"),
}


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A distribution with an entry point, as pip would leave it; for PYTHONPATH."""
    site = tmp_path / "site"
    info = site / "greeter-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[wsgid.plugins]\nf_greeter = greeter_of_a_test\n")
    (site / "greeter_of_a_test.py").write_text(noting("Installed", needs_body=False))
    return os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])


def test_the_order_and_files_that_are_broken(
    serve: MakeDaemon, app_folder: MakeFolder, installed: str, tmp_path: Path
) -> None:
    """Three good files in two folders and an entry point, files that cannot be loaded, and all that is shipped."""
    more = tmp_path / "more"
    more.mkdir()
    (more / "e_second.py").write_text(noting("Second"))
    (more / "z_first.py").write_text(noting("First", order=-1))
    folder = app_folder("plain", BROKEN)
    shipped = [word for name in ("worker-pid", "elapsed-time", "log-headers") for word in ("--filter", name)]
    daemon = serve(folder, "--bind", "127.0.0.1:0", "--loader-dir", str(more), *shipped, env={"PYTHONPATH": installed})
    secret = {"Authorization": "Basic c2VjcmV0", "Cookie": "a=b", "Accept": "text/html", "Referer": "/there?key=open"}
    answer = request(f"{daemon.url}/headers", headers=secret)
    order = ["First", "Second", "Installed", "Good"]
    assert answer.header("x-order") == ", ".join(order)
    before = [name.removeprefix("x-") for name, value in answer.headers if value == "before"]
    assert before == [each.lower() for each in order]
    assert int(str(answer.header("x-worker"))) in daemon.worker_pids
    assert 0 < float(str(answer.header("x-elapsed-time"))) < 60

    log = daemon.log
    for reason in (
        r"plugins/bad_syntax.py cannot be loaded: .*bad_syntax.py, line 1: SyntaxError: ",
        r"plugins/bad_import.py cannot be loaded: .*bad_import.py, line 1: ModuleNotFoundError: ",
        r"plugins/bad_method.py cannot be loaded: .*AfterMissing has no method exception, but has exeption",
    ):
        assert re.search(reason, log), reason
    told = daemon.wait_for_log("GET /headers with ")
    assert "authorization: '***'" in told
    assert "accept: 'text/html'" in told
    assert "cookie: '***'" in told
    assert "referer: '/there?***'" in told
    assert "c2VjcmV0" not in log
    daemon.wait_for_log(f"the application took {answer.header('x-elapsed-time')} s: 200 OK")


def test_a_filter_that_is_not_there(serve: MakeDaemon) -> None:
    outcome = serve("plain", "--filter", "worker_pid", start=False).start_and_end()
    assert outcome.code != 0
    assert "--filter: there is no filter 'worker_pid', did you mean worker-pid?; there are worker-pid" in outcome.output
