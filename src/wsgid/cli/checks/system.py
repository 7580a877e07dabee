"""What the system grants: open files, a jail."""

import resource
from collections.abc import Iterator

from wsgid.cli.checks.findings import Finding, error, ok, refusal, warning
from wsgid.config import Config
from wsgid.master import jail_paths, kernel
from wsgid.master.errors import CannotStart
from wsgid.master.watcher import check_watchfiles

FILES = "open files"
JAIL = "chroot"

ENOUGH_FILES = 4096
"""Of which some 1,900 connections can have two each; systemd grants half a million, a shell often 1,024."""


def open_files() -> Finding:
    """The dispatcher takes the hard limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= ENOUGH_FILES:
        return ok(FILES, f"up to {'any number' if hard == resource.RLIM_INFINITY else hard}")
    return warning(
        FILES,
        f"only {hard} may be open at the same time, and each connection may need two",
        "raise the hard limit: ulimit -Hn, LimitNOFILE= of a unit, --ulimit of a container",
    )


def watched(config: Config) -> Iterator[Finding]:
    if config.reload and (missing := check_watchfiles()):
        yield refusal("options", missing)


def jail(config: Config) -> list[Finding]:
    """To be called in a process of its own, for it tries to get a table of mounts."""
    try:
        jail_paths.check(config)
        kernel.unshare(kernel.CLONE_NEWNS)
    except CannotStart as said:
        return [refusal(JAIL, said)]
    except OSError as failed:
        return [
            error(
                JAIL,
                f"the system does not let this process make a jail (unshare(2): {failed.strerror})",
                "it takes the capability CAP_SYS_ADMIN (docker run --cap-add SYS_ADMIN); or leave --chroot away, for a "
                "container is a jail itself",
            )
        ]
    return [ok(JAIL, "a jail can be made; the application was loaded outside of it")]
