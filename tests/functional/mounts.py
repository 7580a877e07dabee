"""Launchers: commands that give the command after them a table of mounts of its own (unshare(1))."""

import subprocess
import sys
from pathlib import Path

import wsgid

PRIVATE = ("unshare", "--mount", "--propagation", "private")


def possible() -> bool:
    """Not in most containers."""
    return subprocess.run([*PRIVATE, "true"], capture_output=True, check=False).returncode == 0


def bind(source: Path, target: Path) -> tuple[str, ...]:
    """What is at ``source`` is seen at ``target``, as a volume is in a container."""
    return _sh(f"mount --bind {source} {target}")


def read_only(folder: Path) -> tuple[str, ...]:
    return _sh(f"mount --bind {folder} {folder}", f"mount -o remount,bind,ro {folder}")


def readable_interpreter(scratch: Path) -> tuple[str, ...]:
    """Where Python or wsgid lie in a folder that is shut to others, such as root's home, everybody can reach them.
    There is then nothing else in that folder."""
    steps: list[str] = []
    wanted: dict[Path, list[Path]] = {}
    for path in (sys.base_prefix, sys.prefix, Path(wsgid.__file__).parents[1]):
        real = Path(path).resolve()
        if shut := shut_folder(real):
            wanted.setdefault(shut, []).append(real)
    for number, (shut, paths) in enumerate(wanted.items()):
        place = scratch / f"place{number}"
        steps += [f"mkdir -p {place}", f"mount -t tmpfs -o mode=755 tmpfs {place}"]
        for path in paths:
            inside = place / path.relative_to(shut)
            steps += [f"mkdir -p {inside}", f"mount --bind {path} {inside}"]
        steps += [f"mount --rbind {place} {shut}"]
    return _sh(*steps) if steps else ()


def shut_folder(path: Path) -> Path | None:
    """The first folder on the way there that others may not search."""
    return next((each for each in reversed(path.parents) if not each.stat().st_mode & 0o001), None)


def _sh(*steps: str) -> tuple[str, ...]:
    return (*PRIVATE, "sh", "-c", " && ".join(["umask 022", *steps, 'exec "$@"']), "sh")
