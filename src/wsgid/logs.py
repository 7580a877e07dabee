"""The main log: one line a record, from several processes into one file or onto standard output.

Each process appends by itself: a record is one write(2) on a descriptor opened with O_APPEND, which local file systems
keep in one piece, so neither a lock nor a process for logging is needed. Buffering streams are not used: they may cut a
record in two, and after a fork they write it twice.
"""

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from wsgid.config import Config

STDIN, STDOUT, STDERR = 0, 1, 2

CLOSED = -1
"""No descriptor: a write to it fails."""

MAX_RECORD = 64 * 1024
"""Bytes. A pipe's usual capacity, so that the reader of ``--stdout`` can take a record at once; no traceback of use is
longer, but a message that repeats a request's body may be."""

MODE = 0o640
"""The log repeats what clients send: the owner and their group read it, as most of /var/log."""

_CONTINUED = "\n    "
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"} | {
    ord("\n"): _CONTINUED
}
"""Only the first line of a record begins with a date: a client whose header holds a line end cannot forge a record, nor
one with escape sequences (C0 and C1 controls) take the terminal of whoever reads the log."""

_logger = logging.getLogger("wsgid")


def configure(config: Config, role: str) -> None:
    """Sends the records of the logger ``wsgid`` and its children to where ``config`` says, from now on.

    To be called in each process, after its fork; ``role`` (``master``, ``dispatcher``, ``worker``) tells its lines from
    those of the others. Raises OSError, which names the file, when it cannot be opened; the log is then as before.
    """
    handler = DescriptorHandler(STDOUT if config.stdout else open_log(config))
    handler.setFormatter(OneRecord(role))
    earlier, _logger.handlers[:] = _logger.handlers[:], [handler]
    for each in earlier:
        if isinstance(each, DescriptorHandler):
            each.close_descriptor()
    _logger.propagate = False
    _logger.setLevel(logging.DEBUG if config.debug else logging.INFO)


def enable_again() -> None:
    """Lets our loggers speak after the application was loaded: what it configures logging with disables all others
    there are, unless it says otherwise (``disable_existing_loggers``)."""
    for name, logger in logging.root.manager.loggerDict.items():
        if f"{name}.".startswith("wsgid.") and isinstance(logger, logging.Logger):
            logger.disabled = False


def redirect_stdio(config: Config) -> None:
    """Cuts a detached process off the terminal: what the application prints goes where the log goes.

    With ``--stdout`` that is the standard output as it is, and standard error joins it. Raises OSError.
    """
    print_by_lines()
    _replace(os.open(os.devnull, os.O_RDONLY), (STDIN,))
    if config.stdout:
        os.dup2(STDOUT, STDERR)
    else:
        _replace(open_log(config), (STDOUT, STDERR))


def print_by_lines() -> None:
    """Makes each line that is printed appear at once, as it would on a terminal.

    By default a stream into a file or a pipe waits until some kilobytes have come together, and loses them when the
    process is killed.
    """
    for stream in (sys.stdout, sys.stderr):
        # Not None, as without a descriptor, nor what somebody put in its place.
        if isinstance(stream, io.TextIOWrapper):
            # What was printed earlier is written now, to where it was meant to go.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def log_file(config: Config) -> Path:
    return config.app_path / "logs" / "wsgid.log"


def open_log(config: Config) -> int:
    """A new descriptor for appending to the log file. Raises OSError, which names the file."""
    return os.open(log_file(config), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)


class OneRecord(logging.Formatter):
    """``2026-11-21 07:33:24,123 INFO  worker[1234] text``, further lines indented."""

    def __init__(self, role: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)-5s {role}[%(process)d] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(_CONTROLS)


class DescriptorHandler(logging.Handler):
    """Writes each record with one write(2), and never fails: logging must not break what it tells about."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.lost = 0
        """Records that could not be written, since the last one that could."""

    def emit(self, record: logging.LogRecord) -> None:
        data = _cut(self._text(record).encode("utf-8", "backslashreplace")) + b"\n"
        if self.lost:
            data = f"({self.lost} records before this one could not be written)\n".encode() + data
        try:
            written = os.write(self.descriptor, data)
        except OSError:  # the disk is full, or nobody reads the pipe: there is no place left to say so
            written = 0
        # The rest of a record is not written afterwards: by then another process may have written its own.
        self.lost = 0 if written == len(data) else self.lost + 1

    def close(self) -> None:
        """Nothing: `logging.config` closes every handler there is when an application configures its own logging
        (Django does at each start), and the log must go on. See `close_descriptor`."""

    def close_descriptor(self) -> None:
        """What comes later, from a thread that outlives the log, is lost."""
        with self.lock or contextlib.nullcontext():
            if self.descriptor > STDERR:  # the standard ones are the process's, not ours
                os.close(self.descriptor)
            self.descriptor = CLOSED
        super().close()

    def _text(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:  # noqa: BLE001 - whatever __str__ of the arguments may raise
            what = (
                f"a record that cannot be formatted: {record.msg if isinstance(record.msg, str) else type(record.msg)}"
            )
            where = f"{record.pathname}, line {record.lineno}"
            text = f"{what} ({where}): {type(error).__name__}"
            return self.format(logging.LogRecord(record.name, logging.ERROR, record.pathname, 0, text, (), None))


def _replace(source: int, targets: Iterable[int]) -> None:
    """Makes ``targets`` the same as ``source``, and closes it unless it is one of the standard descriptors."""
    for target in targets:
        os.dup2(source, target)
        os.set_inheritable(target, True)  # dup2 leaves it alone where source and target are the same
    if source > STDERR:
        os.close(source)


def _cut(data: bytes) -> bytes:
    """The first and the last half of what is too long: a traceback's cause is at its end."""
    if len(data) <= MAX_RECORD:
        return data
    half = MAX_RECORD // 2
    return data[:half] + f"{_CONTINUED}({len(data) - 2 * half} bytes left out){_CONTINUED}".encode() + data[-half:]
