"""Commands that are plug-ins, called as people call them: in a process of its own each, for what is loaded stays."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.deadlines import seconds
from wsgid.cli.plugin_commands import PluginCommands
from wsgid.config_sources import PluginPlace

HEAD = """
from wsgid.core import Plugin
from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.interfaces.commands import ICommand
"""

COMMAND = """
class {cls}(Plugin):
    {doc}
    implements = [ICommand]

    def command_name(self):
        return {name}

    def name_matches(self, word):
        return {matches}

    def extra_options(self):
        return {options}

    def run(self, options, word):
        {run}
"""

SHOW = """print(word, sorted((name, value) for name, value in vars(options).items() if name != "told"))"""

OPTIONS = """[
            CommandLineOption("to", help="Whom.", default_value="all"),
            CommandLineOption("times", type=int, shortname="n", metavar="N"),
            CommandLineOption("loud", type=bool),
            CommandLineOption("polite", type=bool, default_value=True),
            CommandLineOption("also", type=list),
        ]"""


def command(
    name: str = "'hello'",
    matches: str = "word in ('hello', 'hi')",
    options: str = "[]",
    run: str = SHOW,
    cls: str = "Hello",
    doc: str = '"""Greet somebody.\n\n    By name.\n    """',
) -> str:
    return HEAD + COMMAND.format(name=name, matches=matches, options=options, run=run, cls=cls, doc=doc)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app folder with plug-ins, one of which prints when it is loaded."""
    for name in ("app", "plugins", "elsewhere"):
        (tmp_path / "site" / name).mkdir(parents=True)
    (tmp_path / "site/plugins/hello.py").write_text("print('loaded')\n" + command(options=OPTIONS))
    return tmp_path / "site"


def wsgid(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wsgid", *arguments],
        cwd=cwd or "/",
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=seconds(),
    )


def test_help_has_them_with_their_options(folder: Path) -> None:
    done = wsgid("--help", "--app-path", str(folder))
    assert (done.returncode, done.stderr) == (0, "loaded\n")
    told = done.stdout.partition("\nCommands of plug-ins:\n")[2]
    rows = [line.split() for line in told.partition("\n\n")[0].splitlines()]
    assert rows == [
        ["hello", "Greet", "somebody."],
        ["--to", "TEXT", "Whom."],
        ["-n,", "--times", "N"],
        ["--loud"],
        ["--polite", "/", "--no-polite"],
        ["--also", "TEXT"],
    ]


def test_its_own_help(folder: Path) -> None:
    done = wsgid("hello", "--help", cwd=folder)
    assert done.stdout.startswith(
        "Usage: wsgid hello [OPTIONS]\n\n  Greet somebody.\n\n  By name.\n\nOptions:\n  --to TEXT"
    )
    assert "--app-path DIR" in done.stdout


@pytest.mark.parametrize("way", ["in front", "behind", "behind, in one word", "environment", "current directory"])
def test_the_app_folder_is_found_wherever_it_is_named(folder: Path, way: str) -> None:
    arguments = {
        "in front": ["--app-path", str(folder), "hi", "-n", "3"],
        "behind": ["hi", "-n", "3", "--app-path", str(folder)],
        "behind, in one word": ["hi", "-n3", f"--app-path={folder}"],
    }.get(way, ["hi", "--times", "3"])
    env = {"WSGID_APP_PATH": str(folder)} if way == "environment" else {}
    done = wsgid(*arguments, cwd=folder if way == "current directory" else None, env=env)
    assert (done.returncode, done.stderr) == (0, "loaded\n")
    assert done.stdout == (
        f"hi [('also', []), ('app_path', {folder!r}), ('loader_dir', ()), ('loud', False), ('polite', True), "
        f"('run_dir', None), ('times', 3), ('to', 'all')]\n"
    )


