"""The rule "a request ends exactly once" with the edges before the queue: requests come as bytes, answers are judged by
theirs.

Each request that was sent and not abandoned gets one whole answer, in its turn, or its connection ends in a way that
the client can see; and it has exactly one line in the access log, which says the same.
"""

import os
from collections import defaultdict
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.unit.dispatcher.edges.wires import (
    CREDITS,
    LINE,
    Asked,
    HttpClient,
    Line,
    MongrelClient,
    RecordingTransport,
    http_edge,
    judge,
    mongrel2_edge,
)
from tests.unit.dispatcher.machine import SETTLED, DispatcherMachine, no_run_breaks
from tests.unit.protocol.mongrel2_writer import REQUEST_LINE, tnetstring_message
from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.edges.http_connection import HttpConnection
from wsgid.upload_journal import UploadJournal

MOST_CLIENTS = 4
"""That are there at a time, of each edge."""

DISCONNECT = b'@* 16:6:METHOD,4:JSON,}21:{"type":"disconnect"},'

METHODS = st.sampled_from(["GET", "GET", "HEAD", "POST"])
Client = TypeVar("Client", HttpClient, MongrelClient)

STEPS = st.tuples(st.booleans(), st.booleans(), st.sampled_from([False, False, False, True]), st.booleans())
"""What a worker does: see `DispatcherMachine.goes_on`."""

BODIES = st.sampled_from([3, 3, 3, INLINE_BODY + 1])


