"""The main log in a test's own folder."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsgid.config import Config
from wsgid.logs import RecordHandler, configure, log_file


@contextmanager
def logger_kept() -> Iterator[None]:
    """Afterwards the logger ``wsgid`` is as it was."""
    logger = logging.getLogger("wsgid")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    try:
        yield
    finally:
        for each in logger.handlers:
            if isinstance(each, RecordHandler) and each not in handlers:
                each.end()
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


def text_of(record: logging.LogRecord) -> str:
    """Of one that a test has caught: its message, and the traceback that it has beside it."""
    return "\n".join(part for part in (record.getMessage(), getattr(record, "traceback", "")) if part)


@contextmanager
def loggers_kept() -> Iterator[None]:
    """Afterwards those of them can speak that could before."""
    loggers = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    disabled = [each.disabled for each in loggers]
    try:
        yield
    finally:
        for each, before in zip(loggers, disabled, strict=True):
            each.disabled = before


@contextmanager
def worker_log(folder: Path) -> Iterator[Path]:
    """The file that a worker of this app folder logs to."""
    (folder / "logs").mkdir()
    config = Config(app_path=folder)
    with logger_kept():
        configure(config, "worker")
        yield log_file(config)
