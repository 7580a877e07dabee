"""Inputs that are always the same, made by chance of those that are known: for the gate.

atheris would find more in as many, but not the same each time: what libFuzzer does with a seed depends on where the
kernel puts its memory, and on how threads take turns.
"""

import random
from collections.abc import Callable, Iterator, Sequence

MOST_CHANGES = 4
"""Of one input."""

Change = Callable[[bytes, random.Random, Sequence[bytes]], bytes]


def mutated(known: Sequence[bytes], count: int, longest: int) -> Iterator[bytes]:
    """So many, none longer than so many bytes."""
    chance = random.Random(1)
    for _ in range(count):
        data = chance.choice(known)
        for change in chance.choices(CHANGES, k=chance.randint(1, MOST_CHANGES)):
            data = change(data, chance, known)
        yield data[:longest]


def _another_byte(data: bytes, chance: random.Random, known: Sequence[bytes]) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.randbytes(1) + data[place + 1 :]


def _another_bit(data: bytes, chance: random.Random, known: Sequence[bytes]) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + bytes(byte ^ 1 << chance.randrange(8) for byte in data[place : place + 1]) + data[place + 1 :]


def _more(data: bytes, chance: random.Random, known: Sequence[bytes]) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.randbytes(chance.randint(1, 4)) + data[place:]


def _less(data: bytes, chance: random.Random, known: Sequence[bytes]) -> bytes:
    begin, end = _range(data, chance)
    return data[:begin] + data[end:]


def _twice(data: bytes, chance: random.Random, known: Sequence[bytes]) -> bytes:
    begin, end = _range(data, chance)
    return data[:end] + data[begin:]


def _crossed(data: bytes, chance: random.Random, known: Sequence[bytes]) -> bytes:
    """A piece of another one in place of a piece."""
    other = chance.choice(known)
    begin, end = _range(data, chance)
    from_, to = _range(other, chance)
    return data[:begin] + other[from_:to] + data[end:]


def _range(data: bytes, chance: random.Random) -> tuple[int, int]:
    begin, end = sorted(chance.choices(range(len(data) + 1), k=2))
    return begin, end


CHANGES: list[Change] = [_another_byte, _another_bit, _more, _less, _twice, _crossed]
