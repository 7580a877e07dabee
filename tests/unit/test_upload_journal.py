"""Links in the run directory; and what is removed by them, which may only be plain files that were noted."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.master.privileges import as_nobody, open_to_all
from wsgid.upload_journal import UPLOADS, UploadJournal, clear, remove


@pytest.fixture
def run_dir(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "run").mkdir(mode=0o700)
    descriptor = os.open(tmp_path / "run", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def journal(run_dir: int) -> Iterator[UploadJournal]:
    made = UploadJournal(run_dir)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def upload(store: Path, name: str) -> bytes:
    (store / name).write_bytes(b"the body")
    return bytes(store / name)


def notes(run_dir: int) -> list[str]:
    directory = os.open(UPLOADS, os.O_RDONLY, dir_fd=run_dir)
    try:
        return os.listdir(directory)
    finally:
        os.close(directory)


def test_what_was_noted_and_not_struck_out_is_removed(journal: UploadJournal, run_dir: int, store: Path) -> None:
    paths = [upload(store, name) for name in ("served", "killed", "\udcff\n odd", "somebody else's")]
    served, *_ = [journal.note(path) for path in paths[:3]]
    journal.strike(served)
    clear(run_dir)
    assert sorted(os.listdir(store)) == ["served", "somebody else's"]
    assert notes(run_dir) == []


def test_nothing_is_left_when_nothing_is_open(journal: UploadJournal, run_dir: int) -> None:
    for name in [journal.note(b"/store/upload.%d" % number) for number in range(1000)]:
        journal.strike(name)
    assert notes(run_dir) == []
    journal.strike("1")


def test_the_next_dispatcher_begins_with_it(journal: UploadJournal, run_dir: int, store: Path) -> None:
    journal.note(upload(store, "killed"))
    following = UploadJournal(run_dir)
    assert os.listdir(store) == []
    following.note(upload(store, "new"))
    assert len(notes(run_dir)) == 1
    following.close()


def test_only_its_owner_sees_it(journal: UploadJournal, run_dir: int) -> None:
    assert os.stat(UPLOADS, dir_fd=run_dir).st_mode & 0o777 == 0o700


def test_a_dispatcher_without_mongrel2(run_dir: int, caplog: pytest.LogCaptureFixture) -> None:
    clear(run_dir)
    assert caplog.messages == []


@pytest.mark.parametrize("kind", ["directory", "link", "fifo", "socket", "relative", "nothing"])
def test_anything_but_a_plain_file_stays(
    kind: str, journal: UploadJournal, run_dir: int, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store / "odd"
    secret = store.parent / "secret"
    secret.write_text("secret")
    if kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(secret)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(store)  # a UNIX address holds 107 bytes
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind("odd")
    elif kind == "relative":
        monkeypatch.chdir(store.parent)
        path = Path("secret")
    journal.note(bytes(path))
    clear(run_dir)
    assert os.path.lexists(path) == (kind != "nothing")
    assert secret.read_text() == "secret"
    assert notes(run_dir) == []


def test_what_is_no_link_is_left_alone(
    journal: UploadJournal, run_dir: int, store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run" / UPLOADS / "odd").write_bytes(upload(store, "other"))
    journal.note(upload(store, "killed"))
    clear(run_dir)
    assert os.listdir(store) == ["other"]
    assert "cannot be read or removed" in caplog.text


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=50
)
@given(steps=st.lists(st.integers(0, 9), max_size=40))
def test_in_any_order(steps: list[int], run_dir: int, store: Path) -> None:
    """Each step begins the upload of that number or, when it has begun, ends it; the last is followed by a kill."""
    journal = UploadJournal(run_dir)
    begun: dict[int, str] = {}
    ended = set()
    for number in steps:
        if number in begun:
            journal.strike(begun.pop(number))
            ended.add(str(number))
        else:
            begun[number] = journal.note(upload(store, str(number)))
            ended.discard(str(number))
    assert len(notes(run_dir)) == len(begun)
    journal.close()
    clear(run_dir)
    assert set(os.listdir(store)) == ended
    for name in ended:  # of the next example it is the first
        (store / name).unlink()


def test_where_others_may_write_nothing_is_believed(
    journal: UploadJournal, run_dir: int, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal.note(upload(store, "killed"))
    os.chmod(UPLOADS, 0o777, dir_fd=run_dir)
    clear(run_dir)
    assert os.listdir(store) == ["killed"]
    assert "others may write there" in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: nobody else can be become")
def test_somebody_elses_directory_is_not_believed(run_dir: int, store: Path, tmp_path: Path) -> None:
    """Root would remove for them what they may not."""
    open_to_all(tmp_path / "run")
    with as_nobody():
        os.mkdir(UPLOADS, 0o700, dir_fd=run_dir)
        os.symlink(upload_path := store / "root's", f"{UPLOADS}/1", dir_fd=run_dir)
    upload(store, "root's")
    clear(run_dir)
    assert upload_path.exists()


def test_a_link_instead_of_the_directory_is_not_followed(
    run_dir: int, store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "1").symlink_to(store / "other")
    upload(store, "other")
    os.symlink(tmp_path / "planted", UPLOADS, dir_fd=run_dir)
    clear(run_dir)
    assert os.listdir(store) == ["other"]
    assert "not known" in caplog.text


def test_a_disk_that_refuses_is_told_once(
    journal: UploadJournal, run_dir: int, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        journal.strike(journal.note(b"/" + b"x" * 5000))  # longer than a link can be
    [line] = caplog.messages
    assert os.strerror(errno.ENAMETOOLONG) in line
    assert notes(run_dir) == []


class TestRemoving:
    def test_once(self, store: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = upload(store, "done")
        assert remove(path)
        assert not remove(path)
        assert caplog.messages == []

    def test_what_stays_behind_is_told(self, store: Path, caplog: pytest.LogCaptureFixture) -> None:
        assert not remove(bytes(store))
        [line] = caplog.messages
        assert f"{store}: not a plain file" in line

    def test_a_path_that_is_not_full_is_nobodys(self, caplog: pytest.LogCaptureFixture) -> None:
        assert not remove(b"upload.abcdef")
        assert "not a full path" in caplog.text
