"""What is in the files that are sent: also the rules know it."""

LINE = b"0123456789\n"
"""No multiple of it is a number of bytes that anything reads at once: each place looks different."""


def contents(size: int) -> bytes:
    return (LINE * (size // len(LINE) + 1))[:size]
