"""Hello world: what the servers themselves cost, at several numbers of connections, kept alive and not."""

from tests.functional.daemon import APPLICATIONS

from bench.contender import Application
from bench.scenario import Scenario, Target
from bench.scenarios.closed import CONNECTIONS, DIRECT, GTHREAD, METRICS, SYNC, USUAL, WAITRESS, WSGID, case, expecting

GREETING = b"Hello, World!\n"

APPLICATION = Application(APPLICATIONS / "plain")

CASES = tuple(case(connections, kept_alive=kept) for kept in (True, False) for connections in CONNECTIONS)

OVER_HTTP = Scenario(
    name="hello",
    title="Hello world",
    words="wrk asks for 14 bytes again and again, over so many connections at once: what is measured is the server.",
    application=lambda: APPLICATION,
    contenders=DIRECT,
    cases=CASES,
    metrics=METRICS,
    targets=tuple(
        Target(name, USUAL.name, WSGID.name, "rate", ratio, against.name)
        for name, ratio, against in (("sync", 2.8, SYNC), ("gthread", 1.8, GTHREAD), ("waitress", 3.5, WAITRESS))
    ),
    warm_up=expecting(GREETING.__eq__),
)
