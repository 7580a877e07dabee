"""What shells make of `wsgid completion`: the real ones, with a Tab typed into them."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deadlines import seconds, wait_for
from tests.functional.daemon import environment

SHELLS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}

SET_UP = {
    "bash": 'eval "$(wsgid completion bash)"',
    "zsh": 'autoload -Uz compinit; compinit -u -d "$DUMP"; eval "$(wsgid completion zsh)"',
}

NOTING = 'wsgid() { printf "%s\\n" "$*" >"$TOLD.part"; mv "$TOLD.part" "$TOLD"; }; echo READY-$((1+1))\n'
"""In place of the command, for the shell and not for those that complete: what it is called with is written down."""

READY = b"READY-2"

LINES = [
    ("sta\t", "status"),
    ("request tr\t", "request trace"),
    ("init --ex\tfl\t", "init --example flask"),
    ("completion f\t", "completion fish"),
    ("config --work\t4", "config --workers 4"),
    ("--redeliver of\t", "--redeliver off"),
    ("--forwarded-headers x\t", "--forwarded-headers x-forwarded"),
    ("--app-path HERE/mys\t", "--app-path HERE/mysite"),
    ("init HERE/mys\t", "init HERE/mysite"),
]


def variables(folder: Path) -> dict[str, str]:
    """In which the command is found."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return environment(PATH=path, TERM="vt100", TOLD=str(folder / "told"), DUMP=str(folder / "dump"), HOME=str(folder))


@contextmanager
def terminal(shell: str, folder: Path) -> Iterator[int]:
    """A shell at its prompt; gives our side of its terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        SHELLS[shell], stdin=theirs, stdout=theirs, stderr=theirs, env=variables(folder), start_new_session=True
    )
    os.close(theirs)
    try:
        os.write(ours, f"{SET_UP[shell]}; {NOTING}".encode())
        printed = read_until(ours, READY)
        assert printed.endswith(READY), printed
        yield ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(descriptor: int, end: bytes) -> bytes:
    printed, limit = b"", time.monotonic() + seconds()
    while not printed.endswith(end) and time.monotonic() < limit:
        if select.select([descriptor], [], [], 0.5)[0]:
            printed += os.read(descriptor, 1)
    return printed


@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab(shell: str, tmp_path: Path) -> None:
    assert shutil.which(shell), f"{shell} is not installed: scripts/test does it"
    (tmp_path / "mysite").mkdir()
    told = tmp_path / "told"
    with terminal(shell, tmp_path) as typed:
        for line, whole in LINES:
            told.unlink(missing_ok=True)
            os.write(typed, f"wsgid {line}\n".replace("HERE", str(tmp_path)).encode())
            wait_for(told.exists, f"the shell to call wsgid after {line!r}")
            # With the slash or without it: zsh takes it away again.
            assert told.read_text().rstrip("/\n") == whole.replace("HERE", str(tmp_path))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("wsgid sta", {"status"}),
        ("wsgid request ", {"kill", "list", "trace"}),
        ("wsgid init --example ", {"flask", "django", "plain"}),
        ("wsgid --redeliver ", {"on", "off"}),
        ("wsgid config --quar", {"--quarantine"}),
    ],
)
def test_fish(line: str, found: set[str], tmp_path: Path) -> None:
    assert shutil.which("fish"), "fish is not installed: scripts/test does it"
    code = f"wsgid completion fish | source; complete -C {line!r}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", code], env=variables(tmp_path), capture_output=True, text=True, timeout=seconds()
    )
    assert {each.split("\t")[0] for each in done.stdout.splitlines()} == found, done.stderr


def test_nothing_is_loaded_and_nothing_printed(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "loud.py").write_text("print('here'); open('trace', 'w'); 1 / 0\n")
    (tmp_path / "wsgid.json").write_text("{")
    asked = {"COMP_WORDS": "wsgid plug", "COMP_CWORD": "1", "_WSGID_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-m", "wsgid"], env=environment(**asked), cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("plain,plugins\n", "")
    assert not (tmp_path / "trace").exists()
