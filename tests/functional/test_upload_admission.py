"""Uploads that a plug-in judges while they arrive, on each way that they can come. Nothing is left of a refused one: no
file in any store, no note of it."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from tests import proc
from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.clients import Answer, Connection
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeMongrel2
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates
from tests.functional.mongrel2 import Mongrel2
from tests.functional.test_mongrel2_streams import spooled

GUARD = """\
import os

from wsgid.core import Plugin
from wsgid.interfaces.filters import IUploadFilter


class Guard(Plugin):
    implements = [IUploadFilter]

    VERDICTS = {
        "yes": True,
        "no": False,
        "code": 409,
        "status": "402 Payment Required",
        "body": ("401 Unauthorized", "who are you?"),
        "nonsense": "no",
    }

    def accept(self, message):
        assert message.is_upload_start() and not message.body and message.path == "/echo"
        verdict = message.headers.get("x-verdict", "yes")
        if gate := message.headers.get("x-gate"):
            with open(os.environ["GATES"] + "/" + gate, "rb") as fifo:
                verdict = fifo.read().decode()
        return self.VERDICTS[verdict]
"""

BODY = bytes(range(256)) * 4096
"""1 MiB."""

HALF = len(BODY) // 2
BEGINNING = 100
"""Bytes. Less than what makes a difference to Mongrel2, should it close the connection before it has read them."""


@dataclass
class Upload:
    """One that has begun."""

    target: str
    client: Connection
    sent: int

    def send(self, until: int = len(BODY)) -> None:
        self.client.send(BODY[self.sent : until])
        self.sent = until

    def answer(self) -> Answer:
        return self.client.answer("POST")


@dataclass
class Place:
    """A daemon with the guard before it, and a way that uploads come by."""

    daemon: Daemon
    server: Mongrel2 | None
    gates: Gates
    numbers: Iterator[int] = field(default_factory=count)
    clients: list[Connection] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        return self.server.address if self.server else self.daemon.address

    def begin(self, verdict: str = "yes", *, gate: str = "", sent: int = BEGINNING) -> Upload:
        target = f"/echo?n={next(self.numbers)}"
        client = Connection(self.address)
        self.clients.append(client)
        headers = {"Content-Length": str(len(BODY)), "X-Verdict": verdict, **({"X-Gate": gate} if gate else {})}
        client.send(clients.request_bytes(target, "POST", headers) + BODY[:sent])
        return Upload(target, client, sent)

    def begin_held(self, sent: int = HALF) -> tuple[Upload, str]:
        """The plug-in judges it when it is told to."""
        gate = self.gates.make(f"gate-{next(self.numbers)}")
        upload = self.begin(gate=gate, sent=sent)
        self.gates.wait_until_held(gate)
        return upload, gate

    def who_judges(self, gate: str) -> int | None:
        """The worker."""
        path = str(self.gates.folder / gate)
        return next((pid for pid in self.daemon.worker_pids if path in proc.descriptors(pid).values()), None)

    def line(self, upload: Upload) -> str:
        """Of the access log: the one it has."""
        told = f'"POST {upload.target} HTTP'
        [line] = wait_for(lambda: [line for line in self.daemon.access_log if told in line], "its line in the log")
        return line

    def left(self) -> list[object]:
        """What there is of uploads that have not ended."""
        stored = [] if self.server is None else list(self.server.uploads.iterdir())
        return [*spooled(self.daemon), *stored, *self.daemon.noted_uploads]

    def nothing_left(self) -> None:
        wait_for(lambda: not self.left(), "the files to be removed")


@pytest.fixture(params=["http", "file", "stream"])
def place(
    request: pytest.FixtureRequest, serve: MakeDaemon, mongrel2: MakeMongrel2, app_folder: MakeFolder, gates: Gates
) -> Iterator[Place]:
    server = None
    options: tuple[str, ...] = ("--bind", "127.0.0.1:0")
    if request.param != "http":
        server = mongrel2(settings={"upload.stream": "1"} if request.param == "stream" else None)
        options = server.options
    folder = app_folder("plain", {"plugins/guard.py": GUARD})
    place = Place(serve(folder, *options, "--workers", "2", env=gates.env), server, gates)
    yield place
    for client in place.clients:
        client.close()


def test_verdicts_at_the_start(place: Place) -> None:
    for verdict, status, body in (
        ("no", 403, b"403 Forbidden\n"),
        ("code", 409, b"409 Conflict\n"),
        ("status", 402, b"402 Payment Required\n"),
        ("body", 401, b"who are you?"),
    ):
        upload = place.begin(verdict)
        answer = upload.answer()
        assert (answer.status, answer.body) == (status, body)
        upload.client.expect_end()
        line = place.line(upload)
        assert f'" {status} {len(body)} ' in line
        assert line.endswith("end=refused")
        place.nothing_left()
    for verdict, told in (
        ("yes", ""),
        ("nonsense", "returned the str 'no' as a status"),
        ("unheard of", "plugins/guard.py, line 7) failed in accept(), and has changed nothing"),
    ):
        upload = place.begin(verdict)
        upload.send()
        assert upload.answer().body == BODY
        assert '" 200 ' in place.line(upload)
        place.daemon.wait_for_log(told)
        place.nothing_left()
    small = clients.request(f"http://{place.address[0]}:{place.address[1]}/echo", "POST", b"small", {"X-Verdict": "no"})
    assert small.body == b"small", "what travels with its request is no upload"


def test_verdicts_that_take_their_time(place: Place) -> None:
    """Meanwhile the body goes on arriving."""
    upload, gate = place.begin_held()
    upload.send(HALF + BEGINNING)
    wait_for(place.left, "it to be stored")
    place.gates.release(gate, b"status")
    assert upload.answer().status == 402
    upload.client.expect_end()
    assert place.line(upload).endswith("end=refused")
    place.nothing_left()

    for verdict, status in ((b"no", 403), (b"yes", 200)):
        upload, gate = place.begin_held()
        upload.send()
        place.gates.release(gate, verdict)
        assert upload.answer().status == status
        assert f'" {status} ' in place.line(upload)
        place.nothing_left()


def test_that_nobody_waits_for_any_more(place: Place) -> None:
    upload, gate = place.begin_held()
    wait_for(place.left, "it to be stored")
    upload.client.close()
    assert place.line(upload).endswith("end=left")
    place.nothing_left()
    place.gates.release(gate, b"no")

    upload, gate = place.begin_held()
    killed = place.who_judges(gate)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: place.who_judges(gate) not in (None, killed), "another worker to be asked")
    upload.send()
    place.gates.release(gate, b"yes")
    assert upload.answer().body == BODY
    assert '" 200 ' in place.line(upload)
    held = f"it held the upload filters' verdict on POST {upload.target} ("
    assert place.daemon.wait_for_log(held).endswith("given to another worker")
    place.nothing_left()
