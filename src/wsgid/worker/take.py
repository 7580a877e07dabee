"""The life of one thread: it calls the dispatcher, then takes and serves one request at a time until it is released."""

import logging
import os
import threading
from dataclasses import dataclass, field
from typing import Final
from wsgiref.types import WSGIApplication

from wsgid.channel.frames import FrameError, Hello, Role
from wsgid.worker.channel import Asked, Channel, connect
from wsgid.worker.environ import Environ
from wsgid.worker.errors import DispatcherGone
from wsgid.worker.filters import Filters
from wsgid.worker.filters.admission import UploadFilters
from wsgid.worker.in_hand import InHand
from wsgid.worker.serve import serve

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.01
LONGEST_PAUSE: Final = 0.25
"""Seconds between two calls while there is no dispatcher, doubled each time. A new one is up in some tenths of a
second; that all threads of all workers look for it four times a second costs nothing."""


@dataclass(frozen=True, slots=True)
class Taker:
    """What the threads of a worker have in common."""

    application: WSGIApplication
    template: Environ
    filters: Filters | None
    upload_filters: UploadFilters
    in_hand: InHand
    run_path: str
    """The directory with the dispatcher's socket."""
    threads: int
    """How many of them there are."""
    leaving: threading.Event
    """Set when this process is to end: nobody waits for a dispatcher any more."""
    pid: int = field(default_factory=os.getpid)
    channels: dict[int, Channel] = field(default_factory=dict)
    """The open channel of each thread."""

    def close(self) -> None:
        """Closes all channels, in a process that the application forked."""
        for channel in self.channels.values():
            channel.close()

    def take_requests(self, thread: int) -> None:
        """Returns when the dispatcher has released the thread, or is gone while the process is leaving."""
        while (channel := self._call(thread)) is not None:
            try:
                self._serve_all(channel)
                return
            except DispatcherGone as error:
                log.debug("thread %d: %s; calling again", thread, error)
            except FrameError as error:
                log.error("thread %d: the dispatcher broke the channel's rules: %s; calling again", thread, error)
            except Exception:  # what the application raises does not come here: see serve
                # The channel's end gives the request's client its 502, and the thread lives on for the others.
                log.exception("thread %d: a fault in wsgid itself; calling again", thread)
            finally:
                del self.channels[thread]
                channel.close()

    def _serve_all(self, channel: Channel) -> None:
        while (taken := channel.take()) is not None:
            if isinstance(taken, Asked):
                channel.send(self.upload_filters.answer(taken.request, self.in_hand))
                continue
            request, descriptor = taken
            serve(self.application, request, descriptor, channel.outlet, self.template, self.in_hand, self.filters)

    def _call(self, thread: int) -> Channel | None:
        """Waits for a dispatcher. None when the process is leaving."""
        if os.getpid() != self.pid:
            log.error(
                "a process that the application forked came back from it into wsgid: it should end with os._exit()"
            )
            return None
        hello = Hello(self.pid, Role.CHANNEL, thread, self.threads, bool(self.upload_filters), threading.get_ident())
        pause = 0.0
        while not self.leaving.wait(pause):
            try:
                channel = self.channels[thread] = Channel(connect(self.run_path, hello))
            except OSError as error:
                log.debug("thread %d: no dispatcher yet: %s", thread, error)
                pause = next_pause(pause)
            else:
                return channel
        return None


def next_pause(pause: float) -> float:
    return min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
