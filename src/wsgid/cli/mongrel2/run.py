"""``wsgid mongrel2 run``: Debian's Mongrel2 in the foreground, as the daemon's user, with messages in words.

It is a child of ours and not executed in our place: what it says has to be translated, and Debian's 1.12.2 mostly
aborts when it is stopped while connections are open, which nobody who watches services should take for a crash.
"""

import contextlib
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from wsgid.cli.complaints import CannotDo, complain
from wsgid.cli.mongrel2 import trust
from wsgid.cli.mongrel2.own_files import daemons_user
from wsgid.cli.mongrel2.place import config_file, read, server
from wsgid.cli.mongrel2.supervised import Supervised
from wsgid.cli.mongrel2.wanted import not_free
from wsgid.config_sources import ConfigError, load
from wsgid.interfaces.commands import CommandOptions
from wsgid.master import rights
from wsgid.master.errors import CannotStart
from wsgid.master.notify import Notify
from wsgid.master.rights import NOWHERE, ROOT, Identity
from wsgid.mongrel2_config.values import Server
from wsgid.mongrel2_config.whereabouts import Whereabouts

PROGRAM, PACKAGE = "mongrel2", "mongrel2-core"
PRIVILEGED = 1024
"""Ports below it take root, or a capability."""


def run(options: CommandOptions) -> int:
    """Returns the exit code. Raises CannotDo."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise CannotDo(f"{PROGRAM} is not installed: apt install {PACKAGE}")
    file = config_file(options.app_path, options.config)
    configuration = read(file)
    chosen = server(configuration, file, options.server)
    if chosen.chroot and configuration.settings.get("server.daemonize") != "0":
        raise CannotDo(f"{file} has no server.daemonize=0: with a chroot it would detach, and here it is to stay")
    if chosen.chroot and os.geteuid() != ROOT:
        raise CannotDo(
            f"{file} has the chroot {chosen.chroot}, which takes root: run this as root, or write a configuration "
            "without --mongrel2-chroot"
        )
    where = Whereabouts(chosen, file.parent)
    for text, remedy in trust.doubts(file, where.cwd) if chosen.chroot else ():
        raise CannotDo(f"{text}: {remedy}")
    identity = None if chosen.chroot else _daemons_user(options)
    own_rights = _rights_of(_owner(where.cwd) if chosen.chroot else identity)
    with own_rights():
        _check_pid_file(where.pid_file)
    if problem := not_free(chosen.bind_addr, chosen.port):
        raise CannotDo(f"port {chosen.port} of {chosen.bind_addr} cannot be opened: {problem}")
    command = [*_become(identity, chosen), program, str(file), chosen.uuid]
    return Supervised(command, chosen, where, Notify(os.environ), own_rights).run()


def _daemons_user(options: CommandOptions) -> Identity | None:
    try:
        return daemons_user(load(options.told, os.environ).config)
    except ConfigError as error:
        raise CannotDo(*error.errors) from None


def _owner(chroot: Path) -> Identity:
    """Whom Mongrel2 becomes by itself."""
    found = os.stat(chroot)
    return Identity(found.st_uid, found.st_gid, (found.st_gid,), "", NOWHERE)


def _rights_of(identity: Identity | None) -> Callable[[], AbstractContextManager[None]]:
    """With which its files are looked at and removed: a link in its folders leads no further than its own rights do.
    Raises CannotDo."""
    if identity is None:
        return contextlib.nullcontext
    try:
        rights.join_groups(identity)
    except CannotStart as error:
        raise CannotDo(str(error)) from None
    return partial(rights.files_of, identity)


def _become(identity: Identity | None, chosen: Server) -> list[str]:
    """The command that executes Mongrel2 as this user, to be stopped when we are killed: setpriv(1), of util-linux,
    which every Debian has.

    Mongrel2 itself would stay root: it gives that up only in a chroot. (There the kernel forgets that it is to be
    stopped, as it changes its user.)
    """
    command = ["setpriv", "--pdeathsig=INT"]
    if identity is None:
        return command
    command += [f"--reuid={identity.uid}", f"--regid={identity.gid}"]
    command.append(f"--groups={','.join(map(str, identity.groups))}" if identity.groups else "--clear-groups")
    if chosen.port < PRIVILEGED:
        command += ["--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"]
    return command


def _check_pid_file(file: Path) -> None:
    """Mongrel2 does not start when the process that it names lives, whatever it is. Raises CannotDo."""
    import psutil

    try:
        pid = int(file.read_text())
        name = psutil.Process(pid).name()
    except (OSError, ValueError, psutil.NoSuchProcess):
        return  # none, or of a process that is dead: it removes that itself
    if name == PROGRAM:
        raise CannotDo(f"it runs already, as process {pid} (by {file}): stop it with kill {pid}")
    try:
        file.unlink()
    except OSError as error:
        raise CannotDo(
            f"{file} names process {pid}, which is {name}, and cannot be removed: {error.strerror}"
        ) from None
    complain([f"{file} names process {pid}, which is {name} now: removed"])
