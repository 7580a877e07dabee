"""``run/<master pid>/``: what one daemon on an app folder has for itself, and how it is told from a dead one's.

========================== =========================================================================================
in it
========================== =========================================================================================
``lock``                   locked with flock(2) for the master's life; whoever can lock it knows that the master is
                           gone. "Is there a process of that pid" would not do: in a container process 1 meets the
                           files of the process 1 before it
``workers/<pid>``          an empty file for each worker: whose pid files these are, when the master could not remove
                           them itself
sockets                    of the dispatcher
``uploads/``               links to the files of Mongrel2's uploads in progress (`wsgid.upload_journal`)
========================== =========================================================================================

All that comes and goes in ``run/`` does so under a lock on ``run/`` itself, so that nobody takes a directory that is
just being made for a dead one's.
"""

import fcntl
import logging
import os
import shutil

from wsgid import upload_journal
from wsgid.app import WsgidApp
from wsgid.instances import DIRECTORY, LOCK, WORKERS, instances, is_dead, locked, workers_of
from wsgid.master.errors import CannotStart
from wsgid.master.pid_files import PidFolder

PRIVATE_DIR, PRIVATE_FILE = 0o700, 0o600

log = logging.getLogger("wsgid.master")


class RunDir:
    def __init__(self, app: WsgidApp, pid: int, *, jailed: bool = False) -> None:
        """Removes what dead daemons have left, makes the directory and the master's pid file. Raises CannotStart.

        `jailed`: there is no ``/proc``, but paths are short.
        """
        self._name = str(pid)
        self._short_path = str(app.rundir / self._name) if jailed else ""
        try:
            self._masters, self._workers = PidFolder(app.master_piddir), PidFolder(app.worker_piddir)
            self._run = os.open(app.rundir, DIRECTORY)
            with locked(self._run):
                self._bury_the_dead()
                self.fd = self._make()
                self._write_pid_file(pid)
        except FileExistsError:
            raise CannotStart(
                f"{app.rundir / self._name} belongs to a running daemon with the same process id, in another container "
                "perhaps: give each container an app folder of its own"
            ) from None
        except OSError as error:
            raise CannotStart(
                f"{app.rundir / self._name} or a pid file cannot be made: {error.strerror}; run wsgid as the owner of "
                f"{app.path}, or give the user of this process write access to {app.rundir} and {app.piddir}"
            ) from None

    @property
    def path(self) -> str:
        """Short enough for UNIX addresses, which hold 107 bytes."""
        return self._short_path or f"/proc/self/fd/{self.fd}"

    def add_worker(self, pid: int) -> None:
        """Raises OSError."""
        # In this order: a pid file that no run directory knows of would never be removed.
        os.close(os.open(f"{WORKERS}/{pid}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE, dir_fd=self.fd))
        self._workers.write(pid)

    def remove_worker(self, pid: int) -> None:
        """No harm when it was never added. Raises OSError."""
        self._workers.remove(pid)
        _unlink(f"{WORKERS}/{pid}", self.fd)

    def remove(self) -> None:
        """Leaves nothing of this daemon in ``run/`` and ``pid/``. Raises OSError."""
        with locked(self._run):
            self._bury(self._name)
        os.close(self.fd)
        self.close_in_child()

    def close_in_child(self) -> None:
        """Lets go of all but `fd`: a child that held the lock would make a dead master look alive."""
        os.close(self._lock)
        os.close(self._run)
        self._masters.close()
        self._workers.close()

    def _make(self) -> int:
        os.mkdir(self._name, PRIVATE_DIR, dir_fd=self._run)
        fd = os.open(self._name, DIRECTORY, dir_fd=self._run)
        os.mkdir(WORKERS, PRIVATE_DIR, dir_fd=fd)
        self._lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE, dir_fd=fd)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return fd

    def _write_pid_file(self, pid: int) -> None:
        try:
            self._masters.write(pid)
        except OSError:
            shutil.rmtree(self._name, dir_fd=self._run)
            raise

    def _bury_the_dead(self) -> None:
        dead = [name for name in instances(self._run) if is_dead(name, self._run)]
        for name in dead:
            log.info("removing what the dead daemon %s has left", name)
            self._bury(name)

    def _bury(self, name: str) -> None:
        for pid in workers_of(name, self._run) - self._living_workers(name):
            self._workers.remove(pid)
        self._masters.remove(int(name))
        self._clear_uploads(name)
        shutil.rmtree(name, dir_fd=self._run)

    def _clear_uploads(self, name: str) -> None:
        directory = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=self._run)
        try:
            upload_journal.clear(directory)
        finally:
            os.close(directory)

    def _living_workers(self, dead: str) -> set[int]:
        """Of the other daemons. A worker of theirs may have got the pid, and so the pid file, of a dead one's."""
        others = [name for name in instances(self._run) if name != dead and not is_dead(name, self._run)]
        return {pid for name in others for pid in workers_of(name, self._run)}


def _unlink(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return
