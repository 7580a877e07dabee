"""Lines as Debian's Mongrel2 1.12.2 was seen to print them."""

import pytest

from wsgid.cli.mongrel2.messages import Messages

DATE = "Sat, 21 Nov 2026 23:39:36 GMT"


def line(text: str, level: str = "ERROR", errno: str = "No such file or directory") -> str:
    return f"{DATE} [{level}] (src/some.c:12: errno: {errno}) {text}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Setting key upload.temp_store_mode already exists, can't add upload.temp_store_mode:00000000000000640",
            "the setting upload.temp_store_mode is refused",
        ),
        ("Can't announce on TCP port 80", "the port 80 cannot be opened: another program has it, or it is below 1024"),
        ("Process 2108 is still running, shut it down first.", "its pid file names the process 2108, which lives"),
        ("Couldn't open /srv/m2/logs/error.log log file.", "its log /srv/m2/logs/error.log cannot be written"),
        ("Failed to open PID file /run/m2.pid for writing.", "its pid file /run/m2.pid cannot be written"),
        ("Failed to load cert from /srv/certs/main.crt", "the cert /srv/certs/main.crt cannot be read as PEM"),
        ("No default_host set for server: main, you need one host named: www", "default_host is www, and no host has"),
        ("End directory base with / in /srv/static or it won't work right.", "the base /srv/static of static files"),
        ("SQL error \"file is not a database\" at: ''", "its configuration cannot be read: file is not a database"),
        ("Failed to load server main from m.sqlite", "the server main of m.sqlite cannot be started"),
        ("Too many bind attempts for handler tcp://127.0.0.1:7101", "what goes to it gets 404 from now on"),
        ("Failed to normalize base path: /srv/static/", "the folder /srv/static/ of static files is not there"),
        ("Error sending raw message to HTTP listener on FD 12, closing them.", "a client that read too slowly was cut"),
    ],
)
def test_they_say_what_to_do(text: str, told: str) -> None:
    [said] = Messages().of(line(text))
    assert told in said


@pytest.mark.parametrize(
    "text",
    [
        line("No handler to notify"),
        line("Failed to normalize base path when requesting /static/x", errno="None"),
        line("Aborting since can't load server.", errno="None"),
        line("bind failed with error other than EACCESS.", errno="Address already in use"),
        f"{DATE} [INFO] (src/unixy.c:161) No previous mongrel2 running, continuing on.",
        f"{DATE} DEBUG src/dir.c:391: Lazy normalized base path /srv/static/ into /srv/static",
        "",
    ],
)
def test_what_means_nothing_is_dropped(text: str) -> None:
    assert list(Messages().of(text)) == []


def test_what_is_not_known_is_passed_on() -> None:
    assert list(Messages().of(line("SuperPoll failure, aborting."))) == ["SuperPoll failure, aborting."]
    assert list(Messages().of("free(): invalid pointer\n")) == ["free(): invalid pointer"]


def test_a_flood_is_told_once() -> None:
    messages = Messages()
    slow = line("Error sending raw message to HTTP listener on FD 12, closing them.")
    other = line("Error sending raw message to HTTP listener on FD 13, closing them.")
    assert len(list(messages.of(slow))) == 1
    assert list(messages.of(other)) == []


def test_that_it_runs_is_seen() -> None:
    messages = Messages()
    list(messages.of(f"{DATE} [INFO] (src/mongrel2.c:231) -- Starting Mongrel2/1.12.2. Copyright (C) Zed A. Shaw."))
    assert not messages.running
    list(messages.of(f"{DATE} [INFO] (src/mongrel2.c:303) -- Mongrel2/1.12.2 Running. Copyright (C) Zed A. Shaw."))
    assert messages.running


def test_how_it_comes_apart_is_not_told() -> None:
    messages = Messages()
    list(messages.of(f"{DATE} [INFO] (src/mongrel2.c:96) SHUTDOWN REQUESTED: GRACEFUL (SIGINT again to EXIT NOW)"))
    assert list(messages.of(line("Receive on handler socket failed."))) == []
