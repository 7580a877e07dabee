"""Quick requests, one after the other, while something else goes on: how long does each of them take?"""

import threading
import time
from typing import Self

from tests.deadlines import seconds
from tests.functional.clients import Connection
from tests.functional.load import Address, Record

TARGET = "/quick"

BETWEEN = 0.01
"""Seconds from one answer to the next request: this is a look at the others' load, and not to be one."""

AS_FAST = 2.0
"""Times as long as when idle they may take."""

AT_ONCE = 0.050
"""Seconds that are as good as that: on a machine with other work, twice of next to nothing means little."""


class Quick:
    """Asks from ``with`` on to its end, on one kept-alive connection."""

    def __init__(self, address: Address) -> None:
        self.records: list[Record] = []
        self._address = address
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="quick")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Raises what an answer failed by, and AssertionError."""
        self._over.set()
        self._thread.join(seconds() * 2)
        assert not self._thread.is_alive(), "a quick request is not answered"
        if self._failure is not None:
            raise self._failure

    @property
    def p99(self) -> float:
        """Seconds within which 99 of 100 were answered."""
        return p99(self.records)

    def _run(self) -> None:
        try:
            with Connection(self._address) as connection:
                while not self._over.wait(BETWEEN):
                    self.records.append(_asked(connection, len(self.records)))
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for this one
            self._failure = error


def p99(records: list[Record]) -> float:
    """Raises AssertionError when there are none."""
    assert records, "no quick request was answered"
    return sorted(each.took for each in records)[len(records) * 99 // 100]


def idle(address: Address, count: int) -> list[Record]:
    """So many, when nothing else goes on. Raises what an answer failed by."""
    with Connection(address) as connection:
        return [_asked(connection, number) for number in range(count)]


def _asked(connection: Connection, number: int) -> Record:
    """Raises Cut, TimeoutError, h11.RemoteProtocolError, OSError."""
    begun = time.monotonic()
    connection.ask(TARGET)
    answer = connection.answer()
    trouble = "" if answer.body == b"quick\n" else f"answered {answer.body[:200]!r}"
    return Record(number, "GET", answer.status, time.monotonic() - begun, trouble)
