"""Builds the site and the man pages with Sphinx, and looks whether every link between pages leads somewhere.

The man pages lie in man/, for the package takes them from there: whoever installs it has no Sphinx.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.made.built_links import broken_links

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "site"
MAN = ROOT / "man"

COMMENT = re.compile(r'^\.\\".*\n', re.MULTILINE)
"""In a man page: says which version of docutils has written it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when all is well. A warning of Sphinx is an error."""
    given = _parser().parse_args(arguments)
    if given.external:
        return _sphinx("linkcheck")
    if code := _sphinx("html") or _sphinx("man"):
        return code
    return _report(_outdated(write=not given.check), "run scripts/site") or _report(broken_links(BUILT / "html"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("scripts/site", description="Builds build/site/html, and the man pages in man/.")
    parser.add_argument("--check", action="store_true", help="fail when man/ is not up to date, and leave it alone")
    parser.add_argument("--external", action="store_true", help="ask for each link to another site instead; by network")
    return parser


def _sphinx(builder: str) -> int:
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-n", "-W", "--keep-going", "--quiet", "-c", "docs"]
    return subprocess.run([*command, "-d", BUILT / "doctrees", ".", BUILT / builder], cwd=ROOT, check=False).returncode


def _outdated(write: bool) -> list[str]:
    """The man pages that are not what Sphinx has just made; they are written if so wished."""
    found = []
    for page in sorted((BUILT / "man").glob("*.[1-8]")):
        text = COMMENT.sub("", page.read_text())
        kept = MAN / page.name
        if not kept.exists() or kept.read_text() != text:
            found.append(f"{kept.relative_to(ROOT)} is out of date")
            if write:
                kept.parent.mkdir(exist_ok=True)
                kept.write_text(text)
    return [] if write else found


def _report(faults: Sequence[str], cure: str = "") -> int:
    for each in faults:
        print(f"{each}{cure and f': {cure}'}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
