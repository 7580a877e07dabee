"""How slow a client may be with the body of its request: one rule for both edges.

It may be so many seconds behind, and each byte gives it back some of them. It cannot save up time by sending fast at
first: a gigabyte sent quickly is no licence to take a month for the rest.
"""

import msgspec


class BodyTimes(msgspec.Struct, frozen=True):
    limit: float
    """Seconds without a byte of a body that is on its way (``--body-timeout``)."""
    byte: float
    """Seconds that each byte gives back (1 / ``--min-body-rate``). Infinite when every byte, however late, gives back
    all of them."""

    def begun(self, now: float) -> float:
        """The deadline of a body of which nothing has come."""
        return now + self.limit

    def heard(self, deadline: float, size: int, now: float) -> float:
        """The next deadline, when so many bytes have come."""
        return min(deadline + size * self.byte, self.begun(now))
