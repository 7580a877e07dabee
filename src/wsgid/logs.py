"""The main log: one line a record, from several processes into one file or onto standard output.

Each process appends by itself: a record is one write(2) on a descriptor opened with O_APPEND, which local file systems
keep in one piece, so neither a lock nor a process for logging is needed. Buffering streams are not used: they may cut a
record in two, and after a fork they write it twice.
"""

import contextlib
import fcntl
import io
import logging
import os
import select
import stat
import struct
import sys
import termios
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

_CUT_MARK = 64
"""Bytes, at most, of the words that stand for what a record too long has lost."""

_CONTINUED = "\n    "
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"} | {
    ord("\n"): _CONTINUED,
    0x2028: "\\u2028",  # Unicode's ends of lines and paragraphs, which many a reader of logs knows
    0x2029: "\\u2029",
}
"""Only the first line of a record begins with a date: a client whose header holds a line end cannot forge a record, nor
one with escape sequences (C0 and C1 controls) take the terminal of whoever reads the log."""

_logger = logging.getLogger("wsgid")

_redirected: list[os.stat_result] = []
"""The log file that `redirect_stdio` has put on the standard output and standard error, here or in the process that
this one was forked from; none when it has not."""


def configure(config: Config, role: str) -> None:
    """Sends the records of the logger ``wsgid`` and its children to where ``config`` says, from now on.

    To be called in each process, after its fork; ``role`` (``master``, ``dispatcher``, ``worker``) tells its lines from
    those of the others. Only a worker waits for whoever reads the standard output: a dispatcher or a master that
    did would hold up all the others. Raises OSError, which names the file, when it cannot be opened; the log is then
    as before.
    """
    handler = DescriptorHandler(STDOUT if config.stdout else open_log(config), may_block=role == "worker")
    handler.setFormatter(OneRecord(role))
    earlier, _logger.handlers[:] = _logger.handlers[:], [handler]
    for each in earlier:
        if isinstance(each, DescriptorHandler):
            each.close_descriptor()
    _logger.propagate = False
    _logger.setLevel(logging.DEBUG if config.debug else logging.INFO)


def descriptor() -> int:
    """What the log's records are written to; it stays the same number when the log is reopened. Standard error before
    `configure`, as logging itself does it."""
    for each in _logger.handlers:
        if isinstance(each, DescriptorHandler):
            return each.descriptor
    return STDERR


def reopen(config: Config) -> None:
    """Writes to the file that has the log's name now, after somebody has moved the old one away. Nothing with
    ``--stdout``, or when the file is still the same.

    Standard output and error follow when they were redirected to the log. A record that another thread writes meanwhile
    goes to one file or the other. When the new file cannot be opened the old one stays in use and says so. To be called
    after `configure`.
    """
    if config.stdout:
        return
    # Before the file is opened: it may get the number of one that the application has closed.
    standard = [each for each in (STDOUT, STDERR) if _is_redirected(each)]
    try:
        fresh = open_log(config)
    except OSError as error:
        _logger.error("the log is not reopened, and goes on in the old file: %s", error)
        return
    if not all(os.path.sameopenfile(fresh, each) for each in (descriptor(), *standard)):
        if standard:
            _redirected[:] = [os.fstat(fresh)]
        for each in standard:
            os.dup2(fresh, each)
        os.dup2(fresh, descriptor(), inheritable=False)
        _logger.info("the log is reopened")
    os.close(fresh)


def enable_again() -> None:
    """Lets our loggers speak after the application was loaded, or has run: what it configures logging with disables all
    others there are, unless it says otherwise (``disable_existing_loggers``)."""
    # A copy, which is one step of the interpreter: other threads make loggers.
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if f"{name}.".startswith("wsgid.") and isinstance(logger, logging.Logger):
            logger.disabled = False


def write_record(level: int, text: str) -> None:
    """Writes one record past `logging`: without its locks, and whatever has become of its loggers.

    For what runs among the application's code, where an interruption may strike between any two lines
    (`wsgid.worker.interrupt`): a lock that is not given back would silence all threads, and so end the process.
    """
    for each in _logger.handlers:
        if isinstance(each, DescriptorHandler):
            each.emit(logging.LogRecord(_logger.name, level, "", 0, text, (), None))


