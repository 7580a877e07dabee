"""The examples of `wsgid init`, served. What root makes with it is tested in test_rights.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.functional import clients
from tests.functional.conftest import MakeDaemon
from tests.functional.daemon import environment


def init(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "wsgid", "init", *arguments]
    return subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=seconds())


@pytest.mark.parametrize(
    ("example", "told"),
    [("plain", b"Hello from WSGI\n"), ("flask", b"Hello from Flask\n"), ("django", b"Hello from Django\n")],
)
def test_an_example_is_served(example: str, told: bytes, tmp_path: Path, serve: MakeDaemon) -> None:
    done = init(str(tmp_path / "site"), "--example", example)
    assert done.returncode == 0, done.stderr
    daemon = serve(tmp_path / "site", "--bind", "127.0.0.1:0")
    answer = clients.request(daemon.url + "/")
    assert (answer.status, answer.body) == (200, told)
    if example == "django":
        # The tables of the admin are not there yet, and the page says where one has to log in.
        assert clients.request(daemon.url + "/admin/").status == 302
