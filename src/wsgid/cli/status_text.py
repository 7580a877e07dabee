"""What runs on an app folder, for people to read."""

from collections.abc import Iterable, Mapping

from wsgid.cli.folder_status import CONTROL_SOCKET, DEAD, PID_FILES, DaemonStatus, FolderStatus, WorkerStatus


def as_text(told: FolderStatus) -> list[str]:
    """The first three lines are for scripts, and stay as they are."""
    masters = {each.pid: False for each in told.daemons} | dict.fromkeys(told.dead_masters, True)
    workers = {worker.pid: worker.state == DEAD for daemon in told.daemons for worker in daemon.workers}
    workers |= dict.fromkeys(told.orphans, False) | dict.fromkeys(told.dead_workers, True)
    lines = [f"Status: {told.status}", f"Master pids: {_pids(masters)}", f"Worker pids: {_pids(workers)}"]
    for daemon in told.daemons:
        lines += ["", _about(daemon)]
        if daemon.source == CONTROL_SOCKET:
            lines += [line for worker in daemon.workers for line in _about_worker(worker)]
        if daemon.unnamed:
            lines.append(f"  and {daemon.unnamed} requests more")
    if told.orphans:
        lines += ["", f"{_pids(dict.fromkeys(told.orphans, False))}: the master is dead; they finish and leave"]
    return lines


def _about(daemon: DaemonStatus) -> str:
    up = f"wsgid {daemon.pid}, up {_duration(daemon.uptime)}"
    if daemon.source == PID_FILES:
        return f"{up}: its control socket does not answer, this is from its pid files"
    doing = "stops" if daemon.draining else f"serves {', '.join(daemon.addresses or [])}"
    return (
        f"{up}, {doing} (dispatcher {daemon.dispatcher}): {daemon.queued} requests queued, {daemon.busy} being served"
    )


def _about_worker(worker: WorkerStatus) -> Iterable[str]:
    threads = (
        "" if worker.threads is None else f", {worker.busy} of {worker.threads} threads busy, {worker.served} served"
    )
    yield f"  worker {worker.pid}: {worker.state}{threads}"
    for each in worker.serving:
        client = f", client {each.client}" if each.client else ""
        yield f"    {each.method} {each.target} (id {each.id}, {each.age:.1f} s{client})"


def _pids(dead: Mapping[int, bool]) -> str:
    return ", ".join(f"{pid} (dead)" if dead[pid] else str(pid) for pid in sorted(dead)) or "none"


def _duration(seconds: float) -> str:
    """In the two largest units: ``3 h 12 min``."""
    whole = int(seconds)
    units = (("d", whole // 86400), ("h", whole // 3600 % 24), ("min", whole // 60 % 60), ("s", whole % 60))
    first = next((index for index, (_, count) in enumerate(units) if count), len(units) - 1)
    return " ".join(f"{count} {unit}" for unit, count in units[first : first + 2])
