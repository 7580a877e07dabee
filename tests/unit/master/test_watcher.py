"""Real files; the child watches for a parent that is made for the test."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchfiles import Change

from tests import proc
from tests.deadlines import wait_for
from wsgid.cli.complaints import EXIT_REFUSED
from wsgid.cli.start import start
from wsgid.master.watcher import EXIT_FAILED, MISSING, Filter, check_watchfiles

PARENT = """
import logging, os, signal, sys
from pathlib import Path
from wsgid.master.watcher import watch

logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
signal.signal(signal.SIGHUP, lambda *_: print("SIGHUP", flush=True))
parent = os.getpid()
child = os.fork()
if child == 0:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os._exit(watch(Path(sys.argv[1]), parent, map(Path, sys.argv[2:])))
print("child", child, flush=True)
while True:
    signal.pause()
"""

EXHAUSTED = """
import os, resource, sys
from pathlib import Path
import watchfiles
from wsgid.master.watcher import watch

resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
sys.exit(watch(Path(sys.argv[1]), os.getppid()))
"""


class Parent:
    def __init__(self, folder: Path, output: Path, *loader_dirs: Path) -> None:
        self._output = output
        asked = [sys.executable, "-c", PARENT, str(folder), *map(str, loader_dirs)]
        with open(output, "wb") as file:
            self.process = subprocess.Popen(asked, stdout=file, stderr=file)
        self.wait_for(f"--reload: watching the code in {folder}")
        [self.child] = [int(line.split()[1]) for line in self.lines if line.startswith("child ")]

    @property
    def lines(self) -> list[str]:
        return self._output.read_text().splitlines()

    def wait_for(self, line: str, times: int = 1) -> None:
        wait_for(lambda: self.lines.count(line) >= times, f"{line!r} in {self.lines}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    for name in ("app/views", "logs", "run/1", "plugins"):
        (made / name).mkdir(parents=True)
    (made / "app/wsgi.py").write_text("old")
    return made


@pytest.fixture
def parent(folder: Path, tmp_path: Path) -> Iterator[Parent]:
    made = Parent(folder, tmp_path / "output")
    yield made
    made.kill()


def test_a_change_of_the_code_is_told_with_its_name(parent: Parent, folder: Path) -> None:
    (folder / "app/wsgi.py").write_text("new")
    parent.wait_for("app/wsgi.py changed: restarting the workers")
    parent.wait_for("SIGHUP")


def test_each_change_is_told(parent: Parent, folder: Path) -> None:
    for times in (1, 2, 3):
        (folder / "app/wsgi.py").write_text("new" * times)
        parent.wait_for("SIGHUP", times)


def test_what_is_no_code_is_passed_over(parent: Parent, folder: Path) -> None:
    for name in ("logs/wsgid.log", "logs/x.py", "run/1/x.py", "app/notes.txt", "app/.wsgi.py.swp"):
        (folder / name).write_text("new")
    (folder / "app/views/cart.py").write_text("new")
    parent.wait_for("SIGHUP")
    assert [line for line in parent.lines if "changed" in line] == ["app/views/cart.py changed: restarting the workers"]


def test_a_package_that_is_moved_in_is_new_code(parent: Parent, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "orders/lines").mkdir(parents=True)
    (tmp_path / "orders/lines/__init__.py").write_text("")
    os.rename(tmp_path / "orders", folder / "app/orders")
    parent.wait_for("app/orders changed: restarting the workers")


def test_many_files_are_counted(parent: Parent, folder: Path) -> None:
    os.kill(parent.child, signal.SIGSTOP)  # so that it sees them together, however slowly they are written
    for number in range(5):
        (folder / f"app/m{number}.py").write_text("")
    os.kill(parent.child, signal.SIGCONT)
    parent.wait_for("app/m0.py, app/m1.py, app/m2.py and 2 more changed: restarting the workers")


def test_loader_dirs_are_watched_wherever_they_are(folder: Path, tmp_path: Path) -> None:
    loaders = tmp_path / "loaders/run"  # a name that only counts in the app folder
    loaders.mkdir(parents=True)
    parent = Parent(folder, tmp_path / "output", folder / "plugins", tmp_path / "loaders/../loaders/run")
    try:
        (folder / "plugins/own.py").write_text("")
        parent.wait_for("plugins/own.py changed: restarting the workers")
        (loaders / "notes.txt").write_text("")
        (loaders / "own.py").write_text("")
        parent.wait_for(f"{loaders}/own.py changed: restarting the workers")
    finally:
        parent.kill()


def test_it_ends_with_its_master(parent: Parent) -> None:
    parent.kill()
    wait_for(lambda: not proc.alive(parent.child), "its end")


def test_it_ends_on_sigterm(parent: Parent) -> None:
    os.kill(parent.child, signal.SIGTERM)
    wait_for(lambda: not proc.alive(parent.child), "its end")


def test_nothing_is_left_to_watch_with(folder: Path) -> None:
    # Not measured when the others are: coverage would complain on the standard error that it cannot open its file.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", EXHAUSTED, str(folder)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_FAILED
    assert re.fullmatch(
        f"--reload: {folder} cannot be watched: .*Too many open files.*; if too many files are .*=1\n", done.stderr
    )


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("app/wsgi.py", True),
        ("plugins/filter.py", True),
        ("wsgid.json", True),
        ("django.json", True),
        ("app/wsgid.json", False),
        ("app/index.html", False),
        ("app/__pycache__/wsgi.cpython-311.pyc", False),
        ("app/__pycache__/wsgi.py", False),
        ("app/.git/hook.py", False),
        ("logs/wsgi.py", False),
        ("run/7/x.py", False),
        ("pid/x.py", False),
        ("app/logs/model.py", True),
        ("", False),
    ],
)
def test_what_matters(path: str, matters: bool) -> None:
    """Wherever the app folder itself is."""
    folder = Path("/home/anne/.venv/shop")
    assert Filter(folder)(Change.modified, str(folder / path)) is matters


def test_a_new_folder_without_code_does_not_matter(folder: Path) -> None:
    (folder / "app/uploads").mkdir()
    assert not Filter(folder)(Change.added, str(folder / "app/uploads"))


def test_watchfiles_is_there() -> None:
    assert check_watchfiles() == ""


def test_without_it_the_start_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert start({"app_path": str(folder), "reload": True}) == EXIT_REFUSED
    assert capsys.readouterr().err == f"wsgid: {MISSING}\n"
