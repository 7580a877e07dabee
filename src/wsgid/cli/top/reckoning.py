"""From readings to figures: what has changed between two of them, summed up over the daemons."""

from collections import Counter
from collections.abc import Iterable, Sequence

from wsgid.channel.counts import BOUNDS, Counts, Histogram
from wsgid.cli.folder_status import CONTROL_SOCKET, DaemonStatus, WorkerStatus
from wsgid.cli.top.figures import DaemonFigures, Figures, LastDeath, Quantiles, Span, WorkerFigures
from wsgid.cli.top.reading import History, Reading

NOTHING = Histogram([0] * (len(BOUNDS) + 1), 0.0)


def figures(history: History) -> Figures:
    now, before = history.latest, history.previous
    daemons = now.status.daemons
    counts = now.counts().values()
    return Figures(
        at=round(now.at, 3),
        app_path=now.status.app_path,
        daemons=[_daemon(each, now) for each in daemons],
        queued=sum(each.queued or 0 for each in daemons),
        longest_wait=max((each.longest_wait or 0.0 for each in daemons), default=0.0),
        busy=sum(each.busy or 0 for each in daemons),
        threads=sum(worker.threads or 0 for each in daemons for worker in each.workers),
        last=_span(now, before),
        window=_span(now, history.oldest),
        workers=[_worker(worker, daemon.pid, now, before) for daemon in daemons for worker in daemon.workers],
        deaths=_sum(each.deaths for each in counts),
        last_deaths=_last_deaths(daemons),
    )


def _span(now: Reading, then: Reading | None) -> Span | None:
    """None when there is nothing to compare with."""
    if then is None:
        return None
    earlier = then.counts()
    pairs = [(each, earlier.get(key)) for key, each in now.counts().items()]
    if not pairs:
        return None
    seconds = now.clock - then.clock
    classes = _sum(_change(_classes(new), _classes(old) if old else {}) for new, old in pairs)
    requests = sum(classes.values())
    busy = sum(new.busy_seconds - (old.busy_seconds if old else 0.0) for new, old in pairs)
    return Span(
        seconds=round(seconds, 3),
        requests=requests,
        per_second=round(requests / seconds, 2),
        classes=classes,
        ends=_sum(_change(new.ends, old.ends if old else {}) for new, old in pairs),
        wait=_quantiles([new.wait.since(old.wait if old else NOTHING) for new, old in pairs]),
        service=_quantiles([new.service.since(old.service if old else NOTHING) for new, old in pairs]),
        busy=round(busy / seconds, 2),
    )


def _classes(counts: Counts) -> dict[str, int]:
    return _sum(counts.requests.values())


def _sum(counted: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counted:
        total.update(each)
    return dict(total)


def _change(new: dict[str, int], old: dict[str, int]) -> dict[str, int]:
    return {name: count - old.get(name, 0) for name, count in new.items()}


def _quantiles(histograms: Sequence[Histogram]) -> Quantiles | None:
    counts = [sum(each) for each in zip(*(histogram.counts for histogram in histograms), strict=True)]
    together = Histogram(counts, sum(each.seconds for each in histograms))
    p50, p95, p99 = (together.quantile(share) for share in (0.5, 0.95, 0.99))
    if p50 is None or p95 is None or p99 is None:
        return None
    return Quantiles(round(p50, 6), round(p95, 6), round(p99, 6))


def _daemon(daemon: DaemonStatus, now: Reading) -> DaemonFigures:
    pids = [daemon.pid, daemon.dispatcher or 0, *(worker.pid for worker in daemon.workers)]
    return DaemonFigures(
        pid=daemon.pid,
        uptime=daemon.uptime,
        answers=daemon.source == CONTROL_SOCKET,
        draining=bool(daemon.draining),
        addresses=daemon.addresses or [],
        rss=sum(now.rss.get(pid, 0) for pid in pids),
    )


def _worker(worker: WorkerStatus, daemon: int, now: Reading, before: Reading | None) -> WorkerFigures:
    oldest = max(worker.serving, key=lambda each: each.age, default=None)
    return WorkerFigures(
        daemon=daemon,
        pid=worker.pid,
        state=str(worker.state),
        threads=worker.threads,
        busy=worker.busy,
        served=worker.served,
        per_second=_pace(worker, daemon, now, before),
        rss=now.rss.get(worker.pid),
        request=oldest,
        more=max(0, len(worker.serving) - 1),
    )


def _pace(worker: WorkerStatus, daemon: int, now: Reading, before: Reading | None) -> float | None:
    """Requests a second. What a new dispatcher counts began at zero, as did a new worker."""
    if worker.served is None or before is None:
        return None
    earlier = 0
    for each in before.status.daemons:
        if each.pid == daemon and each.dispatcher == _dispatcher(now, daemon):
            earlier = next((other.served or 0 for other in each.workers if other.pid == worker.pid), 0)
    return round(max(0, worker.served - earlier) / (now.clock - before.clock), 2)


def _dispatcher(reading: Reading, daemon: int) -> int | None:
    return next((each.dispatcher for each in reading.status.daemons if each.pid == daemon), None)


def _last_deaths(daemons: Iterable[DaemonStatus]) -> list[LastDeath]:
    found = [LastDeath(each.pid, death) for each in daemons if each.counts for death in each.counts.last_deaths]
    return sorted(found, key=lambda each: each.death.at, reverse=True)
