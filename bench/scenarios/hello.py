"""Hello world: what the servers themselves cost, at several numbers of connections, kept alive and not."""

from dataclasses import replace

from tests.functional.daemon import APPLICATIONS

from bench.contender import Application
from bench.contenders.fronted import mongrel2_file, nginx_file
from bench.scenario import Scenario, Target
from bench.scenarios.closed import (
    CONNECTIONS,
    DIRECT,
    FRONTED,
    GTHREAD,
    IN_FRONT,
    METRICS,
    MONGREL2,
    NGINX_GRANIAN,
    NGINX_SYNC,
    NGINX_UNLOGGED,
    SYNC,
    THREADED,
    USUAL,
    WAITRESS,
    WSGID,
    behind,
    case,
    expecting,
)

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
        Target(name, USUAL.name, ours.name, "rate", ratio, against.name)
        for name, ours, ratio, against in (
            ("sync", WSGID, 2.8, SYNC),
            ("gthread", WSGID, 1.8, GTHREAD),
            ("gthread-threads", THREADED, 1.8, GTHREAD),
            ("waitress", WSGID, 3.5, WAITRESS),
            ("waitress-threads", THREADED, 3.5, WAITRESS),
        )
    ),
    warm_up=expecting(GREETING.__eq__),
    quick_rounds=2,
)

MONGREL2_FILE = mongrel2_file(GREETING)

BEHIND = replace(
    behind(OVER_HTTP),
    words="The same through a web server in front. What that does alone, with a file of as many bytes, is the ceiling. "
    f"{IN_FRONT}",
    contenders=(*FRONTED, MONGREL2_FILE, nginx_file(GREETING)),
    quick=True,
    quick_rounds=1,
    targets=tuple(
        Target(name, USUAL.name, MONGREL2.name, "rate", ratio, against.name)
        for name, ratio, against in (
            ("gunicorn", 2.5, NGINX_SYNC),
            ("granian", 0.75, NGINX_GRANIAN),
            ("granian-unlogged", 0.75, NGINX_UNLOGGED),
            ("file", 0.5, MONGREL2_FILE),
        )
    ),
)
