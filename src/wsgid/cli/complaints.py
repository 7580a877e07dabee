"""How every command tells what went wrong."""

import sys
from collections.abc import Iterable


def complain(lines: Iterable[str]) -> None:
    """On standard error, each with the name of the program in front, as Unix commands do."""
    for line in lines:
        print(f"wsgid: {line}", file=sys.stderr)
