"""Loads in a fresh interpreter: what an application leaves in sys.modules, sys.path and Django stays there."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.deadlines import seconds

ROOT = Path(__file__).parents[3]
APPS = ROOT / "tests" / "apps"


@dataclass(frozen=True)
class Result:
    status: str = ""
    body: str = ""
    path: list[str] = field(default_factory=list)
    """As many of the first entries of sys.path as there are new ones."""
    added: list[str] = field(default_factory=list)
    """The new ones, in order."""
    failure: str = ""
    """The text of describe_failure; ``""`` when the application was loaded and called."""
    cause: str = ""
    """The type of the exception that the LoadError was raised from."""

    @property
    def headline(self) -> str:
        return self.failure.partition("\n")[0].removeprefix("cannot load the application: ")


def load(
    folder: Path,
    wsgi_app: str | None = None,
    *,
    django: bool = False,
    loader_dirs: Sequence[Path] = (),
    warnings: str = "error",
    env: Mapping[str, str] | None = None,
) -> Result:
    """What comes of loading the application in the folder, with its plug-ins, and asking it for ``/``."""
    dirs = [str(each) for each in loader_dirs]
    asked = json.dumps({"app_path": str(folder), "wsgi_app": wsgi_app, "django": django, "loader_dirs": dirs})
    clean = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-W", warnings, "-m", "tests.unit.loaders.driver", asked],
        cwd=ROOT,
        env={**clean, **(env or {})},
        capture_output=True,
        text=True,
        timeout=seconds(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # The application may have printed before.
    return Result(**json.loads(done.stdout.splitlines()[-1]))


def lay_out(folder: Path, files: Mapping[str, str]) -> Path:
    """Writes the files, path in ``app/`` to text, and gives the app folder back."""
    (folder / "app").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        file = folder / "app" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder
