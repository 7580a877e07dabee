"""``wsgid plugins``, in a process of its own, for what is loaded stays."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_plugin_commands import command, wsgid

LOADER = """
from wsgid.core import Plugin, log
from wsgid.loaders import IAppLoader

log.warning("loading")

class Own(Plugin):
    implements = [IAppLoader]
    order = 5
    def can_load(self, folder): return False
    def load_app(self, folder, name): pass
"""

DEEP = [*(f"def f{n}(): f{n + 1}()" for n in range(20)), "def f20(): 1 / 0"]
"""Functions that call each other."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("app", "plugins", "more"):
        (tmp_path / name).mkdir()
    (tmp_path / "plugins/own.py").write_text(LOADER)
    (tmp_path / "more/hello.py").write_text(command())
    return tmp_path


def test_what_is_there_and_in_which_order(folder: Path) -> None:
    (folder / "plugins/empty.py").write_text("")
    done = wsgid("plugins", "--loader-dir", "more", cwd=folder)
    assert done.returncode == 0
    assert done.stdout == (
        f"Plug-ins of {folder}, from {folder}/plugins and {folder}/more and the entry points wsgid.plugins\n"
        "\n"
        f"{folder}/plugins/empty.py\n"
        "  no plug-in\n"
        "\n"
        f"{folder}/more/hello.py\n"
        f"  Hello ({folder}/more/hello.py, line 6): ICommand\n"
        "\n"
        f"{folder}/plugins/own.py\n"
        f"  Own ({folder}/plugins/own.py, line 7): IAppLoader, order 5\n"
        "\n"
        "In this order\n"
        "  IAppLoader: Own, NamedLoader, DjangoLoader, PyroutesLoader, PlainLoader\n"
        "  ICommand: those of wsgid, Hello\n"
    )


def test_filters_that_are_switched_on_are_among_them(folder: Path) -> None:
    (folder / "wsgid.json").write_text(json.dumps({"filter": ["worker-pid"]}))
    assert "\n  IPostRequestFilter: WorkerPid\n" in wsgid("plugins", cwd=folder).stdout


def test_what_is_missing_and_why(folder: Path) -> None:
    (folder / "plugins/deep.py").write_text("\n".join([*DEEP, "f0()"]))
    (folder / "plugins/lacking.py").write_text(LOADER.replace("can_load", "can_laod"))
    (folder / "plugins/status.py").write_text(command("'status'"))
    done = wsgid("plugins", cwd=folder)
    assert done.returncode == 1
    failed = done.stdout.partition("\nCannot be loaded: ")[2]
    assert failed.startswith(
        f"{folder}/plugins/deep.py, line 21: ZeroDivisionError: division by zero\n  ...\n    File "
    )
    assert failed.count('File "') < 10
    assert (
        f"\n\nCannot be loaded: {folder}/plugins/lacking.py, line 7: Own has no method can_load, but has can_laod; "
        "expected is IAppLoader.can_load(app_path) of "
    ) in failed
    assert "PluginError" not in failed, "its traceback would say the same again"
    assert failed.endswith(
        f"\n\nCannot be used: Hello ({folder}/plugins/status.py, line 6): status is a command that comes with wsgid, "
        "which stays what it is\n"
    )


def test_for_programs(folder: Path) -> None:
    (folder / "plugins/broken.py").write_text("print('noise')\nimport no_such_module")
    told = json.loads(wsgid("plugins", "--json", "--app-path", str(folder)).stdout)
    assert (told["app_path"], told["folders"]) == (str(folder), [f"{folder}/plugins"])
    assert told["loaded"] == [f"{folder}/plugins/own.py"]
    [own] = [each for each in told["plugins"] if each["source"]]
    assert own == {
        "name": "Own",
        "implements": ["IAppLoader"],
        "order": 5,
        "file": f"{folder}/plugins/own.py",
        "line": 7,
        "source": f"{folder}/plugins/own.py",
    }
    assert told["asked"]["IAppLoader"][:2] == ["Own", "NamedLoader"]
    [broken] = told["failed"]
    assert broken["source"] == f"{folder}/plugins/broken.py"
    assert (
        broken["reason"] == f"{folder}/plugins/broken.py, line 2: ModuleNotFoundError: No module named 'no_such_module'"
    )
    assert broken["traceback"].startswith("Traceback (most recent call last):\n")
    assert told["unusable"] == []
