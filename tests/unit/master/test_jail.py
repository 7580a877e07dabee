"""Real jails, where the system lets us make some: in a thread each, whose mounts end with it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.functional import mounts
from tests.unit.master.offspring import in_child, in_thread
from tests.unit.master.privileges import NOBODY, open_to_all
from wsgid.master import jail, kernel
from wsgid.master.errors import CannotStart
from wsgid.master.jail_contents import Sight, sights
from wsgid.master.rights import Identity

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not mounts.possible(), reason="not root, or not permitted to mount: no jail can be made"
)

GUEST = Identity(12345, 12345, (12345,), "", "/")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site"
    (path / "app").mkdir(parents=True)
    open_to_all(path)
    return path


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library"
    (path / "deep").mkdir(parents=True)
    (path / "deep" / "own.py").write_text("kept")
    return path


def jailed(site: Path, look: Callable[[], Any], *seen: Sight, identity: Identity | None = GUEST) -> Any:
    """What is found in a jail in which these things are seen."""

    def act() -> Any:
        jail.enter(site, seen, identity)
        return look()

    return in_thread(act)


def refusal(site: Path, *seen: Sight) -> str:
    with pytest.raises(CannotStart) as refused:
        jailed(site, lambda: None, *seen)
    return str(refused.value)


def error(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as error:
        return str(error.strerror)
    return ""


def test_the_app_folder_is_the_root_and_is_where_it_was(site: Path) -> None:
    (site / "app" / "wsgi.py").write_text("code")

    def look() -> Any:
        same = os.path.samestat(os.stat("/"), os.stat(site))
        return [
            os.getcwd(),
            Path("/app/wsgi.py").read_text(),
            same,
            os.path.exists("/proc"),
            sorted(os.listdir("/dev")),
        ]

    there = [each for each in ("full", "null", "random", "shm", "urandom", "zero") if os.path.exists(f"/dev/{each}")]
    assert jailed(site, look) == ["/", "code", True, False, there]


def test_the_old_root_is_nowhere(site: Path) -> None:
    """It was put onto the new one, where ".." of the root would lead to it."""

    def look() -> Any:
        above = os.open("/..", os.O_PATH)
        return [sorted(os.listdir("/..")) == sorted(os.listdir("/")), os.path.samestat(os.fstat(above), os.stat("/"))]

    assert jailed(site, look) == [True, True]


def test_what_is_shown_keeps_its_path_and_is_read_only_even_for_root(site: Path, library: Path) -> None:
    file = library / "deep" / "own.py"

    def look() -> Any:
        return [file.read_text(), error(lambda: file.write_text("x")), error(lambda: (library.parent / "new").mkdir())]

    read_only = "Read-only file system"
    assert jailed(site, look, Sight(str(library), str(library))) == ["kept", read_only, read_only]


def test_mounts_below_what_is_shown_are_not(site: Path) -> None:
    """/dev/shm is one, on every Linux."""
    inner = {"/dev/shm", "/dev/pts"} & {
        line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
    }
    found = jailed(
        site, lambda: [os.listdir(f"/machine/{Path(each).name}") for each in inner], Sight("/machine", "/dev")
    )
    assert found == [[] for _ in inner]


def test_set_user_id_programs_and_devices_do_not_work_in_it(site: Path, library: Path) -> None:
    def flags() -> list[int]:
        return [os.statvfs(path).f_flag & (os.ST_NOSUID | os.ST_NODEV) for path in ("/", library, site)]

    assert jailed(site, flags, Sight(str(library), str(library))) == [os.ST_NOSUID | os.ST_NODEV] * 3


def test_places_are_made_for_the_user_and_stay_empty(site: Path, library: Path) -> None:
    os.chown(site, GUEST.uid, GUEST.gid)
    site.chmod(0o755)
    assert jailed(site, lambda: None, Sight("/usr/lib/own", str(library)), Sight("/opt", str(library))) is None
    made = {path.name: path.stat().st_uid for path in site.iterdir() if path.name not in ("app", "tmp")}
    assert made == {"dev": GUEST.uid, "opt": GUEST.uid, "usr": GUEST.uid}
    assert [path for name in made for path in (site / name).iterdir()] == []


def test_in_a_folder_of_roots_root_makes_the_places(site: Path, library: Path) -> None:
    site.chmod(0o755)
    assert jailed(site, lambda: os.listdir("/opt"), Sight("/opt", str(library))) == ["deep"]
    assert (site / "opt").stat().st_uid == 0


@pytest.mark.parametrize("made", [False, True], ids=["missing", "made by root"])
@pytest.mark.parametrize("owner", [0, GUEST.uid], ids=["root", "guest"])
def test_the_user_may_write_to_tmp_whoever_owns_the_folder(site: Path, owner: int, made: bool) -> None:
    os.chown(site, owner, owner)
    site.chmod(0o755)
    if made and owner == 0:
        (site / "tmp").mkdir(0o700)

    def look() -> None:
        with kernel.files_as(GUEST.uid, GUEST.gid):
            Path("/tmp/own").write_text("x")

    assert jailed(site, look) is None
    found = (site / "tmp").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (GUEST.uid, GUEST.gid, 0o700)


def test_a_tmp_that_cannot_be_given_to_the_user(site: Path) -> None:
    os.chown(site, NOBODY, NOBODY)
    site.chmod(0o755)
    told = refusal(site)
    assert f"{site}/tmp, the application's /tmp, cannot be made for user {GUEST.uid}: Permission denied" in told
    assert not (site / "tmp").exists()


def test_folders_of_ones_own_are_walked_through(site: Path, library: Path) -> None:
    """As where the environment is /app/.venv, and the code in app/."""
    (site / "app" / "wsgi.py").touch()
    found = jailed(site, lambda: sorted(os.listdir("/app")), Sight("/app/.venv/lib", str(library)))
    assert found == [".venv", "wsgi.py"]


def test_other_peoples_umask_does_not_shut_the_way(site: Path, library: Path) -> None:
    def look() -> Any:
        with kernel.files_as(NOBODY, NOBODY):
            return Path("/a/b/c/deep/own.py").read_text()

    before = os.umask(0o077)
    try:
        assert jailed(site, look, Sight("/a/b/c", str(library))) == "kept"
    finally:
        os.umask(before)


def test_a_file_is_shown_alone(site: Path, library: Path) -> None:
    file = library / "deep" / "own.py"
    assert jailed(site, lambda: os.listdir("/etc"), Sight("/etc/hosts", str(file))) == ["hosts"]


@pytest.mark.parametrize(
    ("name", "sight", "words"),
    [
        ("lib/own", "/lib", "lib has files of its own, which /lib of this machine would hide"),
        ("etc/own", "/etc/hosts", "etc has files of its own, but /etc/hosts of this machine is needed there"),
    ],
)
def test_what_the_folder_has_is_never_hidden(site: Path, library: Path, name: str, sight: str, words: str) -> None:
    (site / name).parent.mkdir()
    (site / name).touch()
    source = library if sight == "/lib" else library / "deep" / "own.py"
    assert words in refusal(site, Sight(sight, str(source)))


@pytest.mark.parametrize(
    ("sight", "words"),
    [
        ("/lib", "lib is a symbolic link: /lib is to be seen there"),
        ("/lib/deeper", "lib must be a directory, /lib/deeper is needed there"),
    ],
)
def test_a_link_is_not_followed(site: Path, library: Path, tmp_path: Path, sight: str, words: str) -> None:
    (tmp_path / "target").mkdir()
    (site / "lib").symlink_to(tmp_path / "target")
    assert f"{site}/{words}" in refusal(site, Sight(sight, str(library)))
    assert list((tmp_path / "target").iterdir()) == []


def test_an_app_folder_below_what_is_shown(tmp_path: Path) -> None:
    """Of /usr, say."""
    site = tmp_path / "usr" / "lib" / "site"
    (site / "app").mkdir(parents=True)
    shown = Sight(str(tmp_path / "usr"), str(tmp_path / "usr"))
    assert jailed(
        site, lambda: [os.path.samestat(os.stat("/"), os.stat(site)), error((site / "new").touch)], shown
    ) == [
        True,
        "",
    ]


def test_an_app_folder_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "releases" / "7" / "app").mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/7")

    def look() -> list[bool]:
        return [os.path.samestat(os.stat("/"), os.stat(tmp_path / name)) for name in ("current", "releases/7")]

    assert jailed(tmp_path / "current", look) == [True, True]


def test_an_app_folder_that_would_be_in_its_own_way(tmp_path: Path) -> None:
    (tmp_path / "app" / tmp_path.relative_to("/") / "app").mkdir(parents=True)
    (tmp_path / "app" / tmp_path.relative_to("/") / "app" / "wsgi.py").touch()
    assert "has files of its own" in refusal(tmp_path / "app")


def test_python_goes_on_importing(site: Path) -> None:
    def look() -> Any:
        import sqlite3
        import zoneinfo

        return [sqlite3.sqlite_version != "", str(zoneinfo.ZoneInfo("Europe/Vienna"))]

    assert jailed(site, look, *sights("/nowhere", {}, site)) == [True, "Europe/Vienna"]


def test_open_directories_are_closed_and_nothing_else(site: Path) -> None:
    def look() -> Any:
        directory, file = os.open("/", os.O_RDONLY), os.open("/dev/null", os.O_RDONLY)
        os.dup2(directory, 0)
        jail.close_directories()
        return [error(lambda: os.fstat(directory)), error(lambda: os.fstat(file)), os.read(0, 1).decode()]

    assert in_child(look) == ["Bad file descriptor", "", ""]


def test_where_it_is_not_permitted(site: Path) -> None:
    def act() -> None:
        kernel.give_up_capabilities()
        jail.enter(site, (), GUEST)

    with pytest.raises(CannotStart, match=r"the system does not let this process make a jail .*CAP_SYS_ADMIN"):
        in_thread(act)
    assert list(site.iterdir()) == [site / "app"]


def test_what_cannot_be_mounted_is_named(site: Path) -> None:
    told = refusal(site, Sight("/opt/own", "/nowhere/at/all"))
    assert told == "--chroot: the jail cannot be made: /nowhere/at/all: No such file or directory"
