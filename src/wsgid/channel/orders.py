"""What master and dispatcher say to each other, one message a packet of a SOCK_SEQPACKET pair.

======== ==========================================================================================
by       messages
======== ==========================================================================================
dispatch Listening (once), Alive (every `HEARTBEAT` seconds), WorkerReady (each time a worker's last channel
         has said hello), WorkerLeaving, WornOut, Hung, Spent, StackWanted, RestartWanted, SizesWanted,
         Drained
master   WorkerDied, Retire, Adopt, StackWritten, RestartNews, Sizes, Drain, Exit
======== ==========================================================================================
"""

import enum
from collections.abc import Callable
from typing import Final

import msgspec

from wsgid.channel.policy import Policy

MAX_ORDER = 128 * 1024
"""Bytes of the largest message; the longest is RestartNews with a traceback (`MAX_NEWS`)."""

MAX_NEWS = 64 * 1024
"""Bytes of the text of a RestartNews, in UTF-8; what is longer is cut by whoever makes one."""

HEARTBEAT = 0.25
"""Seconds between two Alive of a dispatcher that is well."""


class Listening(msgspec.Struct, frozen=True, tag=True):
    """The edges are open."""

    addresses: list[str]
    """For people: ``http://127.0.0.1:8000``, ``mongrel2 tcp://127.0.0.1:7101 tcp://127.0.0.1:7102``."""


class Alive(msgspec.Struct, frozen=True, tag=True):
    """The event loop goes round."""

    queued: int
    """Requests that wait for a worker."""
    busy: int
    """Requests in the workers' hands."""


class WorkerReady(msgspec.Struct, frozen=True, tag=True):
    """This worker has loaded the application and may be given requests."""

    pid: int


class WorkerLeaving(msgspec.Struct, frozen=True, tag=True):
    """This worker has said that it wants to leave, as it does on SIGTERM: it finishes what it has."""

    pid: int


class WornOut(msgspec.Struct, frozen=True, tag=True):
    """This worker has served as many requests as one may (`--max-requests`). It goes on until it is told to retire."""

    pid: int
    why: str
    """``it has served 1042 requests``."""


class Hung(msgspec.Struct, frozen=True, tag=True):
    """A request of this worker has reached `--timeout`, or is killed by hand; its client has got 504, or 503. The
    worker gets nothing new. Its stacks are wanted in the log and a replacement at once; it has `Spent` or five seconds
    to live."""

    pid: int
    request: str
    """In the words of the log: method, target, id, age, client."""
    by_hand: bool = False
    """Somebody wants it so."""


class Spent(msgspec.Struct, frozen=True, tag=True):
    """This hung worker has nothing in its hands any more but what hangs: it can be killed."""

    pid: int


class StackWanted(msgspec.Struct, frozen=True, tag=True):
    """The stack of this thread is to be written down from outside, as its process does not answer."""

    pid: int
    thread: int
    """Its identifier."""


class RestartWanted(msgspec.Struct, frozen=True, tag=True):
    """Somebody has asked for a restart on the control socket, and waits for RestartNews."""


class SizesWanted(msgspec.Struct, frozen=True, tag=True):
    """How much memory do the daemon's processes hold?"""


class Drained(msgspec.Struct, frozen=True, tag=True):
    """Nothing is queued or in progress any more, and nothing new is taken."""

    unfinished: int
    """Requests that were refused or cut because the time for draining was over."""


class Cause(enum.StrEnum):
    """Why a worker has ended; `MEANINGS` explains each."""

    SIGNAL = enum.auto()
    MEMORY = enum.auto()
    EXIT = enum.auto()
    START = enum.auto()
    TIMEOUT = enum.auto()
    KILLED = enum.auto()
    LATE = enum.auto()
    MAX_REQUESTS = enum.auto()
    MAX_RSS = enum.auto()
    RESTART = enum.auto()
    ASKED = enum.auto()


