"""On what a run was made: the machine, and the versions of what took part."""

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.contender import NotMeasured
from bench.contenders import nginx
from bench.results import Conditions

PACKAGES = {
    "wsgid": "wsgid-server",
    "gunicorn": "gunicorn",
    "waitress": "waitress",
    "granian": "granian",
    "Django": "django",
}
"""Distributions, as their names are written and as they are known."""

PROGRAMS = {"wrk": "wrk", "Mongrel2": "mongrel2-core", "uWSGI": "uwsgi-core"}
"""Debian's packages: not each of these programs has an option that tells its version."""


def conditions() -> Conditions:
    return Conditions(
        date=str(datetime.now(UTC).date()),
        cores=os.cpu_count() or 1,
        processor=_processor(),
        kernel=f"{platform.system()} {platform.release()}",
        load=round(os.getloadavg()[0], 2),
        versions=dict(_versions()),
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _versions() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    for name, package in PACKAGES.items():
        try:
            yield name, version(package)
        except PackageNotFoundError:
            continue
    for name, package in PROGRAMS.items():
        asked = subprocess.run(
            ["dpkg-query", "--show", "--showformat", "${Version}", package], check=False, capture_output=True, text=True
        )
        if asked.returncode == 0 and asked.stdout:
            yield name, asked.stdout
    with suppress(NotMeasured):
        yield "nginx", nginx.version()
