"""Where the access log goes to syslogd: a datagram for each line."""

import json
import os

from wsgid.logs.forms import cut, json_line
from wsgid.logs.syslog import INFORMATIONAL, MAX_TEXT, DatagramTooLong, Syslog


class LineRefused(Exception):
    """The first line will never be taken; the others may be."""


class AccessSyslog:
    """See `wsgid.dispatcher.access_log.Destination`."""

    __slots__ = ("_in_json", "_pid", "_syslog")

    within_line = False
    """Never: a datagram is taken wholly, or not at all."""

    def __init__(self, syslog: Syslog, in_json: bool) -> None:
        self._syslog = syslog
        self._in_json = in_json
        self._pid = os.getpid()

    def write(self, lines: bytearray) -> int:
        end = lines.index(b"\n") + 1
        line = self._fitting(bytes(lines[:end]))[:-1]
        try:
            return end if self._syslog.send(INFORMATIONAL, self._pid, line) else 0
        except DatagramTooLong:
            raise LineRefused from None

    def reopen(self) -> None:
        """There is no file."""

    def _fitting(self, line: bytes) -> bytes:
        """Without its middle, where it is longer than a datagram."""
        if len(line) <= MAX_TEXT:
            return line
        return json_line(json.loads(line), MAX_TEXT) if self._in_json else cut(line, MAX_TEXT).replace(b"\n    ", b" ")
