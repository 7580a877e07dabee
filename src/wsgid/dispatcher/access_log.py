"""One line for every request, whichever way it ended.

    2026-11-21T07:33:24.123Z 127.0.0.1 "GET /page?x=1 HTTP/1.1" 200 1234 wait=0.1ms service=12.4ms worker=4242 id=5f3a-1

Bytes are those of the body as sent to the client. `wait` is the time before a worker had it, `service` the time after;
``end=`` follows when it ended otherwise than by an answer of the application: refused, cut, left.
"""

import os
from collections.abc import Callable

from wsgid.config import Config
from wsgid.dispatcher.clock import Clock
from wsgid.dispatcher.exchange import Exchange


def line(exchange: Exchange, code: int, note: str, stamp: str, now: float) -> str:
    request = exchange.request
    asked = quoted(f"{request.method} {request.target} {request.version}")
    served_at = exchange.served_at
    wait, service = (served_at - exchange.arrived, now - served_at) if served_at else (now - exchange.arrived, 0.0)
    worker = exchange.slot.worker.pid if exchange.slot is not None else "-"
    end = f" end={note}" if note else ""
    return (
        f'{stamp} {request.remote_addr or "-"} "{asked}" {code} {exchange.sent} '
        f"wait={wait * 1000:.1f}ms service={service * 1000:.1f}ms worker={worker} id={request.id}{end}\n"
    )


def quoted(text: str) -> str:
    """The text in printable ASCII, with quotes and backslashes escaped: nobody forges a line or its fields."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return text.encode("unicode_escape").decode("ascii").replace('"', '\\"')


def open_file(config: Config) -> int:
    """A descriptor for the lines: standard output with ``--stdout``, else ``logs/access.log``. Raises OSError."""
    if config.stdout:
        return 1
    return os.open(
        config.app_path / "logs" / "access.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640
    )


class AccessLog:
    """Lines are gathered and written once for each turn of the event loop: one write for many requests under load, and
    nothing held back when there is time. Appending to a file costs no more than handing it to a thread would."""

    __slots__ = ("_call_soon", "_clock", "_fd", "_lines", "lost")

    def __init__(self, fd: int, clock: Clock, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._fd = fd
        self._clock = clock
        self._call_soon = call_soon
        self._lines: list[str] = []
        self.lost = 0
        """Writes that failed (a full disk, say): requests are served all the same."""

    def ended(self, exchange: Exchange, code: int, note: str) -> None:
        if not self._lines:
            self._call_soon(self.flush)
        self._lines.append(line(exchange, code, note, self._clock.stamp(), self._clock.now()))

    def flush(self) -> None:
        data = "".join(self._lines).encode("ascii", "backslashreplace")
        self._lines.clear()
        try:
            os.write(self._fd, data)
        except OSError:
            self.lost += 1
