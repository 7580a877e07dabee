"""The main log: one line a record, from several processes into one file, onto standard output or to syslogd.

Each process appends by itself: a record is one write(2) on a descriptor opened with O_APPEND, which local file systems
keep in one piece, so neither a lock nor a process for logging is needed. Buffering streams are not used: they may cut a
record in two, and after a fork they write it twice.
"""

import io
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from wsgid.config import Config
from wsgid.logs.descriptors import MAX_RECORD, DescriptorHandler
from wsgid.logs.forms import FORMS, About
from wsgid.logs.handler import RecordHandler
from wsgid.logs.outlet import STDERR, STDIN, STDOUT, Outlet
from wsgid.logs.syslog import FORMS as SYSLOG_FORMS
from wsgid.logs.syslog import Syslog, SyslogHandler

MODE = 0o640
"""The log repeats what clients send: the owner and their group read it, as most of /var/log."""

_logger = logging.getLogger("wsgid")

_stdout = Outlet(STDOUT)

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
    handler = _handler(config, role)
    earlier, _logger.handlers[:] = _logger.handlers[:], [handler]
    for each in earlier:
        if isinstance(each, RecordHandler):
            each.end()
    _logger.propagate = False
    _logger.setLevel(logging.DEBUG if config.debug else logging.INFO)


def _handler(config: Config, role: str) -> RecordHandler:
    """Raises OSError."""
    may_block = role == "worker"
    if config.syslog is not None:
        # The same for all processes: where there is a jail, no child could open it again.
        way = syslog() or Syslog(config.syslog, config.syslog_facility, config.syslog_tag)
        return SyslogHandler(way, SYSLOG_FORMS[config.log_format](role), may_block)
    form = FORMS[config.log_format](role)
    if config.stdout:
        return DescriptorHandler(STDOUT, form, may_block, stdout())
    return DescriptorHandler(open_log(config), form, may_block)


def open_stdout() -> None:
    """Makes `stdout` one whose writes do not wait, here and in all processes that are forked from this one; see
    `Outlet.open`. Raises OSError when there is no standard output."""
    _stdout.open()


def stdout() -> Outlet:
    """The standard output, for ``--stdout``."""
    return _stdout


def syslog() -> Syslog | None:
    """Where the records go, if they go to syslogd."""
    return next((each.syslog for each in _logger.handlers if isinstance(each, SyslogHandler)), None)


def descriptor() -> int:
    """What the log's records are written to; it stays the same number when the log is reopened. Standard error before
    `configure`, as logging itself does it."""
    for each in _logger.handlers:
        if isinstance(each, DescriptorHandler):
            return each.descriptor
    return STDERR


def lost() -> int:
    """Records of this process that could not be written."""
    return sum(each.lost_ever for each in _logger.handlers if isinstance(each, RecordHandler))


def reopen(config: Config) -> None:
    """Writes to the file that has the log's name now, after somebody has moved the old one away. Nothing where there is
    no file (``--stdout``, ``--syslog``), or when it is still the same.

    Standard output and error follow when they were redirected to the log. A record that another thread writes meanwhile
    goes to one file or the other. When the new file cannot be opened the old one stays in use and says so. To be called
    after `configure`.
    """
    # Before the file is opened: it may get the number of one that the application has closed.
    standard = [each for each in (STDOUT, STDERR) if _is_redirected(each)]
    own = [] if config.stdout or config.syslog else [descriptor()]
    if not (standard or own):
        return
    try:
        fresh = open_log(config)
    except OSError as error:
        _logger.error("the log is not reopened, and goes on in the old file: %s", error)
        return
    if not all(os.path.sameopenfile(fresh, each) for each in (*own, *standard)):
        if standard:
            _redirected[:] = [os.fstat(fresh)]
        for each in standard:
            os.dup2(fresh, each)
        for each in own:
            os.dup2(fresh, each, inheritable=False)
        _logger.info("the log is reopened")
    os.close(fresh)


def enable_again() -> None:
    """Lets our loggers speak after the application was loaded, or has run: what it configures logging with disables all
    others there are, unless it says otherwise (``disable_existing_loggers``)."""
    # A copy, which is one step of the interpreter: other threads make loggers.
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if f"{name}.".startswith("wsgid.") and isinstance(logger, logging.Logger):
            logger.disabled = False


def about(request_id: str = "", worker: int = 0, traceback: str = "") -> About:
    """The ``extra`` of a record that knows this: fields of their own where records are JSON."""
    extra: About = {}
    if request_id:
        extra["request_id"] = request_id
    if worker:
        extra["worker"] = worker
    if traceback:
        extra["traceback"] = traceback
    return extra


def write_record(level: int, text: str, extra: About) -> None:
    """Writes one record past `logging`: without its locks, and whatever has become of its loggers.

    For what runs among the application's code, where an interruption may strike between any two lines
    (`wsgid.worker.interrupt`): a lock that is not given back would silence all threads, and so end the process.
    """
    for each in _logger.handlers:
        if isinstance(each, RecordHandler):
            each.emit(_record(level, text, extra))


def line(config: Config, role: str, level: int, text: str) -> str:
    """A record for a place where there is no log, or none yet, with its line end."""
    return FORMS[config.log_format](role).data(_record(level, text, {}), 0, MAX_RECORD).decode()


def _record(level: int, text: str, extra: About) -> logging.LogRecord:
    record = logging.LogRecord(_logger.name, level, "", 0, text, (), None)
    record.__dict__.update(extra)
    return record


def redirect_stdio(config: Config) -> None:
    """Cuts a detached process off the terminal: what the application prints goes to the log's file.

    With ``--stdout`` it goes to the standard output as it is, and standard error joins it. To syslogd it does not go:
    that takes datagrams, and nobody says where one of what is printed would end. Raises OSError.
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


def has_file(config: Config) -> bool:
    """For records, or for what is printed."""
    return not config.stdout and (config.syslog is None or not config.no_daemon)


def log_file(config: Config) -> Path:
    return config.app_path / "logs" / "wsgid.log"


def open_log(config: Config) -> int:
    """A new descriptor for appending to the log file. Raises OSError, which names the file."""
    return os.open(log_file(config), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)


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
