"""When which request is to arrive: planned beforehand, the same for every server that is measured."""

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.functional.load import Address


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of requests. They are told apart in the result by its name."""

    name: str
    target: str
    """``{number}`` in it becomes the number of the request."""
    body: bytes
    """How the body of a right answer begins; ``{number}`` as above."""
    rate: float
    """Arrivals a second."""
    even: bool = False
    """At even distances; else as those of many people who know nothing of each other (a Poisson process)."""

    def request(self, number: int) -> bytes:
        target = self.target.replace("{number}", str(number))
        return f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    def beginning(self, number: int) -> bytes:
        return self.body.replace(b"{number}", b"%d" % number)


class Arrival(NamedTuple):
    at: float
    """Seconds from the beginning."""
    number: int
    kind: int
    """Its index."""


@dataclass(frozen=True, slots=True)
class Plan:
    address: Address
    kinds: tuple[Kind, ...]
    seconds: float
    """In which requests arrive."""
    warm_up: float = 1.0
    """Seconds before them, with requests that are not told of: connections are made, caches filled."""
    patience: float = 10.0
    """Seconds after which a client without an answer leaves."""
    connections: int = 32
    """Kept alive, where the server does; more only while all of them are busy."""
    seed: int = 0


def arrivals(plan: Plan) -> list[Arrival]:
    """In their order, with those of the warm-up at the front."""
    whole = plan.warm_up + plan.seconds
    random_ = random.Random(plan.seed)
    merged = heapq.merge(*(_of(kind, index, whole, random_) for index, kind in enumerate(plan.kinds)))
    return [Arrival(at, number, index) for number, (at, index) in enumerate(merged)]


def _of(kind: Kind, index: int, whole: float, random_: random.Random) -> Sequence[tuple[float, int]]:
    """A list and no generator: or the kinds would take turns at the random numbers."""
    return [(at, index) for at in (_evenly(kind.rate, whole) if kind.even else _by_chance(kind.rate, whole, random_))]


def _evenly(rate: float, whole: float) -> Iterator[float]:
    return (number / rate for number in range(int(rate * whole)))


def _by_chance(rate: float, whole: float, random_: random.Random) -> Iterator[float]:
    at = random_.expovariate(rate)
    while at < whole:
        yield at
        at += random_.expovariate(rate)
