"""``wsgi.errors``: what the application writes there becomes records of the main log, which name its request.

Text is kept until its line is whole. The lines that one write completes are one record, so that a traceback that a
handler of `logging` writes stays together.

An interruption (`wsgid.worker.interrupt`) may strike here: this is called by the application's code. So a record is
written without the locks of `logging` (see `wsgid.logs.write_record`), and the one lock there is is held while nothing
is called.
"""

import io
import logging
from collections.abc import Iterable
from threading import Lock
from typing import ClassVar, Final, NoReturn

import msgspec

from wsgid.logs import about, write_record
from wsgid.worker.checks import shown

LEVEL: Final = logging.ERROR
"""As Apache's mod_wsgi has it: PEP 3333 has the stream for "program or other errors"."""

MAX_UNFINISHED: Final = 16 * 1024
"""Characters of a line without an end. More of them are written as they are: no line that is meant to be read is as
long, and nobody's memory fills with dots of progress."""

_changing: Final = Lock()
"""For the text that any stream keeps; one for each would cost each request as much as all the rest of its stream.

Nothing is called while it is held. A call could run a signal's handler, or a finalizer, of the application: that may
write as well, and would wait for itself. And it is there that an interruption strikes, or another thread forks.
"""


class ErrorsStream(msgspec.Struct, eq=False):
    """A text stream for writing (PEP 3333, "Input and Error Streams"), one for each request.

    Any thread may use it, also after the request has ended. It is never closed. Nothing here fails but for what is no
    text: what cannot be written is lost, as other records are.
    """

    name: ClassVar[str] = "<wsgi.errors>"
    encoding: ClassVar[str] = "utf-8"
    errors: ClassVar[str] = "backslashreplace"
    closed: ClassVar[bool] = False

    _request_id: str
    _unfinished: str = ""

    def write(self, text: str) -> int:
        """The number of characters. Raises TypeError for what is no str."""
        text = _plain(text)
        end = text.rfind("\n") + 1
        lines, rest = text[:end], text[end:]
        with _changing:
            if end:
                lines = self._unfinished + lines
                self._unfinished = rest
            else:
                self._unfinished += rest
        if end:
            self._tell(lines)
        if len(self._unfinished) > MAX_UNFINISHED:
            self.flush()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """As one write. Raises TypeError for what is no str."""
        self.write("".join([_plain(line) for line in lines]))

    def flush(self) -> None:
        """Writes what there is of a line. It is called at the end of the request, too."""
        if self._unfinished:
            with _changing:
                text = self._unfinished
                self._unfinished = ""
            self._tell(text)

    def close(self) -> None:
        """PEP 3333 forbids it; whoever does it, by `contextlib.closing` for one, wants no more than this."""
        self.flush()

    def isatty(self) -> bool:
        """Asked by those who write in colour."""
        return False

    def fileno(self) -> NoReturn:
        raise io.UnsupportedOperation("wsgi.errors is no file of the system: give a subprocess sys.stderr instead")

    def _tell(self, text: str) -> None:
        if text := text.strip("\n"):
            write_record(LEVEL, f"request {self._request_id}: {text}", about(self._request_id))


def _plain(text: object) -> str:
    """Without what a subclass of str may do (markupsafe's Markup escapes what it is added to). Raises TypeError."""
    if not isinstance(text, str):
        remedy = "decode it: data.decode()" if isinstance(text, bytes) else "make it text: str(value)"
        raise TypeError(f"PEP 3333: wsgi.errors takes str; the application wrote {shown(text)}; {remedy}")
    return str.__str__(text)