MEANINGS: Final = {
    Cause.SIGNAL: "somebody, or a fault of its own, has killed it: `kill -9`, a segmentation fault",
    Cause.MEMORY: "the kernel has killed it for want of memory",
    Cause.EXIT: "it has ended of itself: the application called `os._exit`, say",
    Cause.START: "it has not become ready: the application could not be loaded, or not within `--start-timeout`",
    Cause.TIMEOUT: "a request of it has reached `--timeout`",
    Cause.KILLED: "a request of it was killed by hand (`wsgid request kill`)",
    Cause.LATE: "it was to leave, has not within `--graceful-timeout`, and was killed",
    Cause.MAX_REQUESTS: "it was replaced for `--max-requests`",
    Cause.MAX_RSS: "it was replaced for `--max-rss`",
    Cause.RESTART: "it was replaced by one with newer code and options",
    Cause.ASKED: "somebody has told it to leave, or that there be fewer workers, or that the daemon stop",
}


class WorkerDied(msgspec.Struct, frozen=True, tag=True):
    """The master has reaped this worker; the dispatcher logs it with the requests it held."""

    pid: int
    how: str
    """In words: ``killed by SIGKILL``, ``exited with code 3``, ``left``."""
    expected: bool
    """It had been asked to leave, or had said so itself and exited with code 0."""
    cause: Cause


class Retire(msgspec.Struct, frozen=True, tag=True):
    """Let this worker go: nothing new for it, its idle threads are released, the others after their answer. It may not
    have called yet: then it is released when it does."""

    pid: int


class Adopt(msgspec.Struct, frozen=True, tag=True):
    """Go by these options from now on."""

    policy: Policy


class StackWritten(msgspec.Struct, frozen=True, tag=True):
    """Answers StackWanted."""

    pid: int
    thread: int
    stack: str
    """The innermost call last, at most `MAX_STACK` bytes; ``""`` when the process has not written it."""


class RestartNews(msgspec.Struct, frozen=True, tag=True):
    """How the restart goes, for those who wait for it at the control socket."""

    text: str
    """``worker 2 of 4 is replaced``; at the end the outcome, with the traceback when it failed."""
    over: bool
    ok: bool
    """Meant only when it is over."""


class Sizes(msgspec.Struct, frozen=True, tag=True):
    """Answers SizesWanted: bytes of memory in RAM. The master tells, as in a jail nobody else can look."""

    master: int
    dispatcher: int
    workers: dict[int, int]
    """By pid; also those that load the application."""


class Drain(msgspec.Struct, frozen=True, tag=True):
    """Take nothing new, finish what is there, then say Drained."""

    seconds: float
    """After so long, refuse and cut what is left."""


class Exit(msgspec.Struct, frozen=True, tag=True):
    """End now."""


FromDispatcher = (
    Listening
    | Alive
    | WorkerReady
    | WorkerLeaving
    | WornOut
    | Hung
    | Spent
    | StackWanted
    | RestartWanted
    | SizesWanted
    | Drained
)
FromMaster = WorkerDied | Retire | Adopt | StackWritten | RestartNews | Sizes | Drain | Exit


class OrderError(Exception):
    """A packet that is no message of the other side's."""


encode = msgspec.msgpack.Encoder().encode
_from_dispatcher: Callable[[bytes], FromDispatcher] = msgspec.msgpack.Decoder[FromDispatcher](FromDispatcher).decode
_from_master: Callable[[bytes], FromMaster] = msgspec.msgpack.Decoder[FromMaster](FromMaster).decode

_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Text and depth have errors of their own."""


def decode_from_dispatcher(packet: bytes) -> FromDispatcher:
    """Raises OrderError."""
    try:
        return _from_dispatcher(packet)
    except _UNREADABLE as error:
        raise OrderError(str(error)) from None


def decode_from_master(packet: bytes) -> FromMaster:
    """Raises OrderError."""
    try:
        return _from_master(packet)
    except _UNREADABLE as error:
        raise OrderError(str(error)) from None
