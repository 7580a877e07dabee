"""Builds the site with Sphinx, and looks whether every link between pages leads somewhere."""

import argparse
import sys
from collections.abc import Sequence

from docs.made.built_links import broken_links
from docs.made.sphinx_build import BUILT, run


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when all is well. A warning of Sphinx is an error."""
    parser = argparse.ArgumentParser("scripts/site", description="Builds the documentation in build/site/html.")
    parser.add_argument("--external", action="store_true", help="ask for each link to another site instead; by network")
    if parser.parse_args(arguments).external:
        return run("linkcheck")
    if code := run("html"):
        return code
    broken = broken_links(BUILT / "html")
    print("".join(f"{each}\n" for each in broken), end="", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
