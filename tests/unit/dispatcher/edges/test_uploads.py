from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.dispatcher.edges.upload_store import Store
from tests.unit.dispatcher.requests import a_request
from wsgid.dispatcher.edges import uploads
from wsgid.dispatcher.edges.uploads import Uploads
from wsgid.protocol.values import Request


def of(client: int) -> Request:
    return a_request(server_id="srv-1", client_id=str(client))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


class TestDone:
    def test_is_the_file_once(self, store: Store) -> None:
        known, file = Uploads(), store.file("1")
        assert known.start(of(1), file, 0.0) is None
        assert known.done(of(1), file.path) is file
        assert known.done(of(1), file.path) is None
        assert not known.was_refused(of(1), file.path)
        assert (store.left(), store.noted()) == (["1"], 1)

    def test_of_what_was_refused(self, store: Store) -> None:
        known, file = Uploads(), store.file("1")
        known.refuse(of(1), file)
        assert known.done(of(1), file.path) is None
        assert known.was_refused(of(1), file.path)
        assert not known.was_refused(of(1), file.path)
        assert (store.left(), store.noted()) == ([], 0)

    def test_of_what_never_started(self, store: Store) -> None:
        known, file = Uploads(), store.file("1")
        assert known.done(of(1), file.path) is None
        known.start(of(1), file, 0.0)
        assert known.done(of(1), b"/etc/passwd") is None
        assert known.done(of(2), file.path) is None
        assert known.done(a_request(server_id="srv-2", client_id="1"), file.path) is None
        assert known.done(of(1), file.path) is file

    def test_is_of_the_latest_on_its_connection(self, store: Store) -> None:
        known, second = Uploads(), store.file("2")
        known.start(of(1), store.file("1"), 0.0)
        assert known.start(of(1), second, 0.0) == of(1)
        assert known.done(of(1), store.path("1")) is None
        assert known.done(of(1), second.path) is second
        assert store.noted() == 1

    def test_of_a_client_that_left(self, store: Store) -> None:
        known = Uploads()
        known.start(of(1), store.file("1"), 0.0)
        assert known.left("srv-1", "1") == of(1)
        assert known.left("srv-1", "1") is None
        assert known.left("srv-1", "2") is None
        assert known.done(of(1), store.path("1")) is None
        assert (store.left(), store.noted()) == (["1"], 0), "Mongrel2 removes it"


class TestClosed:
    def test_what_was_in_progress_is_given_up(self, store: Store) -> None:
        known = Uploads()
        known.start(of(1), store.file("1"), 0.0)
        assert known.closed("srv-1", "1") == of(1)
        assert known.closed("srv-1", "1") is None
        assert known.was_refused(of(1), store.path("1"))
        assert (store.left(), store.noted()) == ([], 0)


class TestRemembered:
    def test_only_so_many_are_wanted(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uploads, "REMEMBERED", 3)
        known = Uploads()
        dropped = [known.start(of(client), store.file(str(client)), 0.0) for client in range(4)]
        assert dropped == [None, None, None, of(0)]
        assert known.done(of(0), store.path("0")) is None
        assert known.done(of(1), store.path("1")) is not None
        assert store.noted() == 3

    def test_refused_ones_drive_no_wanted_one_out(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uploads, "REMEMBERED", 3)
        known = Uploads()
        known.start(of(0), store.file("0"), 0.0)
        for client in range(1, 6):
            known.refuse(of(client), store.file(str(client)))
        assert [known.was_refused(of(client), store.path(str(client))) for client in range(1, 6)] == [
            False,
            False,
            True,
            True,
            True,
        ]
        assert known.done(of(0), store.path("0")) is not None


class TestDoubtful:
    def test_are_those_of_which_nothing_is_heard(self, store: Store) -> None:
        known, later = Uploads(), uploads.ASK_AFTER
        assert known.doubtful(0.0) is None
        known.start(of(1), store.file("1"), 0.0)
        known.start(of(2), store.file("2"), 1.0)
        assert known.doubtful(later - 1) is None
        assert [known.doubtful(later + 1) for _ in range(3)] == [("srv-1", "1"), ("srv-1", "2"), None]
        known.start(of(3), store.file("3"), later + 2)
        assert known.left("srv-1", "1") == of(1)
        asked = [known.doubtful(2 * later + 2) for _ in range(3)]
        assert asked == [("srv-1", "2"), ("srv-1", "3"), None]


def test_all_can_be_refused_at_once(store: Store) -> None:
    known = Uploads()
    known.start(of(1), store.file("1"), 0.0)
    known.refuse(of(2), store.file("2"))
    assert known.refuse_all() == [of(1)]
    assert known.refuse_all() == []
    assert known.was_refused(of(1), store.path("1"))
    assert known.was_refused(of(2), store.path("2"))
    assert (store.left(), store.noted()) == ([], 0)
