"""What is said on the control socket: JSON, one value a line.

========== ========================================================================================
by         messages
========== ========================================================================================
command    one of Status, Restart, Requests, Kill, Trace;
           ``echo '{"type":"status"}' | nc -U run/4242/control.sock`` will do
dispatcher Report to Status; Noted, then News until one of it is over, to Restart; Listing to Requests; Killed
           or NotThere to Kill; Traced or NotThere to Trace; Refused to all else
========== ========================================================================================

Then the dispatcher closes the connection. JSON and not the channel's MessagePack, as people's own scripts may want to
ask, too.
"""

import enum
from collections.abc import Callable

import msgspec

from wsgid.channel.counts import Counts

MAX_COMMAND = 256
"""Bytes of a line that a command may say. The longest names a request, by an id of at most 128 characters
(`wsgid.protocol.request_id`); nesting that deep is nothing to the decoder."""

MAX_REPLY = 4 * 1024 * 1024
"""Bytes of a line that a command takes: room for a Report with `MAX_NAMED` requests and a thousand workers."""

MAX_NAMED = 1000
"""Requests that a Report names, the oldest: more than anyone reads, and little enough to be written in one go."""

MAX_TEXT = 256
"""Characters of a method, target or client in a Report or Listing; what is longer is cut. The log has the whole."""


class Status(msgspec.Struct, frozen=True, tag="status"):
    """How is it?"""


class Restart(msgspec.Struct, frozen=True, tag="restart"):
    """Replace the workers by ones with the code and the options that are on disk now. Whoever asks and then closes the
    connection is forgotten; the restart goes on."""


class Requests(msgspec.Struct, frozen=True, tag="requests"):
    """Which have not ended?"""

    id: str = ""
    """Only those that it names, wherever they are: the one of this key, else all of this id."""


class Kill(msgspec.Struct, frozen=True, tag="kill"):
    """End this request. Its client gets 503, its worker is replaced."""

    key: str


class Trace(msgspec.Struct, frozen=True, tag="trace"):
    """Where is the thread that serves this request?"""

    key: str


class WorkerState(enum.StrEnum):
    STARTING = enum.auto()
    """It loads the application."""
    READY = enum.auto()
    """It waits for a request."""
    BUSY = enum.auto()
    """It serves one or more."""
    LEAVING = enum.auto()
    """It finishes what it has, and gets nothing new."""
    HUNG = enum.auto()
    """A request of it has reached ``--timeout``: it is about to be killed."""


class Served(msgspec.Struct, frozen=True):
    """A request in a worker's hands. All text is printable ASCII, the rest escaped."""

    id: str
    """As in the logs."""
    method: str
    target: str
    client: str
    """Its address; ``""`` when it came over a UNIX socket."""
    age: float
    """Seconds since it arrived, those in the queue among them."""


class WorkerReport(msgspec.Struct, frozen=True):
    pid: int
    state: WorkerState
    threads: int
    """Those that have called."""
    busy: int
    """Threads that serve a request."""
    served: int
    """Requests that it has finished; the dispatcher counts them, a new one from 0."""
    serving: list[Served]


class Report(msgspec.Struct, frozen=True, tag="report"):
    """Answers Status."""

    dispatcher: int
    """Its process id."""
    addresses: list[str]
    """For people, as in the ready lines: ``http://127.0.0.1:8000``, ``mongrel2 tcp://... tcp://...``."""
    draining: bool
    """It takes nothing new: the daemon stops."""
    unfinished: int
    """Requests that have arrived and not ended: what is queued, in the workers' hands, or still on its way in."""
    queued: int
    """Requests that wait for a worker."""
    busy: int
    """Requests in the workers' hands."""
    workers: list[WorkerReport]
    """Those that have called."""
    unnamed: int
    """Requests in the workers' hands beyond the `MAX_NAMED` oldest."""
    longest_wait: float
    """Seconds since the first of the queue arrived; 0 when none waits."""
    counts: Counts
    metrics: list[str] = []
    """Where Prometheus and probes are answered, as `addresses`."""