def redirect_stdio(config: Config) -> None:
    """Cuts a detached process off the terminal: what the application prints goes where the log goes.

    With ``--stdout`` that is the standard output as it is, and standard error joins it. Raises OSError.
    """
    print_by_lines()
    _replace(os.open(os.devnull, os.O_RDONLY), (STDIN,))
    if config.stdout:
        os.dup2(STDOUT, STDERR)
    else:
        log = open_log(config)
        _redirected[:] = [os.fstat(log)]
        _replace(log, (STDOUT, STDERR))


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


def room(descriptor: int) -> int:
    """Bytes that can be written at once without waiting for a reader; 0 when there is no room now. Raises OSError.

    That a pipe is ready for writing promises room for PIPE_BUF bytes (Linux, pipe(7)); sockets have more. A pipe in
    which nothing waits takes as much as it holds: the stacks of a worker are longer than PIPE_BUF.

    Another process that writes into the same pipe may take the room before we do. Then we wait after all, for as long
    as nobody reads: that is rare, and O_NONBLOCK, which would rule it out, would be set for whoever shares the pipe
    with us, also for programs that cannot do with it.
    """
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return sys.maxsize
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    # An error (POLLERR: nobody has the pipe open for reading) counts as room: the write will say which.
    if not poll.poll(0):
        return 0
    return max(select.PIPE_BUF, _capacity(descriptor))


def _capacity(descriptor: int) -> int:
    """Bytes that a pipe holds (F_GETPIPE_SZ of fcntl(2)); 0 when something waits in it, and of what is no pipe."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return 0
    [waiting] = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))
    return 0 if waiting else fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)


class OneRecord(logging.Formatter):
    """``2026-11-21 07:33:24,123 INFO  worker[1234] text``, further lines indented."""

    def __init__(self, role: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)-5s {role}[%(process)d] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(_CONTROLS)


class DescriptorHandler(logging.Handler):
    """Writes each record with one write(2), and never fails: logging must not break what it tells about. `emit` needs
    no lock: at worst a loss is counted once too few.

    One that may not block loses the records for which there is no `room`, and the middle of those too long for it.
    """

    def __init__(self, descriptor: int, may_block: bool) -> None:
        super().__init__()
        self.descriptor = descriptor
        self._may_block = may_block
        self.lost = 0
        """Records that could not be written, since the last one that could."""

    def emit(self, record: logging.LogRecord) -> None:
        data = self._text(record).encode("utf-8", "backslashreplace") + b"\n"
        if self.lost:
            data = f"({self.lost} records before this one could not be written)\n".encode() + data
        try:
            written = self._write(data)
        except OSError:  # the disk is full, or nobody has the pipe open: there is no place left to say so
            written = False
        self.lost = 0 if written else self.lost + 1

    def _write(self, data: bytes) -> bool:
        """Whether it could be written. Raises OSError."""
        most = MAX_RECORD if self._may_block else min(MAX_RECORD, room(self.descriptor))
        if not most:
            return False
        data = _cut(data, most)
        # The rest of a record is not written afterwards: by then another process may have written its own.
        return os.write(self.descriptor, data) == len(data)

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


def _is_redirected(standard: int) -> bool:
    """Whether this is still the log that we put there: the application may have put something else. Its file is not
    compared with that of the records, which a child opens anew, perhaps after the old one has been moved away."""
    try:
        return any(os.path.samestat(os.fstat(standard), each) for each in _redirected)
    except OSError:  # the application has closed it
        return False


def _replace(source: int, targets: Iterable[int]) -> None:
    """Makes ``targets`` the same as ``source``, and closes it unless it is one of the standard descriptors."""
    for target in targets:
        os.dup2(source, target)
        os.set_inheritable(target, True)  # dup2 leaves it alone where source and target are the same
    if source > STDERR:
        os.close(source)


def _cut(data: bytes, most: int) -> bytes:
    """The first and the last half of what is longer than ``most`` bytes: a traceback's cause is at its end."""
    if len(data) <= most:
        return data
    half = (most - _CUT_MARK) // 2
    return data[:half] + f"{_CONTINUED}({len(data) - 2 * half} bytes left out){_CONTINUED}".encode() + data[-half:]
