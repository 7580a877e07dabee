"""A request as plug-ins see it."""

import weakref
from dataclasses import FrozenInstanceError

import pytest

from tests.unit.worker.dispatcher_side import a_request
from wsgid.core.message import Message, Upload


def test_has_the_requests_own_words() -> None:
    message = Message.of(a_request(id="r7", client_id="12", server_id="m2", body=b"hello"))
    assert (message.request_id, message.client_id, message.server_id) == ("r7", "12", "m2")
    assert message.body == b"hello"


def test_the_path_is_whole_and_as_it_was_sent() -> None:
    message = Message.of(a_request(script_name="/sh%6fp", path="/a%20b", query="c=d", target="/sh%6fp/a%20b?c=d"))
    assert message.path == "/sh%6fp/a%20b"
    assert message.headers["PATTERN"] == "/sh%6fp"
    assert message.headers["URI"] == "/sh%6fp/a%20b?c=d"


def test_headers_are_the_clients_and_in_capitals_mongrel2s_own() -> None:
    headers = [("host", "localhost"), ("accept", "text/html"), ("accept", "*/*")]
    assert Message.of(a_request(method="PUT", query="a=b", target="/?a=b", headers=headers)).headers == {
        "METHOD": "PUT",
        "VERSION": "HTTP/1.1",
        "URI": "/?a=b",
        "PATH": "/",
        "QUERY": "a=b",
        "PATTERN": "/",
        "REMOTE_ADDR": "127.0.0.1",
        "URL_SCHEME": "http",
        "host": "localhost",
        "accept": "text/html, */*",
    }
    assert "QUERY" not in Message.of(a_request()).headers


@pytest.mark.parametrize(
    ("in_file", "upload", "kind"),
    [
        (False, None, (False, False)),
        (True, None, (False, True)),
        (False, Upload.STARTED, (True, False)),
    ],
)
def test_says_what_it_is(in_file: bool, upload: Upload | None, kind: tuple[bool, bool]) -> None:
    message = Message.of(a_request(body_in_file=in_file), upload)
    assert (message.is_upload_start(), message.is_upload_done()) == kind
    assert not message.is_disconnect()


def test_is_itself_and_nothing_else() -> None:
    message = Message.of(a_request())
    known = weakref.WeakKeyDictionary({message: 1})
    assert known[message] == 1
    assert message != Message.of(a_request())
    with pytest.raises(FrozenInstanceError):
        message.path = "/other"  # type: ignore[misc]
