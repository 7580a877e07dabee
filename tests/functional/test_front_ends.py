"""What front ends say of their clients, and who is believed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.functional.clients import Connection, request_bytes
from tests.functional.conftest import MakeDaemon, MakeMongrel2, MakeSite
from tests.functional.daemon import Daemon
from tests.functional.gate import Gates

CLIENT = "192.0.2.1"
TRUSTED, OTHER = "127.0.0.1", "127.0.0.2"
"""Of this machine, where the tests take both places."""

Headers = Mapping[str, str]
Seen = tuple[str, str, str, str, str]
"""REMOTE_ADDR, wsgi.url_scheme, HTTP_HOST, SERVER_NAME, SERVER_PORT"""

HEADERS: dict[str, Headers] = {
    "nothing": {},
    "the client": {"X-Forwarded-For": CLIENT},
    "a chain": {"X-Forwarded-For": f"198.51.100.1, {CLIENT}:4711, 10.1.2.3"},
    "all of it": {
        "X-Forwarded-For": f"[2001:db8::1]:4711, {OTHER}",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example:8443",
    },
    "the scheme": {"X-Forwarded-Proto": "https"},
    "garbage": {
        "X-Forwarded-For": f"{CLIENT}, me",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "not a host",
    },
    "the other way": {"Forwarded": f"for={CLIENT};proto=https;host=shop.example"},
    "names that pose": {"X_Forwarded_For": CLIENT, "X_Forwarded-Proto": "https"},
}


def seen(address: tuple[str, int] | str, source: str, headers: Headers) -> dict[str, Any]:
    with Connection(address, source) as client:
        client.ask("/", headers=headers)
        told: dict[str, Any] = client.answer().json()["environ"]
    assert told.get("HTTP_X_FORWARDED_FOR") == headers.get("X-Forwarded-For")
    return told


def picked(told: dict[str, Any]) -> Seen:
    names = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
    addr, scheme, host, name, port = (told[name] for name in names)
    return addr, scheme, host, name, port


def test_a_trusted_front_end_is_believed(serve: MakeDaemon, tmp_path: Path) -> None:
    peers = ("--forwarded-allow-ips", TRUSTED, "--forwarded-allow-ips", "10.0.0.0/8")
    path = str(tmp_path / "s")
    daemon = serve("mirror", "--bind", "127.0.0.1:0", "--bind", f"unix:{path}", *peers, "--debug")
    host, port = daemon.address
    own = ("http", "test.example", host, str(port))
    believed: dict[str, Seen] = {
        "nothing": (TRUSTED, *own),
        "the client": (CLIENT, *own),
        "a chain": (CLIENT, *own),
        "all of it": (OTHER, "https", "shop.example:8443", "shop.example", "8443"),
        "the scheme": (TRUSTED, "https", "test.example", "test.example", "443"),
        "garbage": (TRUSTED, *own),
        "the other way": (TRUSTED, *own),
        "names that pose": (TRUSTED, *own),
    }
    for name, headers in HEADERS.items():
        told = seen(daemon.address, TRUSTED, headers)
        assert picked(told) == believed[name], name
        assert ("REMOTE_PORT" in told) is (told["REMOTE_ADDR"] == TRUSTED), name
        told = seen(daemon.address, OTHER, headers)
        assert picked(told) == (OTHER, *own), name
        assert picked(seen(path, "", headers)) == ("", "http", "test.example", "localhost", "80"), name
    lines = daemon.wait_for_access(3 * len(HEADERS))
    assert [line.split()[0] for line in lines[::3]] == [seen[0] for seen in believed.values()]
    assert {line.split()[0] for line in lines[1::3]} == {OTHER}
    assert {line.split()[0] for line in lines[2::3]} == {"-"}
    for doubt in ("'me' is not an address", "'gopher' is neither http nor https", "'not a host' is not a host"):
        assert sum(doubt in line for line in daemon.log.splitlines()) == 1
    _refused(daemon)


def _refused(daemon: Daemon) -> None:
    """What a front end says is believed of a whole head: of another one the line that counts may be missing."""
    wires = {
        request_bytes("/", headers={"X-Forwarded-For": CLIENT, "Content-Length": "x"}): TRUSTED,  # in the midst of it
        request_bytes("/", headers={"X-Forwarded-For": CLIENT, "Expect": "tea"}): CLIENT,
        request_bytes("*", headers={"X-Forwarded-For": CLIENT}, version="1.0"): CLIENT,
        b"GET /%b" % (b"t" * 9000): TRUSTED,
    }
    for wire, address in wires.items():
        before = len(daemon.access_log)
        with Connection(daemon.address, TRUSTED) as client:
            client.send(wire)
            assert client.answer("GET").status >= 400
        line = daemon.wait_for_access(before + 1)[-1]
        assert line.split()[0] == address, line
        assert ("HTTP/1.0" in line) is (b"HTTP/1.0" in wire)


def test_by_forwarded_and_over_a_unix_socket(serve: MakeDaemon, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    daemon = serve("mirror", "--bind", f"unix:{path}", "--forwarded-headers", "forwarded", "--debug")
    for value, result in {
        f"for={CLIENT}": (CLIENT, "http", "test.example", "localhost", "80"),
        'for="[2001:db8::1]:80";proto=https': ("2001:db8::1", "https", "test.example", "test.example", "443"),
        f'for=10.9.9.9;x=", for={CLIENT};host="shop.example:81"': (
            CLIENT,
            "http",
            "shop.example:81",
            "shop.example",
            "81",
        ),
        f"for={CLIENT}, for=unknown;proto=https": ("", "https", "test.example", "test.example", "443"),
        f"for={CLIENT}, garbage": ("", "http", "test.example", "localhost", "80"),
    }.items():
        assert picked(seen(path, "", {"Forwarded": value, "X-Forwarded-For": "198.51.100.1"})) == result, value
    daemon.wait_for_log("'garbage' is not an element of Forwarded")


def test_one_id_for_two_requests(site: MakeSite, gates: Gates) -> None:
    """A front end may send a request again, or let its clients choose."""
    served = site("plain", env=gates.env)
    first, second = served.connect(), served.connect()
    for client, name in ((first, "first"), (second, "second")):
        client.ask(f"/hold?fifo={gates.make(name)}", headers={"X-Request-Id": "same"})
        gates.wait_until_held(name)
    gates.release("second", b"2")
    assert second.answer().body == b"2"
    gates.release("first", b"1")
    assert first.answer().body == b"1"
    assert [line.endswith(" id=same") for line in served.daemon.wait_for_access(2)] == [True, True]
    for client in (first, second):
        client.close()


def test_mongrel2_says_itself_who_its_client_is(serve: MakeDaemon, mongrel2: MakeMongrel2) -> None:
    server = mongrel2(settings={"no_clobber_xff": "1"})
    serve("mirror", *server.options)
    for headers in HEADERS.values():
        assert picked(seen(server.address, "", headers)) == (TRUSTED, "http", "test.example", "test.example", "80")
