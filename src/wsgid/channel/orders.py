"""What master and dispatcher say to each other, one message a packet of a SOCK_SEQPACKET pair.

======== ==========================================================================================
by       messages
======== ==========================================================================================
dispatch Listening (once), WorkerReady (each time a worker's last channel has said hello), Drained
master   WorkerDied, Drain, Exit
======== ==========================================================================================
"""

import msgspec

MAX_ORDER = 64 * 1024
"""Bytes of the largest message; the longest is Listening with its addresses."""


class Listening(msgspec.Struct, frozen=True, tag=True):
    """The edges are open."""

    addresses: list[str]
    """For people: ``http://127.0.0.1:8000``, ``mongrel2 tcp://127.0.0.1:7101 tcp://127.0.0.1:7102``."""


class WorkerReady(msgspec.Struct, frozen=True, tag=True):
    """This worker has loaded the application and may be given requests."""

    pid: int


class Drained(msgspec.Struct, frozen=True, tag=True):
    """Nothing is queued or in progress any more, and nothing new is taken."""

    unfinished: int
    """Requests that were refused or cut because the time for draining was over."""


class WorkerDied(msgspec.Struct, frozen=True, tag=True):
    """The master has reaped this worker; the dispatcher logs it with the requests it held."""

    pid: int
    how: str
    """In words: ``killed by SIGKILL``, ``exited with code 3``, ``left``."""
    expected: bool
    """It had been asked to leave, or had said so itself and exited with code 0."""


class Drain(msgspec.Struct, frozen=True, tag=True):
    """Take nothing new, finish what is there, then say Drained."""

    seconds: float
    """After so long, refuse and cut what is left."""


class Exit(msgspec.Struct, frozen=True, tag=True):
    """End now."""


FromDispatcher = Listening | WorkerReady | Drained
FromMaster = WorkerDied | Drain | Exit

encode = msgspec.msgpack.Encoder().encode
decode_from_dispatcher = msgspec.msgpack.Decoder[FromDispatcher](FromDispatcher).decode
decode_from_master = msgspec.msgpack.Decoder[FromMaster](FromMaster).decode
