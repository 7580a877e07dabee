"""The same on a real daemon, by real clients: HTTP and Mongrel2, which is real too."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.behaviours.conversations import Conversation
from tests.behaviours.judge import Received, judge
from tests.behaviours.pep3333 import Expected
from tests.deadlines import seconds
from tests.functional.daemon import APPLICATIONS, Daemon
from tests.functional.mongrel2 import Endpoints, Mongrel2

HTTP, MONGREL2 = EDGES = ("HTTP", "Mongrel2")

SETTINGS = {"limits.buffer_size": "65536", "limits.content_length": "131072"}
"""Mongrel2's: room for a behaviour as a header, and for bodies. A body that it writes to a file, such as a chunked one,
takes along what is pipelined behind it (docs/mongrel2.md): such a request can only be the last."""

RECEIVE = {False: 1024 * 1024, True: 5_000}
"""Bytes that a client takes at once, when it is slow and when not."""


class OnDaemon:
    def __init__(self, daemon: Daemon, addresses: dict[str, tuple[str, int]]) -> None:
        self.daemon = daemon
        self._addresses = addresses

    def play(self, edge: str, conversation: Conversation) -> list[Expected]:
        """As `judge` has it. ``edge`` is one of `EDGES`."""
        data, reset = self._converse(edge, conversation)
        return judge(conversation, Received(data, reset, tells_cuts=edge == HTTP, loses=True))

    def _converse(self, edge: str, conversation: Conversation) -> tuple[bytes, bool]:
        """All that came until the server ended the connection, and whether it did so by a reset."""
        last = len(conversation.turns)
        said = b"".join(
            turn.http(f"/{number}", chunks=edge == HTTP or number == last)
            for number, turn in enumerate(conversation.turns, 1)
        )
        received = bytearray()
        with socket.create_connection(self._addresses[edge], timeout=seconds()) as sock:
            try:
                sock.sendall(said)
            except (BrokenPipeError, ConnectionResetError):
                pass  # an answer before the last has ended the connection; it can still be read
            try:
                while data := sock.recv(RECEIVE[conversation.slow]):
                    received += data
            except ConnectionResetError:
                return bytes(received), True
        return bytes(received), False


@contextmanager
def on_daemon() -> Iterator[OnDaemon]:
    """At the end nothing of the daemon may be left, and no fault of wsgid's own may be in its log."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="behaviours-")))
        site = folder / "site"
        shutil.copytree(APPLICATIONS / "behaviours", site, ignore=shutil.ignore_patterns("__pycache__"))
        (site / "logs").mkdir()
        endpoints = Endpoints()
        stack.callback(endpoints.remove)
        server = Mongrel2("behaviours", {"/": endpoints.ipc("behaviours", "tnetstring")}, folder / "mongrel2", SETTINGS)
        server.start()
        stack.callback(server.stop)
        daemon = Daemon(site, "--no-stdout", "--bind", "127.0.0.1:0", *server.options, "--workers", "2")
        stack.callback(daemon.kill)
        daemon.start()
        yield OnDaemon(daemon, {HTTP: daemon.address, MONGREL2: server.address})
        daemon.stop()
        for fault in ("a fault in wsgid itself", "broke the rules", "cannot be formatted"):
            assert fault not in daemon.log
