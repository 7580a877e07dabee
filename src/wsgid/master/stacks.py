"""Where a child's faulthandler writes the stacks of its threads: a file in memory that the master reads.

Faulthandler makes many small writes, each a part of a line. Straight into the log, the stacks of workers that hang at
the same time, as they do when a database is down, would be mixed word by word. So each child has a file of its own, and
the log gets what is in it as one record. A pipe would not do: a child in a signal handler must never wait for a reader.
A file on the disk would: but it needs a path, which a jail or a full disk may not give.
"""

import fcntl
import os
import re
from typing import Final

from wsgid.channel.stack import shortened

MAX_STACKS = 1024 * 1024
"""Bytes kept of what was written between two readings. Faulthandler writes at most 100 threads with 100 frames each, a
line of about 100 bytes: more than this only comes from somebody who asks again and again."""


NO_CALL: Final = "<no Python frame>"
"""As faulthandler writes it."""


class Stacks:
    def __init__(self) -> None:
        """Raises OSError."""
        self.descriptor = os.memfd_create("wsgid-stacks", os.MFD_CLOEXEC)
        # Its end is where the child writes, also after it was made empty.
        fcntl.fcntl(self.descriptor, fcntl.F_SETFL, os.O_APPEND)
        self._read = self._seen = 0

    def grown(self) -> bool:
        """Is there more to read than at the last look?"""
        seen, self._seen = self._seen, self._size()
        return self._seen > max(seen, self._read)

    def read(self) -> str:
        """What has been written since the last time; ``""`` when it is nothing."""
        start, end = self._read, self._size()
        text = os.pread(self.descriptor, min(end - start, MAX_STACKS), start).decode(errors="replace").strip()
        if end - start > MAX_STACKS:
            text += f"\n({end - start - MAX_STACKS} bytes more are left out)"
        self._read = self._seen = end
        if end > MAX_STACKS:
            self._empty()
        return text

    def close(self) -> None:
        os.close(self.descriptor)

    def _size(self) -> int:
        return os.fstat(self.descriptor).st_size

    def _empty(self) -> None:
        # Not after each reading: what the child writes just now is lost.
        os.ftruncate(self.descriptor, 0)
        self._read = self._seen = 0


def of_thread(text: str, thread: int) -> str:
    """The latest stack of the thread with this identifier among those in the text, innermost call last; ``""`` when
    there is none, as faulthandler stops after 100 threads."""
    found = re.findall(rf"^(?:Current thread|Thread) 0x0*{thread:x}\b.*\n((?:  .*(?:\n|\Z))+)", text, re.MULTILINE)
    calls = [each for each in found[-1].splitlines() if NO_CALL not in each] if found else []
    return shortened("".join(f"{each}\n" for each in reversed(calls)))
