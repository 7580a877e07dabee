"""Loads in an interpreter of its own: what an application leaves in sys.modules, sys.path and Django stays there."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
APPS = ROOT / "tests" / "apps"


_zygotes: list[subprocess.Popen[str]] = []
"""The one that is forked, while a fixture has it."""


@contextmanager
def interpreters() -> Iterator[None]:
    """While this is entered `load` can be called."""
    if _zygotes:
        yield
        return
    command = [sys.executable, "-m", "tests.unit.loaders.zygote"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote:
        _zygotes.append(zygote)
        try:
            yield
        finally:
            _zygotes.clear()  # the end of its input is the zygote's end


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
    asked = {"app_path": str(folder), "wsgi_app": wsgi_app, "django": django, "loader_dirs": dirs}
    clean = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        order = {
            "asked": asked,
            "warnings": warnings,
            "env": {**clean, **(env or {})},
            "out": out.name,
            "err": err.name,
        }
        [zygote] = _zygotes
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        print(json.dumps(order), file=zygote.stdin, flush=True)
        assert zygote.stdout.readline() == "0\n", err.read().decode()
        # The application may have printed before.
        return Result(**json.loads(out.read().decode().splitlines()[-1]))


def lay_out(folder: Path, files: Mapping[str, str]) -> Path:
    """Writes the files, path in ``app/`` to text, and gives the app folder back."""
    (folder / "app").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        file = folder / "app" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder
