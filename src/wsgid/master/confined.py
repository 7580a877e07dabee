"""The last step down from root: into the jail, out of root's rights, and a look whether what is needed is in reach."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from wsgid.config import Config
from wsgid.config_sources import Loaded
from wsgid.master import jail, jail_contents, jail_paths, reach, rights
from wsgid.master.errors import CannotStart
from wsgid.master.reach import Needed
from wsgid.master.rights import Identity

log = logging.getLogger("wsgid.master")


@dataclass(frozen=True, slots=True)
class Confined:
    outside: Config
    """As people gave them."""
    config: Config
    """The same options for this process and its children: in a jail some paths are others."""

    def again(self, loaded: Loaded) -> Loaded:
        """Options that were read again, as they are here."""
        if not self.config.chroot:
            return loaded
        same = loaded.config.run_dir == self.outside.run_dir
        run_dir = self.config.run_dir if same else loaded.config.run_dir
        return replace(loaded, config=replace(loaded.config, app_path=jail_paths.INSIDE, run_dir=run_dir))


def confine(config: Config, identity: Identity | None, directory: str) -> Confined:
    """For good. `directory` is where the command was called. Raises CannotStart."""
    inside = config
    if config.chroot:
        run_dir = config.run_dir and jail_paths.seen_from_inside(config.run_dir, config.app_path)
        inside = replace(config, app_path=jail_paths.INSIDE, run_dir=run_dir)
    needed = reach.needed(inside.app_path)
    sites = reach.site_folders()
    if config.chroot:
        jail.enter(config.app_path, jail_contents.sights(directory, os.environ, config.app_path), identity)
    if identity is not None:
        rights.become(identity)
        rights.set_variables(identity, os.environ, jailed=config.chroot)
        log.info("from here on everything runs as %s", identity)
    if config.chroot or identity is not None:
        _check(needed, sites, identity)
    return Confined(config, inside)


def _check(needed: Iterable[Needed], sites: Iterable[str], identity: Identity | None) -> None:
    if reason := reach.obstacle(needed):
        raise CannotStart(
            f"{identity or 'root'}, whom the daemon runs as: {reason}; open it to others (chmod o+rx), install Python "
            "and wsgid where everybody can read them, such as /opt, or name another user by --user"
        )
    if closed := list(reach.closed_packages(sites)):
        log.warning("%s cannot read %s (%d such in all): chmod -R go+rX it", identity or "root", closed[0], len(closed))
