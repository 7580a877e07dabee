"""Pages whose commands are run, in their order, by a shell in an empty directory: they show what the pages show."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.functional.page_steps import BLOCK, DOCS, PORTS, follow, pattern, steps
from tests.functional.shell import killed_at_the_end

ROOT = DOCS.parent

INSTALLATION = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_what_the_tutorial_installs(tmp_path: Path) -> None:
    """From a copy, and without a package index: what it consists of, Flask and Django are found where the tests have
    them."""
    [commands] = INSTALLATION.findall((DOCS / "tutorial.md").read_text())
    clone = tmp_path / "wsgid"
    clone.mkdir()
    for each in ("src", "docs", "man", "README.md", "LICENSE", "pyproject.toml"):
        (shutil.copytree if (ROOT / each).is_dir() else shutil.copy)(ROOT / each, clone / each)
    # PIP_NO_BUILD_ISOLATION=0 is how the variable says "no isolation".
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_CACHE_DIR": "1", "PIP_QUIET": "1"}
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": sysconfig.get_path("purelib"), **offline}
    python = f"{sysconfig.get_config_var('BINDIR')}/python3"
    done = subprocess.run(
        ["bash", "-e", "-c", commands.replace("python3 ", f"{python} ") + "command -v wsgid\nwsgid --version"],
        cwd=clone,
        env=env,
        capture_output=True,
        text=True,
        timeout=seconds(120),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-2] == f"{tmp_path}/venv/bin/wsgid"


def test_the_tutorial() -> None:
    # It says nothing of an address, so that a reader learns the default.
    with killed_at_the_end(WSGID_BIND=f"127.0.0.1:{PORTS['8000']}") as shell:
        follow("tutorial.md", shell)


@pytest.mark.parametrize("page", ["several-sites.md", "from-gunicorn.md"])
def test_a_how_to(page: str) -> None:
    with killed_at_the_end() as shell:
        follow(page, shell)


def test_patterns() -> None:
    made = pattern("at /home/you/a: 4242, 502\n...\nend ... in 0.1ms, up 2 s\n", Path("/tmp/x1"))
    assert made.fullmatch("at /tmp/x1/a: 17, 502\n\nmore\nend of it in 12.0ms, up 10 s\n")
    assert made.fullmatch("at /tmp/x1/a: 17, 502\nend of it in 12.0ms, up 10 s\n")
    assert not made.fullmatch("at /tmp/x1/a: 17, 503\nend of it in 12.0ms, up 10 s\n")
    assert not made.fullmatch("at /tmp/x2/a: 17, 502\nend of it in 12.0ms, up 10 s\n")
    assert not made.fullmatch("at /tmp/x1/a: 17, 502\nend of it in 12.0ms, up 10 s\nmore\n")


def test_the_tutorial_has_what_it_must() -> None:
    texts = (each["text"] for each in BLOCK.finditer((DOCS / "tutorial.md").read_text()) if each["kind"] == "console")
    commands = [step.command for text in texts for step in steps(text)]
    assert {"wsgid check", "wsgid status", "wsgid restart", "wsgid stop"} <= set(commands)
    assert all(any(word in each for each in commands) for word in ("flask", "django", "mongrel2 run"))
