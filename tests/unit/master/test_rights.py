import os
import pwd
import stat
from pathlib import Path

import pytest

from tests.unit.master.offspring import in_child
from tests.unit.master.privileges import NOBODY, as_nobody, open_to_all
from wsgid.master import kernel, rights
from wsgid.master.errors import CannotStart
from wsgid.master.rights import Identity, find_identity

GUEST = 12345

NAMELESS = Identity(GUEST, GUEST, (GUEST,), "", "/")

by_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: nobody can be become")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "site"
    path.mkdir()
    return path


@by_root
class TestWhom:
    def test_the_owner_and_the_folders_group(self, folder: Path) -> None:
        os.chown(folder, GUEST, 54321)
        assert find_identity(None, None, folder) == Identity(GUEST, 54321, (54321,), "", "/")

    def test_a_name_with_its_own_group_and_all_it_is_in(self, folder: Path) -> None:
        daemon = pwd.getpwnam("daemon")
        found = find_identity("daemon", None, folder)
        groups = tuple(os.getgrouplist("daemon", daemon.pw_gid))
        assert found == Identity(daemon.pw_uid, daemon.pw_gid, groups, "daemon", daemon.pw_dir)

    def test_the_number_of_an_account_is_as_good_as_its_name(self, folder: Path) -> None:
        assert find_identity(str(pwd.getpwnam("daemon").pw_uid), None, folder) == find_identity("daemon", None, folder)

    def test_a_number_without_account_never_gets_roots_group(self, folder: Path) -> None:
        assert find_identity(str(GUEST), None, folder) == NAMELESS

    def test_a_group_wins_over_all_others(self, folder: Path) -> None:
        os.chown(folder, GUEST, GUEST)
        found = find_identity(None, "daemon", folder)
        assert found is not None
        assert (found.uid, found.gid) == (GUEST, find_identity("daemon", None, folder).gid)  # type: ignore[union-attr]

    def test_root_itself_changes_nothing(self, folder: Path) -> None:
        assert find_identity(None, None, folder) is None
        assert find_identity("root", None, folder) is None
        assert find_identity("0", None, folder) is None

    def test_root_with_another_group(self, folder: Path) -> None:
        found = find_identity(None, str(GUEST), folder)
        assert found is not None
        assert (found.uid, found.gid) == (0, GUEST)


@pytest.mark.parametrize(
    ("user", "group", "words"),
    [
        ("no-such-user", None, "--user no-such-user: this machine has no user of that name"),
        (None, "no-such-group", "--group no-such-group: this machine has no group of that name"),
        ("-1", None, "--user -1: this machine has no user"),
        ("4294967295", None, "--user 4294967295: the highest number of a user is 4294967294"),
    ],
)
def test_nobody_of_that_name(folder: Path, user: str | None, group: str | None, words: str) -> None:
    with pytest.raises(CannotStart, match=words):
        find_identity(user, group, folder)


class TestWithoutRoot:
    def test_one_stays_who_one_is(self, folder: Path) -> None:
        open_to_all(folder)
        with as_nobody():
            assert find_identity(None, None, folder) is None
            assert find_identity(str(os.geteuid()), str(os.getegid()), folder) is None

    def test_nobody_else_can_be_become(self, folder: Path) -> None:
        with as_nobody(), pytest.raises(CannotStart, match="--user root: only root can become another user"):
            find_identity("root", None, folder)

    def test_no_other_group_can_be_had(self, folder: Path) -> None:
        with as_nobody(), pytest.raises(CannotStart, match="--group 54321: only root can choose another group"):
            find_identity(None, "54321", folder)


def who() -> list[object]:
    lines = Path("/proc/self/status").read_text().splitlines()
    told = dict(line.split(":\t", 1) for line in lines)
    return [os.getresuid(), os.getresgid(), os.getgroups(), *(int(told[f"Cap{name}"], 16) for name in ("Prm", "Eff"))]


@by_root
class TestBecoming:
    def test_for_good_and_with_nothing_left(self) -> None:
        def become() -> object:
            rights.join_groups(NAMELESS)
            rights.become(NAMELESS)
            return who()

        assert in_child(become) == [[GUEST] * 3, [GUEST] * 3, [GUEST], 0, 0]

    def test_no_way_back(self) -> None:
        def come_back() -> None:
            rights.become(NAMELESS)
            os.setuid(0)

        assert in_child(come_back)[0] == "PermissionError"

    def test_the_user_may_look_into_their_own_processes(self) -> None:
        def look() -> object:
            rights.become(NAMELESS)
            return os.stat("/proc/self/environ").st_uid

        assert in_child(look) == GUEST

    def test_where_the_system_does_not_let_us(self) -> None:
        def become() -> None:
            os.seteuid(NOBODY)  # as in a container that has taken root's capabilities away
            rights.join_groups(NAMELESS)

        kind, text = in_child(become)
        assert kind == "CannotStart"
        assert text.startswith("this process is root's, but the system does not let it become user 12345: ")
        assert "CAP_SETUID" in text