class ExactlyOnceEdges(DispatcherMachine):
    stops_after = 20

    def __init__(self) -> None:
        super().__init__()
        self.http_clients: list[HttpClient] = []
        self.mongrel_clients: list[MongrelClient] = []
        run_dir = os.open(self.directory.name, os.O_RDONLY)
        self.journal = UploadJournal(run_dir)
        os.close(run_dir)
        self.at_once = False
        """It ends at once, and not in order."""
        self.taken = False
        """In the end all clients of Mongrel2 take what is there."""
        self.flow_control = False

    @initialize(at_once=st.booleans(), taken=st.booleans(), flow_control=st.booleans())
    def it_is_decided_how_all_begins_and_ends(self, at_once: bool, taken: bool, flow_control: bool) -> None:
        self.at_once = at_once
        self.taken = taken
        self.flow_control = flow_control

    def open_edges(self) -> None:
        self.http = http_edge(self.dispatch, self.loop)
        self.mongrel2, self.link = mongrel2_edge(self.dispatch, self.loop, self.executor, self.journal)

    # HTTP clients.

    @rule(
        data=st.data(),
        methods=st.lists(METHODS, min_size=1, max_size=3),
        size=BODIES,
        old=st.sampled_from([False, False, False, True]),
        at_once=st.sampled_from([True, True, False]),
    )
    def a_client_asks(self, data: st.DataObject, methods: list[str], size: int, old: bool, at_once: bool) -> None:
        """For some things in a row; in HTTP/1.0 for one, which is its last."""
        known = [each for each in self.present(self.http_clients) if not each.last]
        client = data.draw(st.sampled_from([*known, None] if len(known) < MOST_CLIENTS else known)) or self.visitor()
        client.last = old
        for method in methods[:1] if old else methods:
            asked = Asked(method, self.next_target())
            said = http_request(asked, "1.0" if old else "1.1", size)
            # Behind the request line: of a shorter piece no method is known, nor a target for the line in the log.
            middle = data.draw(st.integers(said.index(b"\n") + 1, len(said) - 1))
            client.unsaid += [(said[:middle], None), (said[middle:], asked)]
        if at_once:
            self.it_says(client, len(client.unsaid))

    def visitor(self) -> HttpClient:
        connection = HttpConnection(self.http)
        client = HttpClient(transport=RecordingTransport(self.loop, connection))
        connection.connection_made(client.transport)
        self.http_clients.append(client)
        return client

    @precondition(lambda self: any(each.unsaid for each in self.present(self.http_clients)))
    @rule(data=st.data(), pieces=st.integers(1, 3))
    def it_says_more(self, data: st.DataObject, pieces: int) -> None:
        client = data.draw(st.sampled_from([each for each in self.present(self.http_clients) if each.unsaid]))
        self.it_says(client, pieces)

    def it_says(self, client: HttpClient, pieces: int) -> None:
        transport = client.transport
        said, client.unsaid = client.unsaid[:pieces], client.unsaid[pieces:]
        whole = [asked for _, asked in said if asked is not None]
        for asked in whole:
            asked.heard = not (transport.closing or transport.eof or transport.deaf or self.dispatch.draining)
        client.asked += whole
        client.within = said[-1][1] is None
        transport.say(b"".join(data for data, _ in said))

    @precondition(lambda self: self.present(self.http_clients))
    @rule(data=st.data(), how=st.sampled_from(["ends", "resets", "chokes", "reads on"]))
    def something_happens_to_it(self, data: st.DataObject, how: str) -> None:
        client = data.draw(st.sampled_from(self.present(self.http_clients)))
        match how:
            case "ends":
                client.left = client.last = True
                client.unsaid.clear()
                client.transport.finish_sending()
            case "resets":
                client.left = True
                client.transport.go()
            case "chokes":
                client.transport.choke()
            case "reads on":
                client.transport.read_on()

    @rule(seconds=st.sampled_from([1.0, 6.0, 20.0, 100.0]))
    def the_edge_looks_at_the_time(self, seconds: float) -> None:
        for connection in list(self.http.connections):
            connection.look(self.loop.time() + seconds)

    # Mongrel2 and its clients.

    @precondition(lambda self: self.link.receiving)
    @rule(data=st.data(), methods=st.lists(METHODS, min_size=1, max_size=3), size=BODIES)
    def a_client_asks_mongrel2(self, data: st.DataObject, methods: list[str], size: int) -> None:
        known = self.present(self.mongrel_clients)
        client = data.draw(st.sampled_from([*known, None] if len(known) < MOST_CLIENTS else known))
        if client is None:
            client = MongrelClient(number=str(len(self.link.clients)))
            self.link.clients[client.number] = client
            self.mongrel_clients.append(client)
            self.link.flow_control = self.flow_control
        for method in methods:
            if client.ended:
                return
            given = CREDITS if self.flow_control and not client.asked else 0
            client.asked.append(Asked(method, self.next_target(), heard=True, late=self.dispatch.draining))
            self.link.received(mongrel_message(client.asked[-1], client.number, size, given))

    @precondition(lambda self: self.mongrel2.flow.on is None and not self.flow_control)
    @rule()
    def no_credits_have_come(self) -> None:
        self.mongrel2.flow.forget_timer()
        self.mongrel2.flow._is_off()

    @precondition(lambda self: self.flow_control and self.present(self.mongrel_clients))
    @rule(data=st.data(), how=st.sampled_from(["chokes", "reads on", "chokes for long"]))
    def a_client_of_mongrel2_takes_its_time(self, data: st.DataObject, how: str) -> None:
        client = data.draw(st.sampled_from(self.present(self.mongrel_clients)))
        client.choked = how != "reads on"
        self.link.write(client)
        if how == "chokes for long":
            self.mongrel2_looks(seconds=100.0)

    def mongrel2_looks(self, seconds: float) -> None:
        """At all, as the edge does once a second."""
        now = self.loop.time()
        for connection in list(self.mongrel2._connections.values()):
            if connection.is_stalled(now) or connection.is_stalled(now + seconds):
                connection.cancel()
                self.mongrel2.forget(connection)

    @precondition(lambda self: self.present(self.mongrel_clients))
    @rule(data=st.data(), how=st.sampled_from(["leaves", "restarts", "chokes", "reads on"]))
    def something_happens_to_mongrel2(self, data: st.DataObject, how: str) -> None:
        """Or to one of its clients."""
        match how:
            case "leaves":
                client = data.draw(st.sampled_from(self.present(self.mongrel_clients)))
                client.left = True
                if self.link.receiving:
                    self.link.received(f"srv-1 {client.number} ".encode() + DISCONNECT)
            case "restarts":
                self.link.restart()
            case "chokes":
                self.link.choked = True
            case "reads on":
                self.link.choked = False
                self.mongrel2._room()

    # Both.

    @rule(data=st.data(), steps=st.lists(STEPS, min_size=4, max_size=12))
    def it_is_served(self, data: st.DataObject, steps: list[tuple[bool, bool, bool, bool]]) -> None:
        """Else few answers would be whole before something happens to them."""
        if not self.processes:
            self.a_worker_calls(threads=1)
        for step in steps:
            self.go_round(2)
            self.goes_on(*self.some_thread(data), *step)
        self.go_round(2)

    def present(self, clients: list[Client]) -> list[Client]:
        return [each for each in clients if each.is_there]

    def next_target(self) -> str:
        self.arrived += 1
        return f"/{'ab'[self.arrived % 2]}?{self.arrived}"

    def drain(self) -> None:
        self.http.drain()
        self.mongrel2.drain()
        super().drain()

    @invariant()
    def none_has_two_lines(self) -> None:
        assert max(self.endings().values(), default=0) <= 1

    def everything_ends(self) -> None:
        """As the dispatcher ends."""
        if not self.at_once:
            self.drain()
            self.go_round(SETTLED)
        self.drain()
        self.dispatch.give_up()
        if self.taken:
            self.mongrel2_reads_on()
        self.go_round(SETTLED)
        self.http.abort()
        self.mongrel2.abort()
        self.go_round(SETTLED)
        self.http.close()
        self.mongrel2.close()
        self.go_round(SETTLED)
        assert self.dispatch.open_count == 0
        super().everything_ends()
        self.none_has_two_lines()
        clients: list[HttpClient | MongrelClient] = [*self.http_clients, *self.mongrel_clients]
        for client in clients:
            judge(client, self.lines(), filters=self.filters)

    def mongrel2_reads_on(self) -> None:
        """And so do all its clients."""
        self.link.choked = False
        self.mongrel2._room()
        for client in self.present(self.mongrel_clients):
            client.choked = False
            self.link.write(client)

    def close(self) -> None:
        super().close()
        self.journal.close()

    def lines(self) -> dict[str, list[Line]]:
        """Of the access log, by target."""
        found = defaultdict(list)
        for match in LINE.finditer(os.pread(self.log_file, 1 << 20, 0).decode("ascii")):
            found[match["target"]].append(Line(int(match["code"]), int(match["size"]), match["end"] or ""))
        return found


def http_request(asked: Asked, version: str, size: int) -> bytes:
    """A POST has a body, of odd requests in chunks."""
    head = f"{asked.method} {asked.target} HTTP/{version}\r\nHost: a\r\n".encode()
    if asked.method != "POST":
        return head + b"\r\n"
    if version == "1.0" or int(asked.target.partition("?")[2]) % 2:
        return head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size)


def mongrel_message(asked: Asked, number: str, size: int, credits: int) -> bytes:
    path, _, query = asked.target.partition("?")
    line = {**REQUEST_LINE, "METHOD": asked.method, "URI": asked.target, "PATH": path, "QUERY": query}
    if credits:
        line["DOWNLOAD_CREDITS"] = str(credits)
    body = b"x" * size if asked.method == "POST" else b""
    headers = {"host": "a", **({"content-length": str(size)} if body else {})}
    return tnetstring_message(line, headers, body, f"srv-1 {number} {path}")


def test_every_request_ends_exactly_once() -> None:
    no_run_breaks(ExactlyOnceEdges)
