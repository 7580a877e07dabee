import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgid.app import WsgidApp, make_folder


@pytest.fixture
def umask_that_shuts_others_out() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folders_are_where_the_documentation_says(tmp_path: Path) -> None:
    app = WsgidApp(tmp_path)
    assert app.appdir == tmp_path / "app"
    assert app.pluginsdir == tmp_path / "plugins"
    assert app.logsdir == tmp_path / "logs"
    assert app.piddir == tmp_path / "pid"
    assert app.master_piddir == tmp_path / "pid/master"
    assert app.worker_piddir == tmp_path / "pid/worker"
    assert app.rundir == tmp_path / "run"
    assert app.options_file == tmp_path / "wsgid.json"


def test_a_relative_path_stays_right_when_the_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = WsgidApp("blog")
    monkeypatch.chdir("/")
    assert app.path == tmp_path / "blog"
    assert repr(app) == f"WsgidApp('{tmp_path}/blog')"


def test_a_symbolic_link_is_followed_anew_each_time(tmp_path: Path) -> None:
    (tmp_path / "releases/7/app").mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/6")
    app = WsgidApp(tmp_path / "current")
    assert not app.is_valid()
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("releases/7")
    assert app.is_valid()


def test_valid_is_a_directory_with_a_directory_app(tmp_path: Path) -> None:
    assert not WsgidApp(tmp_path / "missing").is_valid()
    assert not WsgidApp(tmp_path).is_valid()
    (tmp_path / "app").touch()
    assert not WsgidApp(tmp_path).is_valid()
    (tmp_path / "app").unlink()
    (tmp_path / "app").mkdir()
    assert WsgidApp(tmp_path).is_valid()


def test_pids_are_the_names_of_pid_files_in_ascending_order(tmp_path: Path) -> None:
    app = WsgidApp(tmp_path)
    app.create_folders()
    for name in ("100.pid", "20.pid", "1000.pid", "3.pid", "9.pid.new", ".pid", "x.pid", "-4.pid", "५.pid", "5"):
        (app.master_piddir / name).touch()
    (app.worker_piddir / "7.pid").touch()
    assert app.master_pids() == [3, 20, 100, 1000]
    assert app.worker_pids() == [7]


def test_a_folder_that_was_never_served_has_no_pids(tmp_path: Path) -> None:
    assert WsgidApp(tmp_path).master_pids() == []
    assert WsgidApp(tmp_path).worker_pids() == []


@pytest.mark.usefixtures("umask_that_shuts_others_out")
def test_missing_folders_are_made_and_the_umask_does_not_matter(tmp_path: Path) -> None:
    app = WsgidApp(tmp_path)
    app.create_folders()
    for folder in (app.logsdir, app.piddir, app.master_piddir, app.worker_piddir):
        assert mode(folder) == 0o755
    assert mode(app.rundir) == 0o700


def test_folders_that_exist_keep_their_mode_and_what_is_in_them(tmp_path: Path) -> None:
    app = WsgidApp(tmp_path)
    app.logsdir.mkdir(mode=0o750)
    (app.logsdir / "wsgid.log").write_text("kept")
    app.create_folders()
    app.create_folders()
    assert mode(app.logsdir) == 0o750
    assert (app.logsdir / "wsgid.log").read_text() == "kept"


def test_a_file_in_the_place_of_a_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(FileExistsError, match=f"{tmp_path}/run"):
        WsgidApp(tmp_path).create_folders()


def test_sockets_and_pid_files_may_lie_elsewhere(tmp_path: Path) -> None:
    app = WsgidApp(tmp_path / "site", run_dir=tmp_path / "elsewhere")
    assert app.rundir == tmp_path / "elsewhere"
    assert app.master_piddir == tmp_path / "elsewhere/pid/master"
    assert app.worker_piddir == tmp_path / "elsewhere/pid/worker"
    assert app.logsdir == tmp_path / "site/logs"
    (tmp_path / "site").mkdir()
    app.create_folders()
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == ["logs"]
    assert app.master_pids() == []


def refuse_logs(path: Path, mode: int) -> None:
    if path.name == "logs":
        raise OSError(errno.EROFS, "Read-only file system", str(path))
    make_folder(path, mode)


def test_nobody_misses_logs_that_cannot_be_made_when_nobody_logs_there(tmp_path: Path) -> None:
    app = WsgidApp(tmp_path)
    with pytest.raises(OSError, match="Read-only file system"):
        app.create_folders(make=refuse_logs)
    app.create_folders(logs=False, make=refuse_logs)
    assert (app.logsdir.exists(), app.rundir.is_dir(), app.worker_piddir.is_dir()) == (False, True, True)


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    """A file system that is read-only says so sooner than that a folder exists."""
    app = WsgidApp(tmp_path)
    app.create_folders()
    made: list[Path] = []
    app.create_folders(make=lambda path, mode: made.append(path))
    assert made == []
