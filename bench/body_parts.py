"""Parts of the long run in which large bodies go up and down, and many slow ones at once, beside quick requests."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.apps.downloads.app.wsgi import PART
from tests.functional.load import Record, other_than
from tests.functional.memory import MIB, ROOM, Memory
from tests.functional.quick import AS_FAST, AT_ONCE, Quick, idle, p99
from tests.functional.transfers import Transfer, Transfers, file, generated, upload, write_file

from bench.part import Limits, Outcome, Tell, access_lines
from bench.stage import Stage

FLOW_CONTROL = {"download.flow_control": "1"}

STREAM = {**FLOW_CONTROL, "upload.stream": "1"}

RATE = 20e6
"""Bytes a second of a client who has time."""

HALT = 30.0
"""Seconds for which another one stops."""

CRAWL = 1000.0
"""Bytes a second of each upload in a crowd."""

CRAWLING = 128 * 1024
"""Bytes of each: more than stay in memory, and than Mongrel2 gives in one message."""

SLOW = 16 * 1024.0
"""Bytes a second of each reader in a crowd."""

SLOWLY_READ = 32
"""Parts for each: 2 MiB, twice of --answer-memory."""

ARRIVAL = 45.0
"""Seconds in which a crowd gathers, to be complete for a minute and a half. In 20 seconds two cores are hardly done
with generating so much, which is the part ``overload``."""

IDLE = 500
"""Quick requests beside nothing, to compare with."""

LATE = 120.0
"""Seconds (before stretching) by which transfers may exceed the time that their paces make."""


def up(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """Not as fast as it goes: Mongrel2 writes an upload's file in the thread that does everything else, and then serves
    nobody for up to a second (seen in its access log's times, which are short, and those of its clients, which are
    not)."""
    return _together(stage, [[upload(limits.mib * MIB, rate=RATE)]], tell)


def generator(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """To a reader that has time, then to one that stops in the middle."""
    count = limits.mib * MIB // PART
    return _together(stage, [[generated(count, rate=RATE)], [generated(count, halt=HALT)]], tell)


def wrapped_file(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """The same by ``wsgi.file_wrapper``."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        large = Path(folder) / "large"
        write_file(large, limits.mib * MIB)
        return _together(stage, [[file(large, rate=RATE)], [file(large, halt=HALT)]], tell)


def crowd(stage: Stage, limits: Limits, tell: Tell) -> Outcome:
    """Crawling uploads and slow readers, as many of each, all different."""
    uploads = [upload(CRAWLING, first=10 * number, rate=CRAWL) for number in range(limits.crowd)]
    readers = [generated(SLOWLY_READ, first=SLOWLY_READ * number, rate=SLOW) for number in range(limits.crowd)]
    both = [each for pair in zip(uploads, readers, strict=True) for each in pair]
    return _together(stage, [both], tell, apart=ARRIVAL / len(both), room=None)


def _together(
    stage: Stage, turns: Sequence[Sequence[Transfer]], tell: Tell, *, apart: float = 0.0, room: int | None = ROOM
) -> Outcome:
    """Each turn's transfers at once, one turn after the other, beside quick requests all the time. ``room``: bytes by
    which a process may grow."""
    before, memory = idle(stage.address, IDLE), Memory(stage.daemon)
    broken, took = list[str](), list[str]()
    with Quick(stage.address) as quick:
        for number, transfers in enumerate(turns):
            begun = time.monotonic()
            broken += _complaints(stage, transfers, apart)
            took.append(f"{time.monotonic() - begun:.0f} s")
            tell((number + 1) / len(turns))
    growth, records = memory.growth(), before + quick.records
    if room is not None and growth > room:
        broken.append(f"a process has grown by {growth / MIB:.1f} MiB")
    broken += _judged(before, quick.records)
    told = (
        f"{_named(turns)} in {', '.join(took)}; memory: {growth / MIB:.1f} MiB more at most; "
        f"quick requests: {quick.p99 * 1000:.1f} ms (p99), idle {p99(before) * 1000:.1f} ms"
    )
    return Outcome(records, told, broken + access_lines(stage, range(len(records) + sum(map(len, turns)))))


def _complaints(stage: Stage, transfers: Sequence[Transfer], apart: float) -> list[str]:
    planned = max(map(_planned, transfers)) + apart * len(transfers)
    with Transfers(stage.address, transfers, apart=apart) as bodies:
        return bodies.complaints(planned + LATE)


def _planned(transfer: Transfer) -> float:
    """Seconds that its pace makes."""
    return transfer.halt + (transfer.size / transfer.rate if transfer.rate else 0.0)


def _judged(before: list[Record], beside: list[Record]) -> list[str]:
    """Were the quick requests answered, and as quickly as before?"""
    broken = [f"a quick request: {each}" for each in before + beside if each.trouble]
    broken += [f"a quick request got {each.status}" for each in other_than(200, before + beside)]
    slow, allowed = p99(beside), max(AS_FAST * p99(before), AT_ONCE)
    if slow > allowed:
        broken.append(f"quick requests took {slow * 1000:.1f} ms (p99), {allowed * 1000:.1f} ms is allowed")
    return broken


def _named(turns: Sequence[Sequence[Transfer]]) -> str:
    transfers = [each for turn in turns for each in turn]
    uploads, size = sum(each.upload for each in transfers), sum(each.size for each in transfers)
    counts = {"up": uploads, "down": len(transfers) - uploads}
    named = " and ".join(f"{count} {way}" for way, count in counts.items() if count)
    return f"{named}, {size / MIB:,.0f} MiB together,"
