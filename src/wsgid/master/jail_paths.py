"""Which options can be had together with ``--chroot``, and how a path in the app folder is called in the jail."""

import os
from pathlib import Path

from wsgid.addresses import UnixAddress, parse_bind
from wsgid.config import Config
from wsgid.master.errors import CannotStart
from wsgid.master.rights import ROOT

INSIDE = Path("/")
"""The app folder, seen from inside."""


def check(config: Config) -> None:
    """Raises CannotStart when the options cannot be had together with a jail."""
    if os.geteuid() != ROOT:
        raise CannotStart(
            "--chroot: only root can make a jail, and this process is not root's: start wsgid as root, it will become "
            "the owner of the app folder, or --user; or leave --chroot away"
        )
    if os.path.realpath(config.app_path) == "/":
        raise CannotStart(
            "--chroot: the app folder is / already: leave --chroot away, or put the application elsewhere"
        )
    for option, path in _paths(config):
        if not is_inside(path, config.app_path):
            raise CannotStart(
                f"{option}: {path} lies outside the app folder, where --chroot lets nobody go: "
                f"choose a path in {config.app_path}" + (", or tcp://" if option in ("--recv", "--send") else "")
            )


def is_inside(path: str, app_path: Path) -> bool:
    """Is it in the app folder, and can it be seen to be so by its name alone?"""
    real = os.path.realpath(app_path)
    named = any(Path(os.path.normpath(path)).is_relative_to(each) for each in (app_path, real))
    return named and Path(os.path.realpath(path)).is_relative_to(real)


def seen_from_inside(path: Path, app_path: Path) -> Path:
    """A short name for what lies in the app folder: sockets' addresses hold 107 bytes."""
    return INSIDE / Path(os.path.realpath(path)).relative_to(os.path.realpath(app_path))


def _paths(config: Config) -> list[tuple[str, str]]:
    """The paths among the options that must be reached from inside."""
    # Of sockets that are open already because their files are removed at the end.
    opened = (("--bind", config.bind), ("--metrics", config.metrics))
    addresses = ((option, parse_bind(each)) for option, binds in opened for each in binds)
    found = [(option, each.path) for option, each in addresses if isinstance(each, UnixAddress)]
    for option, endpoints in (("--recv", config.recv), ("--send", config.send)):
        ipc = (each.removeprefix("ipc://") for each in endpoints if each.startswith("ipc://"))
        found += [(option, each) for each in ipc if not each.startswith("@")]  # that is no path
    folders = [("--mongrel2-chroot", config.mongrel2_chroot), ("--run-dir", config.run_dir)]
    folders += [("--loader-dir", each) for each in config.loader_dir]
    return found + [(option, str(folder)) for option, folder in folders if folder is not None]