def test_options_of_every_kind(folder: Path) -> None:
    given = "--to Ann --loud --no-polite --also a --also b --run-dir elsewhere --loader-dir elsewhere"
    done = wsgid("hello", *given.split(), cwd=folder)
    there = folder / "elsewhere"
    assert done.stdout == (
        f"hello [('also', ['a', 'b']), ('app_path', {folder!r}), ('loader_dir', ({there!r},)), ('loud', True), "
        f"('polite', False), ('run_dir', {there!r}), ('times', None), ('to', 'Ann')]\n"
    )
    wrong = wsgid("hello", "-n", "many", cwd=folder)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.endswith("'many' is not a valid integer. (see wsgid hello --help)\n")


ARGUMENTS = """[
            CommandLineArgument("request-id", "As in the logs."),
            CommandLineOption("loud", type=bool),
            CommandLineArgument("others", required=False, many=True),
        ]"""


def test_arguments(folder: Path) -> None:
    (folder / "plugins" / "hello.py").write_text(
        command(options=ARGUMENTS, run="print(options.request_id, options.loud, options.others, options.told)")
    )
    assert wsgid("hello", "7", "--loud", "8", "9", cwd=folder).stdout == "7 True ['8', '9'] {}\n"
    assert wsgid("--loader-dir", ".", "hello", "7", cwd=folder).stdout == "7 False [] {'loader_dir': ('.',)}\n"
    wrong = wsgid("hello", cwd=folder)
    assert (wrong.returncode, wrong.stderr) == (2, "wsgid: Missing argument 'REQUEST-ID'. (see wsgid hello --help)\n")
    told = wsgid("hello", "--help", cwd=folder).stdout
    assert told.startswith("Usage: wsgid hello [OPTIONS] REQUEST-ID [OTHERS]...\n")
    assert "\n  REQUEST-ID: As in the logs.\n" in told


def test_a_loader_dir_has_them_too(folder: Path) -> None:
    (folder / "elsewhere/bye.py").write_text(command("'bye'", "word == 'bye'", cls="Bye", doc="pass"))
    assert wsgid("bye", "--loader-dir", str(folder / "elsewhere")).stdout.startswith(
        "bye [('app_path', PosixPath('/'))"
    )
    (folder / "wsgid.json").write_text(json.dumps({"loader_dir": "elsewhere", "envs": {"GREETING": "good day"}}))
    assert wsgid("bye", "--app-path", str(folder)).stdout.startswith("bye [('app_path', ")


def test_it_has_the_environment_of_the_application(folder: Path) -> None:
    (folder / "wsgid.json").write_text(json.dumps({"envs": {"GREETING": "good day"}}))
    (folder / "plugins/hello.py").write_text(command(run="import os; print(os.environ['GREETING'])"))
    assert wsgid("hello", cwd=folder).stdout == "good day\n"


@pytest.mark.parametrize(
    ("run", "code", "told"),
    [
        ("return None", 0, ""),
        ("return 7", 7, ""),
        ("raise SystemExit(4)", 4, ""),
        (
            "return 'done'",
            1,
            "wsgid: hi: run() of Hello ({file}, line 6) returned 'done', and must return an exit code or None\n",
        ),
        (
            "return {}[options.app_path.name]",
            1,
            "wsgid: hi failed: {file}, line 23: KeyError: 'site'\n"
            'wsgid: Traceback (most recent call last):\n  File "{file}", line 23, in run\n',
        ),
    ],
)
def test_how_it_ends(folder: Path, run: str, code: int, told: str) -> None:
    file = folder / "plugins/hello.py"
    file.write_text(command(run=run))
    done = wsgid("hi", cwd=folder)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(told.format(file=file))
    assert bool(done.stderr) == bool(told)


