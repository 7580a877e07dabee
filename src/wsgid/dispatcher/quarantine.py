"""Which requests kill workers, so that they can be refused for a while. Pure: it is told the time."""

from collections import OrderedDict, deque
from typing import Final

WINDOW: Final = 60.0
"""Seconds within which so many workers must have died over the same request."""

PERIOD: Final = 60.0
"""Seconds for which it is refused then."""

MOST_REMEMBERED: Final = 256
"""Methods and paths, each no longer than a request line: more than can bring down workers within a minute."""

Key = tuple[str, str]
"""Method and path, without the query: what a crash depends on is rarely all of it."""


class Quarantine:
    def __init__(self) -> None:
        self.refused: OrderedDict[Key, float] = OrderedDict()
        """Until when each is refused, the oldest first. To be looked into for each request: mostly it is empty."""
        self._deaths: OrderedDict[Key, deque[float]] = OrderedDict()
        """Of the last minute, those of each request; the request that killed last is the last."""

    def died(self, key: Key, most: int, now: float) -> bool:
        """A worker died, and this was its only request. True when it is refused from now on: it is the ``most``\\ th
        death of that kind within a minute (0: it is never refused)."""
        if not most or key in self.refused:
            return False
        deaths = self._deaths.pop(key, deque())
        deaths.append(now)
        while deaths[0] <= now - WINDOW:
            deaths.popleft()
        if len(deaths) < most:
            self._deaths[key] = deaths
            _keep_newest(self._deaths)
            return False
        self.refused[key] = now + PERIOD
        _keep_newest(self.refused)
        return True

    def over(self, now: float) -> list[Key]:
        """Forgets those that have been refused for long enough, and names them."""
        ended = []
        while self.refused and next(iter(self.refused.values())) <= now:
            ended.append(self.refused.popitem(last=False)[0])
        return ended


def _keep_newest(kept: OrderedDict[Key, float] | OrderedDict[Key, deque[float]]) -> None:
    if len(kept) > MOST_REMEMBERED:
        kept.popitem(last=False)
