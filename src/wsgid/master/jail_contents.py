"""What of the machine is seen inside a jail, read-only: the interpreter, its packages, libraries, and little of /etc.

All of it keeps its path, so that ``sys.path``, ``ld.so.cache`` and symbolic links stay right. The processes in a jail
are forked, never executed, so nothing is needed for their start; but whatever the application imports or opens later.
Not there: ``/proc``, ``/sys``, programs beside the interpreter, accounts (``/etc/passwd``), other people's sockets.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
"""Shared libraries that modules are linked to, locales, and a distribution's own Python."""

DATA = ("/usr/share/zoneinfo", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates")
"""Time zones; and what ``/etc/ssl/certs`` points to."""

SETTINGS = (
    # shared libraries, and the links by which Debian chooses among several of a kind
    "/etc/ld.so.cache",
    "/etc/alternatives",
    # time and names
    "/etc/localtime",
    "/etc/timezone",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    # whom to trust over TLS: Debian's and Red Hat's places. Not /etc/ssl as a whole, which has private keys.
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/ca-trust/extracted",
    # mimetypes, which says what a static file is
    "/etc/mime.types",
)

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

SHARED_BY_THE_SYSTEM = ("/", "/usr", "/usr/local")
"""Prefixes that hold far more than an interpreter."""


@dataclass(frozen=True, slots=True)
class Sight:
    path: str
    """Where it is seen: its path outside, too."""
    source: str
    """Without symbolic links."""


def sights(start: str, environ: Mapping[str, str], app_path: Path) -> list[Sight]:
    """All of it that this machine has, none within another.

    `start` is the directory in which the command was called: Python puts it on ``sys.path`` without having been asked.
    """
    folders = [*_with_real_paths(_interpreter(start, environ)), *LIBRARIES, *DATA]
    outside = (each for each in folders if not _is_within(each, [str(app_path), os.path.realpath(app_path)]))
    present = (each for each in (*outside, *SETTINGS) if os.path.exists(each))
    return [Sight(each, os.path.realpath(each)) for each in _outermost(present)]


def devices() -> list[Sight]:
    return [Sight(each, each) for each in DEVICES if os.path.exists(each)]


def _interpreter(start: str, environ: Mapping[str, str]) -> list[str]:
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    asked_for = environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [each for each in sys.path if os.path.isabs(each) and (each != start or each in asked_for)]
    return [
        *(each for each in prefixes if each not in SHARED_BY_THE_SYSTEM),
        os.path.dirname(os.__file__),
        *paths,
        sys.executable,
        # Run from its source, wsgid itself may lie in the very directory that is left out above.
        str(Path(__file__).parents[1]),
    ]


def _with_real_paths(paths: Iterable[str]) -> list[str]:
    """An environment's python, say, is a symbolic link to the one that it was made with."""
    return [form for each in paths for form in (os.path.normpath(each), os.path.realpath(each))]


def _outermost(paths: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for each in sorted(set(paths), key=lambda path: (path.count("/"), path)):
        if not _is_within(each, kept):
            kept.append(each)
    return kept


def _is_within(path: str, folders: Iterable[str]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)
