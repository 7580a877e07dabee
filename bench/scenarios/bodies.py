"""Large bodies: answers that their clients read as fast as they can, and uploads that are sent as fast as it goes."""

from dataclasses import replace
from functools import lru_cache, partial

from tests.functional import clients

from bench.apps.bodies.app.wsgi import AT_ONCE, parts, told
from bench.contender import APPS, Application, NotMeasured, Running
from bench.scenario import Case, Measured, Metric, Scenario, Turn
from bench.scenarios.closed import (
    FLOW_CONTROLLED,
    GRANIAN,
    GTHREAD,
    NGINX,
    NGINX_GRANIAN,
    NGINX_GTHREAD,
    NGINX_SYNC,
    NGINX_UWSGI,
    SYNC,
    WAITRESS,
    WSGID,
    behind,
)
from bench.uploads import Upload, upload
from bench.wrk import download

KIB, MIB = 1024, 1024 * 1024

UPLOADS = {MIB: 8, 100 * MIB: 4}
"""Sizes in bytes, and how many of them are on their way at once."""

ANSWERS = {64 * KIB: 32, **UPLOADS}

PROBE = AT_ONCE + 1
"""Bytes of the bodies that are looked at before anything is measured."""

DIRECT = (WSGID, SYNC, GTHREAD, WAITRESS, GRANIAN)

FRONTED = (FLOW_CONTROLLED, NGINX, NGINX_SYNC, NGINX_GTHREAD, NGINX_GRANIAN, NGINX_UWSGI)
"""Without flow control Mongrel2 cuts large answers off."""

METRICS = (Metric("throughput", "MiB/s"),)


def name(size: int, at_once: int) -> str:
    return f"{size // MIB or size // KIB} {'MiB' if size >= MIB else 'KiB'}, {at_once} at once"


def measured(size: int, seconds: float) -> Measured:
    """So many bytes in so many seconds."""
    return Measured(size / MIB, {"throughput": size / MIB / seconds})


def check_answer(running: Running) -> None:
    """Raises NotMeasured."""
    answer = clients.request(f"{running.url}{PROBE}")
    if answer.status != 200 or answer.body != b"".join(parts(PROBE)):
        raise NotMeasured(f"asked for {PROBE} bytes it answers {answer.status} {answer.body[:200]!r}")


def measure_answers(size: int, at_once: int, turn: Turn) -> Measured:
    found = download(f"{turn.running.url}{size}", at_once, turn.seconds)
    return measured(found.bytes, found.seconds)


@lru_cache
def body(size: int) -> Upload:
    sent = b"".join(parts(size))
    return Upload(sent, told([sent]))


def check_upload(running: Running) -> None:
    """Raises NotMeasured."""
    upload(running.address, body(PROBE), 1, 0.0)


def measure_uploads(size: int, at_once: int, turn: Turn) -> Measured:
    found = upload(turn.running.address, body(size), at_once, turn.seconds)
    return measured(found.requests * size, found.seconds)


ANSWERS_OVER_HTTP = Scenario(
    name="answers",
    title="Large answers",
    words="Up to a mebibyte the application gives its answer as one, above that in parts of 64 KiB. Each client asks "
    "for the next one when it has read the last.",
    application=lambda: Application(APPS / "bodies"),
    contenders=DIRECT,
    cases=tuple(Case(name(*each), partial(measure_answers, *each)) for each in ANSWERS.items()),
    metrics=METRICS,
    warm_up=check_answer,
    quick=False,
    unit="MiB",
)

UPLOADS_OVER_HTTP = replace(
    ANSWERS_OVER_HTTP,
    name="uploads",
    title="Uploads",
    words="The application reads the whole body and answers with its length and a checksum. Each client sends the next "
    "one, on another connection, when it has the answer.",
    cases=tuple(Case(name(*each), partial(measure_uploads, *each)) for each in UPLOADS.items()),
    warm_up=check_upload,
)

ANSWERS_BEHIND, UPLOADS_BEHIND = (behind(each, FRONTED) for each in (ANSWERS_OVER_HTTP, UPLOADS_OVER_HTTP))
