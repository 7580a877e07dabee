"""Can the daemon's user read what it needs, and write what it writes? To be asked as that user."""

import os
from collections.abc import Iterator
from pathlib import Path

from wsgid.app import WsgidApp
from wsgid.cli.checks.findings import Finding, error, ok, warning
from wsgid.cli.complaints import CannotDo
from wsgid.cli.mongrel2.place import config_file, read
from wsgid.config import Config
from wsgid.logs import has_file
from wsgid.master import reach
from wsgid.master.reach import Needed
from wsgid.mongrel2_config.whereabouts import Whereabouts

SUBJECT = "rights"

LOGS = ("wsgid.log", "access.log")


def readable(needed: list[Needed], sites: list[str]) -> Iterator[Finding]:
    """``needed`` and ``sites``: of `reach`, asked before the user was changed."""
    if obstacle := reach.obstacle(needed):
        yield error(
            SUBJECT,
            obstacle,
            "open it to others (chmod o+rx), install Python and wsgid where everybody can read them, such as /opt, or "
            "name another user by --user",
        )
    else:
        yield ok(SUBJECT, "interpreter, packages and app/ can be read")
    if closed := list(reach.closed_packages(sites)):
        yield warning(SUBJECT, f"{closed[0]} cannot be read ({len(closed)} such in all)", "chmod -R go+rX it")


def writable(config: Config, by_root: bool) -> Iterator[Finding]:
    """``by_root``: root starts the daemon, and can make in its own folders what is missing."""
    app = WsgidApp(config.app_path, config.run_dir)
    folders = [app.rundir, app.master_piddir, app.worker_piddir, *([app.logsdir] if has_file(config) else [])]
    faults = [fault for each in folders if (fault := _folder_fault(each, by_root))]
    if has_file(config):
        logs = (app.logsdir / name for name in LOGS)
        faults += [f"{each} may not be written to" for each in logs if each.exists() and not os.access(each, os.W_OK)]
    for fault in faults:
        yield error(SUBJECT, fault, _cure(config))
    if not faults:
        yield ok(SUBJECT, f"{', '.join(map(str, folders))} can be written to")


def uploads(config: Config) -> Iterator[Finding]:
    """Where the files of Mongrel2's uploads are looked for."""
    if not config.recv:
        return
    chroot = config.mongrel2_chroot
    if chroot is None:
        yield ok(
            "uploads",
            "are looked for at the path that Mongrel2 names (there is no --mongrel2-chroot)",
        )
    elif os.access(chroot, os.X_OK):
        yield ok("uploads", f"/PATH of Mongrel2 is looked for at {chroot}/PATH (--mongrel2-chroot)")
    else:
        yield error(
            "uploads",
            f"--mongrel2-chroot {chroot} may not be searched",
            "let the daemon's user through (chmod o+x), or run it as Mongrel2's",
        )
    yield from _stores(config)


def _stores(config: Config) -> Iterator[Finding]:
    """Of the Mongrel2 that `wsgid mongrel2 init` has made; where another one has its store is known to it alone."""
    file = config_file(config.app_path, None)
    if not os.path.exists(file):
        return
    try:
        configuration = read(file)
    except CannotDo as wrong:
        yield warning("uploads", str(wrong), "`wsgid mongrel2 check` looks at the whole configuration")
        return
    if not (pattern := configuration.settings.get("upload.temp_store")):
        return
    for store in {Whereabouts(each, file.parent).path(pattern).parent for each in configuration.servers}:
        if os.access(store, os.W_OK | os.X_OK):  # a file is unlinked as it is opened
            yield ok("uploads", f"{store}, where Mongrel2 puts them, can be read and emptied")
        else:
            yield error(
                "uploads",
                f"{store}, where Mongrel2 puts them, "
                + ("may not be read and emptied" if os.path.isdir(store) else "is no folder"),
                "make it, and give it to the user that Mongrel2 and the daemon run as (chown); `wsgid mongrel2 check` "
                "tells more",
            )


def _folder_fault(folder: Path, by_root: bool) -> str | None:
    if os.path.isdir(folder):
        return None if os.access(folder, os.W_OK | os.X_OK) else f"{folder} may not be written to"
    if os.path.lexists(folder):
        return f"{folder} is there and is no folder"
    above = next(each for each in folder.parents if os.path.isdir(each))
    if os.access(above, os.W_OK | os.X_OK) or (by_root and above.stat().st_uid == 0):
        return None
    return f"{folder} is missing, and cannot be made in {above}"


def _cure(config: Config) -> str:
    return (
        f"give it to the daemon's user (chown -R), or let `wsgid init` make what is missing in {config.app_path}; for "
        "a folder that must not be written to there are --run-dir and --stdout"
    )
