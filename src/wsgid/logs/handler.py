"""What the handlers of the main log have in common: they never fail, and they count what is lost."""

import logging
from abc import abstractmethod

from wsgid.logs.forms import Form


class RecordHandler(logging.Handler):
    """Never fails: logging must not break what it tells about. `emit` needs no lock: at worst a loss is counted once
    too few."""

    def __init__(self, form: Form, may_block: bool) -> None:
        super().__init__()
        self._form = form
        self._may_block = may_block
        self.lost = 0
        """Records that could not be written, since the last one that could."""
        self.lost_ever = 0
        """The same, since the beginning."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            written = self._write(record)
        except OSError:  # the disk is full, or nobody has the pipe open: there is no place left to say so
            written = False
        self.lost = 0 if written else self.lost + 1
        self.lost_ever += not written

    @abstractmethod
    def _write(self, record: logging.LogRecord) -> bool:
        """Whether it could be written. Raises OSError."""

    def close(self) -> None:
        """Nothing: `logging.config` closes every handler there is when an application configures its own logging
        (Django does at each start), and the log must go on. See `end`."""

    def end(self) -> None:
        """For good. What comes later, from a thread that outlives the log, is lost."""
        super().close()
