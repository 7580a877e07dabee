import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.master.privileges import as_nobody
from wsgid.config import Config
from wsgid.master.errors import CannotStart
from wsgid.master.jail_paths import check, is_inside, seen_from_inside

by_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: every jail is refused")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site" / "run").mkdir(parents=True)
    return tmp_path / "site"


def test_inside_is_what_lies_there_by_name_and_in_fact(site: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to("site")
    (tmp_path / "alias").symlink_to("site/run")
    (site / "out").symlink_to("/tmp")
    current = tmp_path / "current"
    assert is_inside(f"{site}/run/x.sock", site)
    assert is_inside(f"{current}/run/x.sock", current)
    assert is_inside(f"{site}/run/x.sock", current)
    assert not is_inside(f"{site}/../x.sock", site)
    assert not is_inside(f"{site}/out/x.sock", site)
    assert not is_inside(f"{tmp_path}/alias/x.sock", site)
    assert not is_inside(f"{site}2/x.sock", site)


def test_a_short_name_inside(site: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to("site")
    assert seen_from_inside(site / "run", tmp_path / "current") == Path("/run")


@by_root
class TestOptions:
    def test_all_inside(self, site: Path) -> None:
        check(
            Config(
                app_path=site,
                bind=("127.0.0.1:0", f"unix:{site}/run/x.sock"),
                recv=("tcp://127.0.0.1:1", f"ipc://{site}/run/a"),
                send=("ipc://@abstract", f"ipc://{site}/run/b"),
                mongrel2_chroot=site / "run",
                run_dir=site / "run",
                loader_dir=(site / "run",),
            )
        )

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"bind": ("unix:/run/x.sock",)}, r"--bind: /run/x\.sock lies outside the app folder"),
            ({"metrics": ("unix:/run/m.sock",)}, r"--metrics: /run/m\.sock lies outside the app folder"),
            ({"recv": ("ipc:///run/a",), "send": ("tcp://h:1",)}, r"--recv: /run/a lies outside .*, or tcp://$"),
            ({"recv": ("tcp://h:1",), "send": ("ipc:///run/a",)}, r"--send: /run/a lies outside .*, or tcp://$"),
            ({"mongrel2_chroot": Path("/srv/m2")}, "--mongrel2-chroot: /srv/m2 lies outside"),
            ({"run_dir": Path("/run")}, "--run-dir: /run lies outside"),
            ({"loader_dir": (Path("/srv/loaders"),)}, "--loader-dir: /srv/loaders lies outside"),
            ({"app_path": Path("/")}, "the app folder is / already"),
        ],
    )
    def test_outside(self, site: Path, options: dict[str, Any], words: str) -> None:
        with pytest.raises(CannotStart, match=words):
            check(replace(Config(app_path=site), **options))


def test_without_root(site: Path) -> None:
    with as_nobody(), pytest.raises(CannotStart, match="--chroot: only root can make a jail"):
        check(Config(app_path=site))
