import asyncio
import errno
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.dispatcher.loops import run, until
from tests.unit.dispatcher.test_spool import Finished, Hold
from tests.unit.master.privileges import as_nobody, open_to_all
from wsgid.dispatcher.disk import Disk
from wsgid.dispatcher.edges.upload_file import UploadFile, open_and_unlink
from wsgid.upload_journal import UPLOADS, UploadJournal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[UploadJournal]:
    run_dir = os.open(tmp_path, os.O_RDONLY)
    made = UploadJournal(run_dir)
    yield made
    assert os.listdir(tmp_path / UPLOADS) == []  # however it went, it is struck out
    made.close()
    os.close(run_dir)


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    path = tmp_path / "store" / "upload.\udcffabcdef"  # a name that is no text
    path.write_bytes(b"the body")
    return path


class TestOpening:
    def test_takes_the_name_away(self, upload: Path) -> None:
        descriptor = open_and_unlink(bytes(upload))
        assert isinstance(descriptor, int)
        assert os.listdir(upload.parent) == []
        assert not os.get_inheritable(descriptor)
        with open(descriptor, "rb") as file:
            assert file.read() == b"the body"

    def test_of_a_file_that_is_not_there(self, upload: Path) -> None:
        error = open_and_unlink(bytes(upload) + b"x")
        assert isinstance(error, FileNotFoundError)

    def test_of_a_file_that_may_not_be_read_takes_it_away_all_the_same(self, upload: Path) -> None:
        upload.chmod(0)
        open_to_all(upload.parent)
        with as_nobody():
            error = open_and_unlink(bytes(upload))
        assert isinstance(error, PermissionError)
        assert not upload.exists()

    def test_of_a_path_that_depends_on_where_we_are(self, upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(upload.parent)
        error = open_and_unlink(os.fsencode(upload.name))
        assert isinstance(error, OSError)
        assert upload.exists()

    def test_follows_no_link(self, upload: Path, tmp_path: Path) -> None:
        link = tmp_path / "link"
        link.symlink_to(upload)
        error = open_and_unlink(bytes(link))
        assert isinstance(error, OSError)
        assert error.errno == errno.ELOOP
        assert upload.exists()
        assert link.is_symlink()

    @pytest.mark.parametrize("kind", ["directory", "fifo", "device"])
    def test_of_anything_but_a_plain_file(self, kind: str, tmp_path: Path) -> None:
        path = tmp_path / "odd"
        if kind == "directory":
            path.mkdir()
        elif kind == "fifo":
            os.mkfifo(path)  # opening it must not wait for a writer
        else:
            path = Path("/dev/null")
        error = open_and_unlink(bytes(path))
        assert isinstance(error, OSError)
        assert error.errno == errno.EINVAL
        assert path.exists()


def disk_of(executor: ThreadPoolExecutor) -> Disk:
    return Disk("/nowhere", executor, asyncio.get_running_loop())


class TestUploadFile:
    def test_is_opened_in_a_thread(self, upload: Path, journal: UploadJournal) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                file = UploadFile(bytes(upload), journal, disk_of(executor))
                assert file.error is None
                finished = Finished()
                file.finish(finished)
                assert upload.exists()
                hold.let_go()
                assert await finished.content() == b"the body"
                assert not upload.exists()

        run(main())

    def test_that_is_not_there_says_so(self, tmp_path: Path, journal: UploadJournal) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                file = UploadFile(bytes(tmp_path / "none"), journal, disk_of(executor))
                finished = Finished()
                file.finish(finished)
                [error] = await until(lambda: finished.outcomes, "the failure")
                assert isinstance(error, FileNotFoundError)
                assert "--mongrel2-chroot" in file.explain(error)
                assert str(tmp_path / "none") in file.explain(error)

        run(main())

    def test_that_nobody_wants_is_removed_once(self, upload: Path, journal: UploadJournal) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                file = UploadFile(bytes(upload), journal, disk_of(executor))
                file.close()
                file.close()
                assert executor._work_queue.qsize() == 1
                hold.let_go()
                await until(lambda: not upload.exists(), "the file to be removed")

        run(main())

    def test_closed_while_it_is_opened_is_the_callees(self, upload: Path, journal: UploadJournal) -> None:
        """Who asked for it is called, and closes it: see `ClientConnection`."""

        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                file = UploadFile(bytes(upload), journal, disk_of(executor))
                finished = Finished()
                file.finish(finished)
                file.close()
                hold.let_go()
                assert await finished.content() == b"the body"

        run(main())

    def test_that_mongrel2_removes_is_forgotten(self, upload: Path, journal: UploadJournal) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                file = UploadFile(bytes(upload), journal, disk_of(executor))
                file.forget()
                file.close()
                assert executor._work_queue.qsize() == 0
            assert upload.exists()

        run(main())


@pytest.mark.parametrize(
    ("path", "error", "remedy"),
    [
        (b"/up/1", FileNotFoundError(errno.ENOENT, "not there"), "--mongrel2-chroot; if it runs elsewhere, mount"),
        (b"/up/1", PermissionError(errno.EACCES, "forbidden"), "upload.temp_store_mode=0640"),
        (b"up/1", OSError(errno.EINVAL, "not a full path"), "a full path as upload.temp_store"),
    ],
)
def test_what_can_be_done_is_told(path: bytes, error: OSError, remedy: str, journal: UploadJournal) -> None:
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as executor:
        file = UploadFile(path, journal, Disk("/nowhere", executor, loop))
        told = file.explain(error)
        file.forget()
    loop.close()
    assert f"{os.fsdecode(path)}: {error.strerror}" in told
    assert remedy in told