BROKEN = {
    "taken.py": (command("'status'"), "status is a command that comes with wsgid, which stays what it is"),
    "twice.py": (command(), "another plug-in has the name hello already"),
    "unnamed.py": (command("None"), "its command_name() is None: letters and digits, with dashes between"),
    "raising.py": (command("{}['name']"), "line 14: KeyError: 'name'"),
    "options.py": (
        command("'options'", options="['--to']"),
        "must be a list of CommandLineOption and CommandLineArgument",
    ),
    "many.py": (
        command("'many'", options="[CommandLineArgument('a', many=True), CommandLineArgument('b')]"),
        "its extra_options() cannot be had: only the last argument may take many",
    ),
    "places.py": (
        command("'places'", options="[CommandLineOption('app-path')]"),
        "its extra_options() cannot be had: two options are called --app-path",
    ),
    "spelled.py": (
        command("'spelled'", options="[CommandLineOption('a b')]"),
        "line 20: ValueError: 'a b' cannot be the name of an option: letters and digits, with dashes between",
    ),
    "syntax.py": ("def", "syntax.py, line 1: SyntaxError: invalid syntax"),
}
"""What is wrong, and what is said of it."""


def test_what_is_broken_is_told_and_keeps_nobody_from_anything(folder: Path) -> None:
    for name, (text, _) in BROKEN.items():
        (folder / "plugins" / name).write_text(text)
    (folder / "plugins/zz_matching.py").write_text(command("'bye'", "{}[word]", cls="Bye"))
    reasons = [told for _, told in BROKEN.values()]

    helped = wsgid("--help", cwd=folder)
    assert helped.returncode == 0
    assert "\nCommands of plug-ins:\n  bye   " in helped.stdout
    for reason in reasons:
        assert helped.stderr.count(f"{reason} (see wsgid plugins)\n") == 1

    listed = wsgid("plugins", "--json", cwd=folder)
    assert listed.returncode == 1
    told = json.loads(listed.stdout)
    assert [each["source"] for each in told["failed"]] == [str(folder / "plugins/syntax.py")]
    assert len(told["unusable"]) == len(BROKEN) - 1

    assert wsgid("status", cwd=folder).stdout.startswith("Status: Stopped\n")
    assert wsgid("hi", cwd=folder).returncode == 0
    unknown = wsgid("helo", cwd=folder)
    assert unknown.returncode == 2
    assert f"{folder}/plugins/zz_matching.py, line 17: KeyError: 'helo' (see wsgid plugins)\n" in unknown.stderr
    assert unknown.stderr.endswith("wsgid: there is no command 'helo', did you mean hello? (see wsgid --help)\n")


def test_nothing_is_loaded_for_commands_of_ours(folder: Path) -> None:
    assert wsgid("status", cwd=folder).stderr == ""
    assert wsgid("stop", "--help", cwd=folder).stderr == ""
    assert wsgid("--version", cwd=folder).stderr == ""


def test_a_folder_that_is_not_there_is_told() -> None:
    told = "wsgid: --app-path: '/no/such' is not a directory that exists and can be reached (see wsgid plugins)\n"
    done = wsgid("--app-path", "/no/such", "hello")
    assert (done.returncode, done.stderr) == (2, f"{told}wsgid: there is no command 'hello' (see wsgid --help)\n")
    done = wsgid("--app-path", "/no/such", "--help")
    assert (done.returncode, done.stderr) == (0, told)
    assert wsgid("hello", "--app-path").stderr == "wsgid: there is no command 'hello' (see wsgid --help)\n"


def test_code_in_a_folder_that_is_no_app_folder_is_left_alone(folder: Path) -> None:
    (folder / "app").rmdir()
    done = wsgid("hello", cwd=folder)
    assert (done.returncode, done.stderr) == (2, "wsgid: there is no command 'hello' (see wsgid --help)\n")


def test_root_does_not_run_what_is_not_roots(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.getuid() or 12345
    os.chown(folder / "plugins", owner, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    found = PluginCommands(PluginPlace(folder, (), (), {}))
    assert found.commands == {}
    assert found.complaints == [
        f"{folder}/plugins is not root's, so root does not load its plug-ins: run this as user {owner}"
    ]
