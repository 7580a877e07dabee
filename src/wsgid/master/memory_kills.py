"""Was it the kernel, for want of memory? It kills with SIGKILL, as people do; only a counter tells the difference."""

from collections.abc import Callable

RECENT = 2.0
"""Seconds. The kernel counts when it kills, and the process is reaped a little later. What was counted long before was
somebody else of the same control group: a program that the application had started, perhaps."""

WORDS = " (out of memory, says the kernel)"


class MemoryKills:
    def __init__(self, counter: Callable[[], int | None]) -> None:
        """``counter`` gives how many there have been; None where the kernel does not say."""
        self._counter = counter
        self._seen = counter() or 0
        self._unexplained = 0
        self._since = 0.0

    def look(self, now: float) -> None:
        """To be called often, so that it is known when the counter went up."""
        count = self._counter() or 0
        if count > self._seen:
            self._unexplained += count - self._seen
            self._since = now
        elif now - self._since > RECENT:
            self._unexplained = 0
        self._seen = count

    def explains_one(self, now: float) -> bool:
        """One death by SIGKILL; each kill explains one."""
        self.look(now)
        if not self._unexplained:
            return False
        self._unexplained -= 1
        return True
