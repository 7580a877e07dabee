"""A file that tells whether anybody has opened, changed or removed it: inotify(7), for which the standard library has
no name."""

import ctypes
import os
import struct
from pathlib import Path

IN_ATTRIB, IN_OPEN, IN_DELETE_SELF, IN_MOVE_SELF = 0x4, 0x20, 0x400, 0x800
"""From <sys/inotify.h>. Losing one of its names is a change of a file's attributes."""

EVENT = struct.Struct("iIII")

_C = ctypes.CDLL(None, use_errno=True)


class Watched:
    """A plain file with a secret in it."""

    SECRET = b"root:x:0:0: nobody's business\n"

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        path.write_bytes(self.SECRET)
        self.path = path
        self._inotify = _C.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        wanted = IN_ATTRIB | IN_OPEN | IN_DELETE_SELF | IN_MOVE_SELF
        if self._inotify < 0 or _C.inotify_add_watch(self._inotify, bytes(path), wanted) < 0:
            raise OSError(ctypes.get_errno(), "inotify", str(path))

    def happened(self) -> list[int]:
        """What has been done to it since the last time."""
        try:
            data = os.read(self._inotify, 4096)
        except BlockingIOError:
            return []
        return [EVENT.unpack_from(data, offset)[1] for offset in range(0, len(data), EVENT.size)]

    def close(self) -> None:
        os.close(self._inotify)
