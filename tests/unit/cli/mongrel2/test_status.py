from wsgid.cli.mongrel2.control_port import Row
from wsgid.cli.mongrel2.status import MOST_SHOWN, Told, as_text

SERVER: Row = {"uuid": "mysite", "bind_addr": "0.0.0.0", "port": 6767, "chroot": ""}


def connection(number: int, kind: int = 1, read: int = 0, write: int = 0) -> Row:
    times: Row = {"last_ping": 0, "last_read": read, "last_write": write}
    return {"id": number, "fd": 22, "type": kind, **times, "bytes_read": 84, "bytes_written": 172}


def task(name: str, state: str, status: str = "idle") -> Row:
    return {"id": 1, "system": False, "name": name, "state": state, "status": status}


def test_connections() -> None:
    told = Told(SERVER, [connection(1, read=30, write=20), connection(-1, 0), connection(12, 3)], [])
    assert list(as_text(told)) == [
        "mongrel2 mysite, on 0.0.0.0:6767: 3 connections",
        "tasks: none",
        "",
        "connection       kind  silent  received  sent",
        "         1       HTTP    20 s        84   172",
        "         -        new     0 s        84   172",
        "        12  WebSocket     0 s        84   172",
    ]


def test_tasks_are_counted_by_what_they_wait_for() -> None:
    tasks = [task("HTTP", "read fd"), task("HTTP", "read fd"), task("", "", "ready")]
    told = Told({**SERVER, "chroot": "/srv/m2"}, [], tasks)
    assert list(as_text(told)) == [
        "mongrel2 mysite, on 0.0.0.0:6767 in /srv/m2: 0 connections",
        "tasks: 1 - (ready), 2 HTTP (read fd)",
    ]


def test_a_screen_is_enough() -> None:
    told = Told(SERVER, [connection(number) for number in range(MOST_SHOWN + 7)], [])
    assert list(as_text(told))[-1] == "and 7 more (--json)"
