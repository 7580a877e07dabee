from pathlib import Path

import pytest

from tests.unit.plugins.conftest import WriteFiles
from tests.unit.plugins.greetings import HEAD, plugin
from wsgid.plugins import Failure, load_plugins, set_plugin_dirs
from wsgid.plugins.report import failure
from wsgid.plugins.sources import folder_at


def fail(write: WriteFiles, text: str, **more: str) -> tuple[Failure, Path]:
    """The failure of ``a.py`` with this text, and the file."""
    folder = write({"plugins/a.py": text, **{f"plugins/_{name}.py": its for name, its in more.items()}}) / "plugins"
    set_plugin_dirs(folder)
    [failed] = load_plugins().failed
    return failed, folder / "a.py"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_module", "line 1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("\n\nraise LookupError('no key\\nat all')", "line 3: LookupError: no key"),
        ("raise LookupError", "line 1: LookupError"),
        ("\nimport ast\nast.parse('?')", "line 3: SyntaxError: invalid syntax"),
        ("raise BaseException('whatever')", "line 1: BaseException: whatever"),
        (
            "class Mute(Exception):\n    def __str__(self): 1 / 0\nraise Mute",
            "line 3: Mute: (no text, for its __str__() failed)",
        ),
        ("\ndef f(:\n", "line 2: SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(2)", "line 2: SystemExit: 2"),
        ("\nimport json\njson.loads('?')", "line 3: JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_the_reason_is_the_line_of_the_plug_in_and_what_was_raised(write: WriteFiles, text: str, reason: str) -> None:
    failed, file = fail(write, text)
    assert failed.reason == f"{file}, {reason}"


def test_a_refused_plug_in_says_it_itself(write: WriteFiles) -> None:
    failed, file = fail(write, HEAD + plugin("Bad", method="greet(self)"))
    assert failed.reason.startswith(f"{file}, line 5: Bad.greet() does not take 1 positional argument")
    lines = failed.traceback.splitlines()
    assert [each for each in lines if each.startswith("  File")] == [f'  File "{file}", line 3, in <module>']
    assert lines[-1] == f"wsgid.plugins.errors.PluginError: {failed.reason}"


@pytest.mark.parametrize("form", ["_beside", "_beside.deeper"])
def test_a_file_beside_it_is_imported_with_a_dot(write: WriteFiles, form: str) -> None:
    failed, file = fail(write, f"import {form}", beside="")
    assert failed.reason == (
        f"{file}, line 1: ModuleNotFoundError: No module named '_beside'; "
        "it lies beside this file: write `from . import _beside`"
    )


def test_the_traceback_begins_in_the_plug_in(write: WriteFiles) -> None:
    failed, file = fail(write, "from . import _b", b="def f():\n    1 / 0\nf()")
    lines = failed.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [each.split(", ")[0] for each in lines if each.startswith("  File")] == [
        f'  File "{file}"',
        f'  File "{file.parent}/_b.py"',
        f'  File "{file.parent}/_b.py"',
    ]
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_the_traceback_has_what_led_to_it(write: WriteFiles) -> None:
    constructor = "    def __init__(self):\n        try: 1 / 0\n        except ZeroDivisionError: {}['key']\n"
    failed, file = fail(write, HEAD + plugin("A") + constructor)
    assert failed.reason == (f"{file}, line 3: A() raised KeyError: 'key'; plug-ins are constructed without arguments")
    errors = [each for each in failed.traceback.splitlines() if not each.startswith((" ", "Traceback")) and each]
    assert [each.partition(":")[0] for each in errors] == [
        "ZeroDivisionError",
        "During handling of the above exception, another exception occurred",
        "KeyError",
        "The above exception was the direct cause of the following exception",
        "wsgid.plugins.errors.PluginError",
    ]


def test_an_error_of_ours_keeps_its_traceback(tmp_path: Path) -> None:
    """Here of a folder that is none, which `Folder.load` is never asked to load."""
    folder = folder_at(tmp_path)
    with pytest.raises(FileNotFoundError) as caught:
        folder.load()
    told = failure(folder, caught.value)
    assert told.reason.startswith(f"{tmp_path}: FileNotFoundError: [Errno 2] No such file or directory: ")
    assert "sources.py" not in told.traceback  # this test has called it
    assert "test_report.py" in told.traceback

    def ours() -> None:
        folder_at(None)  # type: ignore[arg-type]

    with pytest.raises(AttributeError) as unexpected:
        ours()
    unexpected.value.__traceback__ = unexpected.value.__traceback__.tb_next.tb_next  # type: ignore[union-attr]
    assert "sources.py" in failure(folder, unexpected.value).traceback
