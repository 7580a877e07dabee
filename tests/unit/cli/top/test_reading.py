"""What is read of the processes themselves."""

import os
from pathlib import Path

import pytest

from wsgid.cli.top.reading import _memory


@pytest.mark.parametrize("error", [FileNotFoundError, ProcessLookupError, PermissionError])
def test_one_that_cannot_be_seen_has_no_memory(error: type[OSError], monkeypatch: pytest.MonkeyPatch) -> None:
    """With hidepid=1 the files of others can be seen, not read: no test that runs as root gets that."""
    read = Path.read_text

    def refusing(path: Path) -> str:
        if path == Path("/proc/1/statm"):
            raise error
        return read(path)

    monkeypatch.setattr(Path, "read_text", refusing)
    assert list(_memory([1, os.getpid()])) == [os.getpid()]
