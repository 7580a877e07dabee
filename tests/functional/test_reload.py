"""``--reload``: the code changes on disk, and the real command serves what is there now."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.functional import clients, mounts
from tests.functional.conftest import MakeDaemon, MakeFolder
from tests.functional.daemon import Daemon

PAGE = """
import page
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [page.TEXT]
"""


def serving(serve: MakeDaemon, folder: Path, *options: str) -> Daemon:
    daemon = serve(folder, "--bind", "127.0.0.1:0", "--reload", *options)
    daemon.wait_for_log("--reload: watching the code in")
    return daemon


def wait_until_served(daemon: Daemon, text: str) -> None:
    """Whatever is served meanwhile is served well."""
    wait_for(lambda: clients.request(daemon.url).text == text, f"{text!r} to be served")


def test_changed_code_is_served_and_broken_code_survived(app_folder: MakeFolder, serve: MakeDaemon) -> None:
    """Each text has a length of its own: Python takes a file of the same size and second for unchanged."""
    folder = app_folder("reloaded", {"app/wsgi.py": PAGE, "app/page.py": "TEXT = b'old'"})
    page = folder / "app/page.py"
    daemon = serving(serve, folder, "--workers", "2")
    assert clients.request(daemon.url).text == "old"

    page.write_text("TEXT = b'newer'")
    wait_until_served(daemon, "newer")
    assert re.search(r"app/page\.py\b.* changed: restarting the workers", daemon.log)

    page.write_text("TEXT = b'never served'\nTEXT =")
    daemon.wait_for_log("SyntaxError: invalid syntax")
    daemon.wait_for_log("the restart failed")
    assert clients.request(daemon.url).text == "newer"

    page.write_text("TEXT = b'mended'")
    wait_until_served(daemon, "mended")
    daemon.stop()


def test_options_are_read_again(app_folder: MakeFolder, serve: MakeDaemon) -> None:
    files = {"app/wsgi.py": PAGE, "app/page.py": "TEXT = b'text'", "wsgid.json": '{"workers": 1}'}
    daemon = serving(serve, app_folder("reloaded", files))
    (daemon.folder / "wsgid.json").write_text('{"workers": 2}')
    wait_for(lambda: len(daemon.worker_pids) == 2, "a second worker")
    daemon.stop()


def test_a_watcher_that_dies_is_replaced(app_folder: MakeFolder, serve: MakeDaemon) -> None:
    folder = app_folder("reloaded", {"app/wsgi.py": PAGE, "app/page.py": "TEXT = b'old'"})
    daemon = serving(serve, folder)
    watching = re.compile(r"watcher\[(\d+)\] --reload: watching")
    [watcher] = watching.findall(daemon.log)
    os.kill(int(watcher), signal.SIGKILL)
    wait_for(lambda: len(watching.findall(daemon.log)) == 2, "another watcher")
    (folder / "app/page.py").write_text("TEXT = b'newer'")
    wait_until_served(daemon, "newer")
    daemon.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: no jail can be made")
def test_in_a_jail(app_folder: MakeFolder, serve: MakeDaemon) -> None:
    if not mounts.possible():
        pytest.skip("the system does not let this process make a jail")
    daemon = serving(serve, app_folder("jailed", {"app/wsgi.py": PAGE, "app/page.py": "TEXT = b'old'"}), "--chroot")
    (daemon.folder / "app/page.py").write_text("TEXT = b'newer'")
    wait_until_served(daemon, "newer")
    assert re.search(r" app/page\.py\b.* changed: restarting the workers", daemon.log)
    daemon.stop()
