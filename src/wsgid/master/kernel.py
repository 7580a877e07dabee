"""System calls that the standard library has no name for, by the C library. Most are for the start of a daemon."""

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CLONE_NEWNS = 0x00020000
"""From <sched.h>: a mount namespace of one's own. `os.unshare` came with Python 3.12."""

# From <sys/mount.h>, see mount(2) and umount(2).
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
MS_NOATIME, MS_NODIRATIME = 0x400, 0x800
MNT_DETACH = 0x2

_PR_SET_DUMPABLE = 4
"""From <sys/prctl.h>."""

_CAPABILITY_VERSION_3 = 0x20080522
"""From <linux/capability.h>: sets of 64 bits, in two halves."""

_UNCHANGED = 0xFFFFFFFF
"""No valid id: setfsuid(2) and setfsgid(2) then only tell the present one."""


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilityHalf(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def unshare(flags: int) -> None:
    """unshare(2). Raises OSError."""
    _call("unshare", ctypes.c_int(flags))


def mount(source: str, target: str, flags: int, *, kind: str = "none", data: str = "") -> None:
    """mount(2). Raises OSError, which names the source."""
    _call(
        "mount",
        os.fsencode(source),
        os.fsencode(target),
        os.fsencode(kind),
        ctypes.c_ulong(flags),
        data.encode() or None,
        about=source,
    )


def pivot_root(new_root: str, put_old: str) -> None:
    """pivot_root(2). Raises OSError."""
    _call("pivot_root", os.fsencode(new_root), os.fsencode(put_old))


def unmount(target: str, flags: int) -> None:
    """umount2(2). Raises OSError."""
    _call("umount2", os.fsencode(target), ctypes.c_int(flags))


def signal_main_thread(pid: int, number: int) -> None:
    """Sends a signal to the first thread of a process (tgkill(2)), where kill(2) lets the kernel choose among all.

    Raises OSError.
    """
    if hasattr(_libc(), "tgkill"):
        _call("tgkill", ctypes.c_int(pid), ctypes.c_int(pid), ctypes.c_int(number))
    else:  # a C library that keeps it to itself: musl, glibc before 2.30
        os.kill(pid, number)


def give_up_capabilities() -> None:
    """Empties the effective, permitted and inheritable set of this thread (capset(2)), and with them the ambient one.

    To leave user 0 does the same, unless whoever started us has switched that off (capabilities(7), "securebits").
    Raises OSError.
    """
    _call("capset", ctypes.byref(_CapabilityHeader(_CAPABILITY_VERSION_3, 0)), (_CapabilityHalf * 2)())


def allow_looking_in() -> None:
    """Lets this process's own user trace it and read its ``/proc``, and lets it dump core: the kernel forbids that to
    one that has changed its user (PR_SET_DUMPABLE in prctl(2)). Raises OSError."""
    _call("prctl", ctypes.c_int(_PR_SET_DUMPABLE), *(ctypes.c_ulong(each) for each in (1, 0, 0, 0)))


@contextmanager
def files_as(uid: int, gid: int) -> Iterator[None]:
    """Whatever is opened or made inside the block is so with the rights of this user, and belongs to them.

    By setfsuid(2) and setfsgid(2). For root that becomes somebody else there, the capabilities that overrule file
    permissions rest meanwhile, and no others (capabilities(7), "Effect of user ID changes"). Raises PermissionError
    when the system does not let us.
    """
    before = _set_file_ids(uid, gid)
    try:
        yield
    finally:
        _set_file_ids(*before)


def _set_file_ids(uid: int, gid: int) -> tuple[int, int]:
    """Gives the ids there were."""
    before = _exchange("setfsuid", uid), _exchange("setfsgid", gid)
    # Neither call tells whether it has worked.
    if (_exchange("setfsuid", _UNCHANGED), _exchange("setfsgid", _UNCHANGED)) != (uid, gid):
        raise PermissionError(errno.EPERM, f"the ids for files cannot be set to user {uid}, group {gid}")
    return before


def _exchange(name: str, value: int) -> int:
    function = getattr(_libc(), name)
    function.restype = ctypes.c_uint32
    return int(function(ctypes.c_uint32(value)))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any, about: str = "") -> None:
    if getattr(_libc(), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), about or name)
