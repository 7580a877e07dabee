"""``<pid>.pid`` files, one a process: what the commands and other people's scripts find a daemon by."""

import os
from pathlib import Path


class PidFolder:
    """``pid/master/`` or ``pid/worker/``, held open.

    A path would not do: ``current -> releases/7``, the app folder, may point elsewhere when a process ends.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def write(self, pid: int) -> None:
        """Whoever reads it finds the whole pid or no file. Raises OSError."""
        unfinished = _unfinished(pid)
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644, dir_fd=self._fd)
        with open(file, "w", encoding="ascii") as writer:
            writer.write(f"{pid}\n")
        os.replace(unfinished, f"{pid}.pid", src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def remove(self, pid: int) -> None:
        """Also one that its writer was killed over. No harm when there is none. Raises OSError."""
        for name in (f"{pid}.pid", _unfinished(pid)):
            try:
                os.unlink(name, dir_fd=self._fd)
            except FileNotFoundError:
                continue

    def close(self) -> None:
        os.close(self._fd)


def _unfinished(pid: int) -> str:
    return f".{pid}.new"
