"""What a part of the long run is: something that is done to a daemon under load, and the promises it is judged by."""

import time
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field

from tests.deadlines import wait_for
from tests.functional.load import Record

from bench.stage import HTTP, MONGREL2, Stage

Tell = Callable[[float], None]
"""How much of the part is done, from 0 to 1."""


@dataclass(frozen=True)
class Limits:
    seconds: float
    requests: int
    mib: int
    """Of a large body."""
    crowd: int
    """Slow clients of each kind."""


@dataclass(frozen=True)
class Outcome:
    records: list[Record]
    told: str
    """What happened, in a few words."""
    broken: list[str]
    """Promises."""


@dataclass(frozen=True)
class Part:
    play: Callable[[Stage, Limits, Tell], Outcome]
    options: tuple[str, ...]
    """Of the daemon."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of Mongrel2."""
    app: str = "ledger"
    edges: tuple[str, ...] = (HTTP, MONGREL2)


class Clock:
    """Until when a part goes on."""

    def __init__(self, limits: Limits, tell: Tell) -> None:
        self._begun = time.monotonic()
        self._length = limits.seconds
        self._tell = tell

    def goes_on(self) -> bool:
        done = (time.monotonic() - self._begun) / self._length
        self._tell(done)
        return done < 1


def access_lines(stage: Stage, records: Sized) -> list[str]:
    """One line in the access log for each request."""
    path = stage.daemon.folder / "logs/access.log"

    def count() -> int:
        with open(path, "rb") as lines:
            return sum(1 for _ in lines)

    wait_for(lambda: count() >= len(records), "the last lines of the access log")
    return [] if count() == len(records) else [f"{count()} lines in the access log"]
