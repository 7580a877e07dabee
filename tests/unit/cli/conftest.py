import os
from pathlib import Path

import pytest

from tests.unit.cli.standing_in import app_folder
from wsgid.app import WsgidApp


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WSGID_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def app(tmp_path: Path) -> WsgidApp:
    return app_folder(tmp_path / "site")
