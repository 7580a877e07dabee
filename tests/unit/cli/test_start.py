import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import seconds
from wsgid.cli.start import start


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WSGID_")]:
        monkeypatch.delenv(name)


def test_all_that_is_wrong_with_the_options_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "wsgid.json").write_text('{"wrokers": 2}')
    monkeypatch.setenv("WSGID_THREADS", "0")
    assert start({"app_path": str(tmp_path), "workers": "many"}) == 2
    assert capsys.readouterr() == (
        "",
        f"wsgid: {tmp_path}/wsgid.json: 'wrokers' is no option, did you mean workers?; keys of your own begin with x_\n"
        "wsgid: --workers: 'many' is not a whole number from 1 to 1000\n"
        "wsgid: WSGID_THREADS: '0' is not a whole number from 1 to 1000\n",
    )
    assert sorted(os.listdir(tmp_path)) == ["app", "wsgid.json"], "nothing has been made"


def test_a_folder_without_an_application_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start({"app_path": str(tmp_path)}) == 2
    assert capsys.readouterr() == (
        "",
        f"wsgid: {tmp_path} is no app folder: the application's code must be in {tmp_path}/app\n"
        f"wsgid: make one with `mkdir -p {tmp_path}/app` and put the code there, or name another with --app-path\n",
    )
    assert os.listdir(tmp_path) == []


def test_the_command_line_knows_nothing_of_the_processes() -> None:
    """What is imported here is in every process, and takes its time before ``--help`` is shown."""
    code = """
import sys
import wsgid.cli
heavy = {"zmq", "uvloop", "httptools", "asyncio", "wsgid.master", "wsgid.dispatcher", "wsgid.worker"}
heavy |= {"wsgid.channel.orders", "wsgid.channel.commands", "wsgid.cli.status", "wsgid.cli.stop", "wsgid.cli.restart"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=seconds(), check=True)
    assert done.stdout == "[]\n"
