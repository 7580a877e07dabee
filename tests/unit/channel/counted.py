"""What dispatchers have counted: one that has served nothing, and one that has done too much."""

import msgspec

from wsgid.channel.counts import BOUNDS, MOST_DEATHS, Counts, Death, EdgeCounts, Histogram

NONE = Histogram([0] * (len(BOUNDS) + 1), 0.0)
NOTHING = Counts(
    since=0.0,
    requests={},
    ends={},
    refused={},
    wait=NONE,
    service=NONE,
    bytes_in=0,
    bytes_out=0,
    busy_seconds=0.0,
    redelivered=0,
    uploads=0,
    uploads_asked=0,
    uploads_refused=0,
    deaths={},
    last_deaths=[],
    edges=[],
    lost_lines={},
)

_MANY = 2**62
_LONG = {f"{name:20}": _MANY for name in range(20)}
_FULL = Histogram([_MANY] * (len(BOUNDS) + 1), 1e15)
LARGEST = msgspec.structs.replace(
    NOTHING,
    requests=dict.fromkeys(_LONG, _LONG),
    refused=_LONG,
    wait=_FULL,
    service=_FULL,
    deaths=_LONG,
    last_deaths=[Death(1e12, 2**22, "c" * 20, "h" * 100, _MANY)] * MOST_DEATHS,
    edges=[EdgeCounts("e" * 600, _MANY, _MANY, _MANY)] * 100,
)
