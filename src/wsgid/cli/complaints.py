"""How every command tells what went wrong."""

import sys
from collections.abc import Iterable

EXIT_FAILED = 1
EXIT_REFUSED = 2
"""The command was not understood: the code that shells and click use, too."""
EXIT_INTERRUPTED = 130
"""What shells report for a command that SIGINT ended: 128 + 2."""


class CannotDo(Exception):
    """Ends a command: why it cannot do what it was told."""

    def __init__(self, *lines: str, exit_code: int = EXIT_FAILED) -> None:
        self.lines = lines
        self.exit_code = exit_code
        super().__init__("\n".join(lines))


def complain(lines: Iterable[str]) -> None:
    """On standard error, each with the name of the program in front, as Unix commands do."""
    for line in lines:
        print(f"wsgid: {line}", file=sys.stderr)
