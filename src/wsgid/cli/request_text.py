"""Requests in progress, for people to read."""

from collections.abc import Sequence

from wsgid.channel.commands import Listed, Traced

NONE = "no request is in progress"

HEADINGS = ("DAEMON", "ID", "KEY", "STATE", "AGE", "WAITED", "WORKER", "CLIENT", "REQUEST")

RIGHT = ("AGE", "WAITED")
"""Columns of numbers."""


def as_table(found: Sequence[tuple[int, Listed]], unnamed: int, width: int | None) -> list[str]:
    """A line for each request with the pid of its daemon; lines are cut at ``width``, if there is one.

    The daemon is named when there are several, and the keys when they are not the ids.
    """
    if not found:
        return [NONE]
    rows = [dict(zip(HEADINGS, _row(daemon, request), strict=True)) for daemon, request in found]
    left_out = set()
    if len({daemon for daemon, _ in found}) == 1:
        left_out.add("DAEMON")
    if all(request.id == request.key for _, request in found):
        left_out.add("KEY")
    shown = [each for each in HEADINGS if each not in left_out]
    widths = {each: max(len(each), *(len(row[each]) for row in rows)) for each in shown}
    lines = [_line({each: each for each in shown}, widths), *(_line(row, widths) for row in rows)]
    lines = [line if width is None else line[:width] for line in lines]
    return [*lines, f"and {unnamed} more"] if unnamed else lines


def named(request: Listed) -> str:
    """``GET /report (id 5f3a01-41)``."""
    return f"{request.method} {request.target} (id {request.id})"


def as_trace(traced: Traced) -> str:
    """What is not printable is escaped, for terminals obey what they are sent."""
    request = traced.request
    client = f", client {request.client}" if request.client else ""
    served = f"{request.age - request.wait:.1f} s"
    lines = [
        f"{named(request)}, for {served} in thread 0x{request.thread or 0:016x} of worker {request.worker}{client}:"
    ]
    if traced.from_outside:
        lines.append(
            f"(Worker {request.worker} did not tell it within a second: a thread of it holds the interpreter lock, or "
            "it gets no time on a processor. This was written from outside.)"
        )
    lines += traced.stack.splitlines() or ["(It is in no Python code.)"]
    return "\n".join(_printable(each) for each in lines)


def _row(daemon: int, request: Listed) -> tuple[str, ...]:
    return (
        str(daemon),
        request.id,
        request.key,
        str(request.state),
        f"{request.age:.1f} s",
        f"{request.wait:.1f} s",
        "-" if request.worker is None else str(request.worker),
        request.client or "-",
        f"{request.method} {request.target}",
    )


def _line(row: dict[str, str], widths: dict[str, int]) -> str:
    cells = [row[each].rjust(size) if each in RIGHT else row[each].ljust(size) for each, size in widths.items()]
    return "  ".join(cells).rstrip()


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
