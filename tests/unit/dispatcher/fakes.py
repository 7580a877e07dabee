"""Stand-ins for the interfaces at which a part of the dispatcher ends."""

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Exchange
from wsgid.dispatcher.sent_file import PassedFile
from wsgid.dispatcher.slots import Slot
from wsgid.dispatcher.work import Work
from wsgid.protocol.values import WrittenHead


@dataclass
class RecordingClient:
    """A `Client` that takes everything, at once unless it `keeps` it, and writes down what it was told."""

    told: list[str] = field(default_factory=list)
    body: bytes = b""
    choked: bool = False
    keeps: bool = False
    unsent: int = 0
    turns_over: int = 0
    while_sending: Callable[[], None] = lambda: None
    """Called in the midst of each send, where a real client may be found to have gone."""

    def send_whole(self, head: WrittenHead, body: bytes) -> int:
        return self._sent(f"whole {head.code}", body)

    def send_head(self, head: WrittenHead) -> None:
        self._sent(f"head {head.code}", b"")

    def send_part(self, part: bytes) -> int:
        return self._sent("part", part)

    def send_end(self) -> None:
        self._sent("end", b"")

    def send_file(self, head: WrittenHead, file: PassedFile) -> None:
        self._sent(f"file {head.code}", b"")
        self.unsent += file.length
        os.close(file.descriptor)

    def send_cut(self) -> bool:
        if not self.unsent:
            self.cut()
        return self.unsent > 0

    def cut(self) -> None:
        self._sent("cut", b"")

    def turn_over(self) -> None:
        self.turns_over += 1
        self.unsent = 0

    def _sent(self, what: str, data: bytes) -> int:
        assert not self.turns_over, "nothing is sent after the end"
        self.told.append(what)
        self.body += data
        self.unsent += len(data) + 1 if self.keeps else 0
        self.while_sending()
        return len(data)


@dataclass
class RecordingJournal:
    """A `Journal`."""

    endings: list[tuple[Exchange, int, str]] = field(default_factory=list)
    refused: list[Exchange] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    def unserved(self, exchange: Exchange) -> None:
        self.refused.append(exchange)

    def ended(self, exchange: Exchange, code: int, note: str) -> None:
        self.endings.append((exchange, code, note))

    def close_file(self, descriptor: int) -> None:
        os.close(descriptor)
        self.closed.append(descriptor)

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(code, note) for _, code, note in self.endings]


@dataclass
class RecordingOwner:
    """A `SlotOwner`."""

    finished: list[Slot] = field(default_factory=list)
    done: list[Work] = field(default_factory=list)
    gone: list[tuple[Slot, str]] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    def slot_finished(self, slot: Slot, work: Work) -> None:
        self.finished.append(slot)
        self.done.append(work)

    def slot_gone(self, slot: Slot, why: str) -> None:
        self.gone.append((slot, why))

    def close_file(self, descriptor: int) -> None:
        os.close(descriptor)
        self.closed.append(descriptor)


class HandClock(Clock):
    """Goes on when it is told to."""

    __slots__ = ("time",)

    def __init__(self) -> None:
        super().__init__()
        self.time = 1000.0

    def now(self) -> float:
        return self.time


class InlineExecutor(Executor):
    """Has no threads, so that what comes before what is up to the test."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except OSError as error:
            done.set_exception(error)
        return done