@by_root
class TestFiles:
    def test_are_made_as_the_user(self, folder: Path) -> None:
        open_to_all(folder)
        with rights.files_of(NAMELESS):
            (folder / "theirs").touch()
        (folder / "ours").touch()
        assert [(folder / name).stat().st_uid for name in ("theirs", "ours")] == [GUEST, 0]

    def test_a_link_leads_no_further_than_the_user_may_go(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "shadow").write_text("kept")
        (tmp_path / "shadow").chmod(0o600)
        open_to_all(folder)
        (folder / "wsgid.log").symlink_to(tmp_path / "shadow")
        with rights.files_of(NAMELESS), pytest.raises(PermissionError):
            (folder / "wsgid.log").write_text("overwritten")
        assert (tmp_path / "shadow").read_text() == "kept"

    def test_ids_that_cannot_be_had(self) -> None:
        def choose() -> None:
            os.setresuid(NOBODY, NOBODY, NOBODY)
            with kernel.files_as(0, 0):
                pass

        assert in_child(choose)[0] == "PermissionError"


@by_root
class TestFolders:
    def made(self, path: Path) -> tuple[int, int, int]:
        with rights.files_of(NAMELESS):
            rights.make_folder(path, 0o750, NAMELESS)
        found = path.stat()
        return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)

    def test_in_the_users_own(self, folder: Path) -> None:
        open_to_all(folder)
        assert self.made(folder / "run") == (GUEST, GUEST, 0o750)

    def test_in_one_of_roots_it_is_handed_over(self, folder: Path) -> None:
        open_to_all(folder)
        folder.chmod(0o755)
        assert self.made(folder / "run") == (GUEST, GUEST, 0o750)

    def test_in_somebody_elses_root_does_not_help(self, folder: Path) -> None:
        open_to_all(folder)
        folder.chmod(0o755)
        os.chown(folder, NOBODY, NOBODY)
        with pytest.raises(PermissionError):
            self.made(folder / "run")
        assert list(folder.iterdir()) == []

    def test_what_is_there_is_not_handed_over(self, folder: Path) -> None:
        open_to_all(folder)
        (folder / "run").mkdir()
        folder.chmod(0o755)
        with pytest.raises(FileExistsError):
            self.made(folder / "run")
        assert (folder / "run").stat().st_uid == 0


@by_root
class TestAFolderThatRootHasMade:
    def owner(self, folder: Path) -> int:
        with rights.files_of(NAMELESS):
            rights.hand_over_unused(folder / "tmp", 0o700, NAMELESS)
        return (folder / "tmp").lstat().st_uid

    @pytest.fixture
    def unused(self, folder: Path) -> Path:
        open_to_all(folder)
        folder.chmod(0o755)
        (folder / "tmp").mkdir(0o700)
        return folder

    def test_and_nobody_has_used_is_handed_over(self, unused: Path) -> None:
        assert self.owner(unused) == GUEST
        assert stat.S_IMODE((unused / "tmp").stat().st_mode) == 0o700

    def test_and_used_stays_roots(self, unused: Path) -> None:
        (unused / "tmp" / "file").touch()
        assert self.owner(unused) == 0

    def test_with_other_rights_stays_roots(self, unused: Path) -> None:
        (unused / "tmp").chmod(0o1777)
        assert self.owner(unused) == 0

    def test_in_somebody_elses_stays_roots(self, unused: Path) -> None:
        os.chown(unused, NOBODY, NOBODY)
        assert self.owner(unused) == 0

    def test_is_not_found_by_a_link(self, folder: Path, tmp_path: Path) -> None:
        open_to_all(folder)
        (tmp_path / "target").mkdir(0o700)
        (folder / "tmp").symlink_to(tmp_path / "target")
        assert self.owner(folder) == 0
        assert (tmp_path / "target").stat().st_uid == 0

    def test_by_somebody_else_stays_theirs(self, unused: Path) -> None:
        os.chown(unused / "tmp", NOBODY, NOBODY)
        assert self.owner(unused) == NOBODY


def test_variables_name_the_user() -> None:
    environ = {"HOME": "/root", "USER": "root", "LOGNAME": "root", "LANG": "C"}
    rights.set_variables(Identity(1, 1, (1,), "www", "/srv/www"), environ, jailed=False)
    assert environ == {"HOME": "/srv/www", "USER": "www", "LOGNAME": "www", "LANG": "C"}


def test_no_variables_for_a_number_without_account() -> None:
    environ = {"HOME": "/root", "USER": "root", "LOGNAME": "root"}
    rights.set_variables(NAMELESS, environ, jailed=False)
    assert environ == {"HOME": "/"}


def test_a_home_outside_the_jail_is_none() -> None:
    environ: dict[str, str] = {}
    rights.set_variables(Identity(1, 1, (1,), "www", "/srv/www"), environ, jailed=True)
    assert environ["HOME"] == "/"
