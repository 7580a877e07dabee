"""The command as a whole, in processes of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import seconds
from wsgid import __version__
from wsgid.cli import main


def wsgid(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WSGID_")}
    return subprocess.run(
        [sys.executable, "-m", "wsgid", *arguments],
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=seconds(),
    )


def test_version() -> None:
    done = wsgid("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"wsgid {__version__}\n", "")


def test_help() -> None:
    done = wsgid("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: wsgid [options] [command ...]\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["stop", "--sendsignal=9"],
            "No such option '--sendsignal'. Did you mean '--send-signal'? (see wsgid stop --help)",
        ),
        (["status", "now"], "Got unexpected extra argument (now) (see wsgid status --help)"),
        (
            ["--workers=2", "stop"],
            "--workers is for the start of a daemon, it means nothing to stop (see wsgid stop --help)",
        ),
        (["stats"], "there is no command 'stats', did you mean status? (see wsgid --help)"),
    ],
)
def test_a_command_of_a_running_daemon_that_is_not_understood(arguments: list[str], told: str) -> None:
    done = wsgid(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"wsgid: {told}\n")


@pytest.mark.parametrize("arguments", [["--wrokers=2"], ["--workers"], ["nonsense"], ["--debug=yes"]])
def test_a_command_that_is_not_understood(arguments: list[str]) -> None:
    done = wsgid(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("wsgid: ")
    assert done.stderr.endswith(" (see wsgid --help)\n")
    assert done.stderr.count("\n") == 1


def test_options_that_are_wrong(tmp_path: Path) -> None:
    done = wsgid("--workers=0", f"--app-path={tmp_path}", WSGID_DEBUG="maybe", WSGID_BIND="8000")
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.split(":")[:2] for line in done.stderr.splitlines()] == [
        ["wsgid", " WSGID_BIND"],
        ["wsgid", " --workers"],
        ["wsgid", " WSGID_DEBUG"],
    ]


def test_an_argument_that_is_not_text(tmp_path: Path) -> None:
    """File names may be any bytes; the terminal is shown them in a form that it can show."""
    done = wsgid("--app-path", os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    assert (done.returncode, done.stdout) == (2, "")
    assert rf"{tmp_path}/caf\udce9' is not a directory" in done.stderr


def test_an_interrupt_ends_it_quietly(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("wsgid.cli.start", interrupted)
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_command_of_ours_does_not_pay_for_loading_plug_ins() -> None:
    code = "import sys, wsgid.cli; wsgid.cli.command_line(); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "wsgid.plugins.plugin" in loaded
    assert not {"wsgid.plugins.loading", "wsgid.plugin_sources", "wsgid.loaders", "importlib.metadata"} & set(loaded)
