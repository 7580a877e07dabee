"""As it is called: a program of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.deadlines import seconds
from wsgid.loaders.django import VARIABLE, has_project

SETTINGS = "SECRET_KEY = 'x'\nROOT_URLCONF = 'shop.urls'\n"


def lay_out(folder: Path, settings: str, extra: Mapping[str, object] | None = None) -> Path:
    (folder / "app/shop").mkdir(parents=True)
    (folder / "app/shop/settings.py").write_text(SETTINGS + settings)
    if extra:
        (folder / "django.json").write_text(json.dumps(extra))
    return folder


def told(folder: Path) -> object:
    done = subprocess.run(
        [sys.executable, "-m", "wsgid.loaders.django_static", str(folder)],
        env={name: value for name, value in os.environ.items() if name != VARIABLE},
        stdout=subprocess.PIPE,
        timeout=seconds(),
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("STATIC_URL = 'static/'\nSTATIC_ROOT = '/srv/static'", {"url": "/static/", "root": "/srv/static"}),
        ("import pathlib\nSTATIC_ROOT = pathlib.Path('/srv/static')", {"url": None, "root": "/srv/static"}),
        ("STATIC_URL = 'https://cdn.example.org/'", {"url": "https://cdn.example.org/", "root": None}),
        ("print('loading')\nSTATIC_URL = '/s/'", {"url": "/s/", "root": None}),
    ],
)
def test_where_static_files_are(tmp_path: Path, settings: str, expected: object) -> None:
    assert told(lay_out(tmp_path, settings)) == expected


def test_django_json_has_the_last_word(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, "STATIC_URL = '/static/'", {"STATIC_ROOT": "/var/static"})
    assert told(folder) == {"url": "/static/", "root": "/var/static"}


def test_no_project(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    assert told(tmp_path) is None


@pytest.mark.parametrize("line", ["import no_such_payment_library", "raise SystemExit(0)"])
def test_settings_that_cannot_be_loaded(tmp_path: Path, line: str) -> None:
    answer = told(lay_out(tmp_path, line))
    assert isinstance(answer, str)
    assert "app/shop/settings.py, line 3" in answer


def test_a_project_is_known_by_its_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    folder = lay_out(tmp_path, "raise RuntimeError")
    assert has_project(folder)
    (folder / "app/shop/settings.py").write_text("DEBUG = True")
    assert not has_project(folder)
    monkeypatch.setenv(VARIABLE, "shop.settings")
    assert has_project(folder)
