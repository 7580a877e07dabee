from tests.unit.dispatcher.requests import a_request
from wsgid.dispatcher.edges import uploads
from wsgid.dispatcher.edges.uploads import Uploads
from wsgid.protocol.values import Request


def of(client: int) -> Request:
    return a_request(server_id="srv-1", client_id=str(client))


class TestDone:
    def test_tells_whether_it_was_wanted_once(self) -> None:
        known = Uploads()
        known.start(of(1), b"/up/1", wanted=True)
        known.start(of(2), b"/up/2", wanted=False)
        assert known.done(of(1), b"/up/1") is True
        assert known.done(of(2), b"/up/2") is False
        assert known.done(of(1), b"/up/1") is None
        assert known.done(of(2), b"/up/2") is None

    def test_of_what_never_started(self) -> None:
        known = Uploads()
        assert known.done(of(1), b"/up/1") is None
        known.start(of(1), b"/up/1", wanted=True)
        assert known.done(of(1), b"/etc/passwd") is None
        assert known.done(of(2), b"/up/1") is None
        assert known.done(a_request(server_id="srv-2", client_id="1"), b"/up/1") is None
        assert known.done(of(1), b"/up/1") is True

    def test_is_of_the_latest_on_its_connection(self) -> None:
        known = Uploads()
        known.start(of(1), b"/up/1", wanted=False)
        known.start(of(1), b"/up/2", wanted=True)
        assert known.done(of(1), b"/up/1") is None
        assert known.done(of(1), b"/up/2") is True

    def test_of_a_client_that_left(self) -> None:
        known = Uploads()
        known.start(of(1), b"/up/1", wanted=True)
        known.left("srv-1", "1")
        known.left("srv-1", "2")
        assert known.done(of(1), b"/up/1") is None


def test_only_so_many_are_remembered() -> None:
    known = Uploads()
    for client in range(uploads.REMEMBERED + 1):
        known.start(of(client), b"/up", wanted=True)
    assert known.done(of(0), b"/up") is None
    assert known.done(of(1), b"/up") is True


def test_all_can_be_refused_at_once() -> None:
    known = Uploads()
    known.start(of(1), b"/up/1", wanted=True)
    known.start(of(2), b"/up/2", wanted=False)
    assert known.refuse_all() == [of(1)]
    assert known.refuse_all() == []
    assert known.done(of(1), b"/up/1") is False
