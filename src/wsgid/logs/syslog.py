"""``--syslog``: records and lines as datagrams to syslogd, each of them one.

On a socket of the machine's own they have the form that syslog(3) gives them, which every syslogd reads from there; by
UDP that of RFC 5424. Nobody waits for syslogd: it may be away, be started anew, or not keep up. The socket is the
master's, and by the fork that of all its children: connected before rights are dropped, and before the way to it is
closed by ``--chroot``.
"""

import errno
import logging
import os
import select
import socket
import time
from typing import Final

from wsgid.addresses import UnixAddress, parse_bind
from wsgid.logs.forms import BriefForm, Form, JsonForm
from wsgid.logs.handler import RecordHandler

FACILITIES: Final = {"user": 1, "daemon": 3, **{f"local{number}": 16 + number for number in range(8)}}
"""By the values of ``--syslog-facility``: RFC 5424 section 6.2.1. The others belong to parts of the system."""

_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""By the least level."""
INFORMATIONAL: Final = 6
DEBUG: Final = 7

MAX_DATAGRAM: Final = 8 * 1024
"""Bytes: rsyslog's own limit, if it is not told another. What RFC 5424 asks of receivers is less, 2048."""

MAX_HEADER: Final = 512
"""Bytes, more than the part before the text has: the longest of it is the host's name, at most 255 (RFC 5424)."""

MAX_TEXT: Final = MAX_DATAGRAM - MAX_HEADER

PATIENCE: Final = 0.1
"""Seconds that a worker waits for a syslogd that does not keep up: the queue of a UNIX socket holds few datagrams
(net.unix.max_dgram_qlen, 10 as the kernel has it), fewer than the records of a bad moment."""

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not strftime's, which are in the language of the locale."""


class DatagramTooLong(OSError):
    """For the socket's buffer, or the network: it would not be sent later either, as others would."""


class Syslog:
    """The way to one syslogd. Any thread and, after a fork, any process may use it."""

    def __init__(self, address: str, facility: str, tag: str) -> None:
        """Raises socket.gaierror when a host has no address. It need not be there."""
        where = parse_bind(address)
        self._path = where.path if isinstance(where, UnixAddress) else ""
        self._facility = FACILITIES[facility]
        self._tag = tag
        self._host = socket.gethostname() or "-"
        if isinstance(where, UnixAddress):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        else:
            self._socket, self._address = _by_udp(where.host, where.port)
        self._socket.setblocking(False)

    def problem(self) -> str:
        """Why nobody hears what is said, as far as can be known; ``""`` when somebody seems to."""
        if not self._path:
            return ""
        try:
            self._socket.connect(self._path)
        except OSError as error:
            return f"{self._path}: {error.strerror}"
        return ""

    def send(self, severity: int, pid: int, text: bytes) -> bool:
        """At most MAX_TEXT. False: there is no room now, or nobody listens. Raises DatagramTooLong."""
        data = self._header(severity, pid) + text
        if not self._path:
            return self._sent_by_udp(data)
        try:
            return self._sent(data)
        except BlockingIOError:
            return False
        except OSError as error:
            _raise_too_long(error)
        # It is not connected yet, or whoever has listened has ended: their successor has a socket of the same name.
        try:
            self._socket.connect(self._path)
            return self._sent(data)
        except OSError:
            return False

    def wait(self, seconds: float) -> None:
        """Until there may be room."""
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        poll.poll(seconds * 1000)

    def _sent(self, data: bytes) -> bool:
        return self._socket.send(data) == len(data)

    def _sent_by_udp(self, data: bytes) -> bool:
        try:
            return self._socket.sendto(data, self._address) == len(data)
        except OSError as error:
            _raise_too_long(error)
            return False  # the network is not there now

    def _header(self, severity: int, pid: int) -> bytes:
        priority = self._facility * 8 + severity
        if self._path:
            now = time.localtime()
            date = f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2} {now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02}"
            return f"<{priority}>{date} {self._tag}[{pid}]: ".encode()
        moment = time.time()
        date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
        return f"<{priority}>1 {date}.{int(moment % 1 * 1000):03}Z {self._host} {self._tag} {pid} - - ".encode()


class SyslogHandler(RecordHandler):
    """Each record is a datagram. One that may block waits a moment for a syslogd that does not keep up, once until that
    takes something again."""

    def __init__(self, syslog: Syslog, form: Form, may_block: bool) -> None:
        super().__init__(form, may_block)
        self.syslog = syslog

    def _write(self, record: logging.LogRecord) -> bool:
        text = self._form.data(record, self.lost, MAX_TEXT)[:-1]
        sent = self._send(record, text)
        if not sent and self._may_block and not self.lost:
            self.syslog.wait(PATIENCE)
            sent = self._send(record, text)
        return sent

    def _send(self, record: logging.LogRecord, text: bytes) -> bool:
        return self.syslog.send(severity(record.levelno), record.process or os.getpid(), text)


FORMS: Final[dict[str, type[Form]]] = {"text": BriefForm, "json": JsonForm}
"""By the values of ``--log-format``: what the header of a datagram says need not be said again."""


def severity(level: int) -> int:
    """Of a level of `logging`."""
    return next((each for least, each in _SEVERITIES if level >= least), DEBUG)


def _raise_too_long(error: OSError) -> None:
    if error.errno == errno.EMSGSIZE:
        raise DatagramTooLong(error.errno, error.strerror) from None


def _by_udp(host: str, port: int) -> tuple[socket.socket, tuple[object, ...]]:
    """Resolved once: while the daemon serves, nobody waits for a name server. Raises socket.gaierror, an OSError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except UnicodeError:  # of the codec "idna", for a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "not the name of a host") from None
    return socket.socket(family, kind, protocol), address
