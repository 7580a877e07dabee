"""Records onto a descriptor: a file, or a pipe or terminal whose reader may be slow."""

import contextlib
import logging
import os
from typing import Final

from wsgid.logs.forms import Form
from wsgid.logs.handler import RecordHandler
from wsgid.logs.outlet import STDERR, Outlet

CLOSED: Final = -1
"""No descriptor: a write to it fails."""

MAX_RECORD: Final = 64 * 1024
"""Bytes. A pipe's usual capacity, so that the reader of ``--stdout`` can take a record at once; no traceback of use is
longer, but a message that repeats a request's body may be."""


class DescriptorHandler(RecordHandler):
    """Writes each record with one write(2).

    One that may not block loses the records for which there is no room, and the middle of those too long for it.
    """

    def __init__(self, descriptor: int, form: Form, may_block: bool, outlet: Outlet | None = None) -> None:
        """``outlet``: of the same descriptor, for one that may not block."""
        super().__init__(form, may_block)
        self.descriptor = descriptor
        self._outlet = outlet or Outlet(descriptor)
        self._within_line = False
        """Of the last record that was not lost wholly only the beginning was taken."""

    def _write(self, record: logging.LogRecord) -> bool:
        most = MAX_RECORD if self._may_block else min(MAX_RECORD, self._outlet.room())
        if not most:
            return False
        data = b"\n" * self._within_line
        data += self._form.data(record, self.lost, most - len(data))
        taken = os.write(self.descriptor, data) if self._may_block else self._outlet.write(data)
        # The rest of a record is not written afterwards: by then another process may have written its own.
        self._within_line = taken < len(data) and (taken > 0 or self._within_line)
        return taken == len(data)

    def end(self) -> None:
        with self.lock or contextlib.nullcontext():
            if self.descriptor > STDERR:  # the standard ones are the process's, not ours
                os.close(self.descriptor)
            self.descriptor = CLOSED
            self._outlet = Outlet(CLOSED)
        super().end()