class RequestState(enum.StrEnum):
    ARRIVING = enum.auto()
    """Its body is on the way, or one before it on its connection is not done."""
    QUEUED = enum.auto()
    """It waits for a worker."""
    ASKED = enum.auto()
    """A worker is asked, or is to be, whether its upload may go on."""
    RUNNING = enum.auto()
    """A worker has it in hand. Its client may have all of the answer, or be gone."""
    SENDING = enum.auto()
    """Its worker is done with it; the client has yet to take the rest of the answer."""


class Listed(msgspec.Struct, frozen=True):
    """A request. All text is printable ASCII, the rest escaped."""

    key: str
    """Names it alone, within the daemon's life."""
    id: str
    """As in the logs: the key, unless a front end has given another."""
    state: RequestState
    method: str
    target: str
    client: str
    """Its address; ``""`` when it came over a UNIX socket."""
    age: float
    """Seconds since it arrived."""
    wait: float
    """Seconds of these until a worker had it; all of them when none has had it yet."""
    worker: int | None
    """The process id of the worker that has it in hand."""
    thread: int | None
    """The identifier of the worker's thread, as in stacks."""


class Listing(msgspec.Struct, frozen=True, tag="listing"):
    """Answers Requests."""

    requests: list[Listed]
    """Those that a worker has in hand, the oldest first, then those in the queue, the first first: of each at most
    `MAX_NAMED`. Then those that are arriving or being sent, the oldest first, if the workers have fewer than that."""
    unnamed: int
    """Those beyond that."""


class Killed(msgspec.Struct, frozen=True, tag="killed"):
    """Answers Kill."""

    outcome: str
    """For its client, in the words of the log: ``answered with 503``."""
    worker: int | None
    """Which will be replaced; None when none had the request in hand."""


class Traced(msgspec.Struct, frozen=True, tag="traced"):
    """Answers Trace."""

    request: Listed
    stack: str
    """In the words of a traceback, the innermost call last."""
    from_outside: bool
    """The worker did not say it in time: a thread of it holds the interpreter lock, or it is starved. Without lines of
    source, and cut at faulthandler's limits."""


class NotThere(msgspec.Struct, frozen=True, tag="not-there"):
    """What is asked for cannot be done with this request where it is, or it is not there, or not any more."""

    why: str


class Noted(msgspec.Struct, frozen=True, tag="noted"):
    """The master has been told; News will follow."""


class News(msgspec.Struct, frozen=True, tag="news"):
    """How the restart goes: a RestartNews of the master's."""

    text: str
    over: bool
    ok: bool
    """Meant only when it is over."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Nothing comes of it."""

    why: str


Command = Status | Restart | Requests | Kill | Trace
Reply = Report | Noted | News | Listing | Killed | Traced | NotThere | Refused

_encode = msgspec.json.Encoder().encode

read_command: Callable[[bytes], Command] = msgspec.json.Decoder[Command](Command).decode
"""A line without its end. Raises ValueError (msgspec.DecodeError, UnicodeDecodeError), which says what is wrong."""

_decode_reply: Callable[[bytes], Reply] = msgspec.json.Decoder[Reply](Reply).decode


def read_reply(said: bytes) -> Reply:
    """As read_command."""
    try:
        return _decode_reply(said)
    except RecursionError as error:  # a line this long can go deeper than the decoder does
        raise ValueError(str(error)) from None


def line(said: Command | Reply) -> bytes:
    """With the end of the line."""
    return _encode(said) + b"\n"


class LineTooLong(ValueError):
    """Somebody says more than a line may have."""


class LineReader:
    """Bytes in, whole lines out."""

    def __init__(self, most: int) -> None:
        """`most` bytes of a line."""
        self._most = most
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Without their ends. Raises LineTooLong."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        if any(len(each) > self._most for each in (*lines, rest)):
            raise LineTooLong(f"a line has more than {self._most} bytes")
        return [bytes(each) for each in lines]
