import asyncio
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.dispatcher.loops import run, until
from tests.unit.dispatcher.test_spool import Finished, Hold
from wsgid.dispatcher.edges.upload_file import UploadFile, open_and_unlink, remove


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    path = tmp_path / "upload.\udcffabcdef"  # a name that is no text
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


class TestRemoving:
    def test_a_file_that_is_gone_already_is_fine(self, upload: Path, caplog: pytest.LogCaptureFixture) -> None:
        remove(bytes(upload))
        remove(bytes(upload))
        assert not upload.exists()
        assert caplog.messages == []

    def test_what_stays_behind_is_told(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        remove(bytes(tmp_path))
        [line] = caplog.messages
        assert str(tmp_path) in line
        assert "must be writable" in line


class TestUploadFile:
    def test_is_opened_in_a_thread(self, upload: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                file = UploadFile(bytes(upload), executor, asyncio.get_running_loop())
                assert file.error is None
                finished = Finished()
                file.finish(finished)
                assert upload.exists()
                hold.let_go()
                assert await finished.content() == b"the body"
                assert not upload.exists()

        run(main())

    def test_that_is_not_there_says_so(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                file = UploadFile(bytes(tmp_path / "none"), executor, asyncio.get_running_loop())
                finished = Finished()
                file.finish(finished)
                [error] = await until(lambda: finished.outcomes, "the failure")
                assert isinstance(error, FileNotFoundError)
                assert "--mongrel2-chroot" in file.explain(error)
                assert str(tmp_path / "none") in file.explain(error)

        run(main())

    def test_that_nobody_wants_is_removed_once(self, upload: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                file = UploadFile(bytes(upload), executor, asyncio.get_running_loop())
                file.close()
                file.close()
                assert executor._work_queue.qsize() == 1
                hold.let_go()
                await until(lambda: not upload.exists(), "the file to be removed")

        run(main())

    def test_closed_while_it_is_opened_is_the_callees(self, upload: Path) -> None:
        """Who asked for it is called, and closes it: see `ClientConnection`."""

        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                file = UploadFile(bytes(upload), executor, asyncio.get_running_loop())
                finished = Finished()
                file.finish(finished)
                file.close()
                hold.let_go()
                assert await finished.content() == b"the body"

        run(main())
