"""The application and the plug-ins, loaded as a worker loads them.

To be called in a process of its own, as the daemon's user.
"""

import importlib
import logging
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from wsgid.cli.checks.findings import Finding, error, ok
from wsgid.config import Config

SUBJECT, PLUGINS = "application", "plug-ins"

OWN = Path(__file__).parents[2]

FRAME = '  File "'
"""How a line of faulthandler's begins."""

LOADING = tuple(f"{FRAME}{OWN / each}/" for each in ("loaders", "plugins"))
MACHINERY = (f"{FRAME}<frozen importlib", f'{FRAME}{importlib.__file__}"')


def loaded(config: Config) -> Iterator[Finding]:
    """Never raises what the application raises."""
    # Imported here: the parent has nothing of it.
    from wsgid.loaders import describe_failure
    from wsgid.worker.filters import Filters
    from wsgid.worker.filters.admission import UploadFilters
    from wsgid.worker.main import load

    logging.lastResort = None  # what is logged of a plug-in is among the findings
    began = time.monotonic()
    try:
        _, report = load(config)
        Filters.registered()
        UploadFilters.registered()
    except BaseException as failure:  # noqa: BLE001 - a module may well end in sys.exit()
        text, _, traceback = describe_failure(failure, config.app_path).partition("\n\n")
        yield error(SUBJECT, text, "correct it; a start fails in the same way", traceback)
        return
    yield ok(SUBJECT, f"can be loaded, in {time.monotonic() - began:.1f} s")
    for each in report.failed:
        yield error(PLUGINS, each.reason, "correct it, or take it away: `wsgid plugins` shows all", each.traceback)
    if report.loaded and not report.failed:
        yield ok(PLUGINS, f"{len(report.loaded)} can be loaded")


def unfinished(*, out_of_time: bool) -> str:
    """The remedy where loading it has not come to its end."""
    if out_of_time:
        return "more time is given by --start-timeout"
    return "the application, or a C extension, ended the process; a start fails in the same way"


def as_it_hung(output: str) -> str:
    """What was printed, with faulthandler's stack cut where the application begins: below are only we, and Python's own
    part in an import."""
    return "\n".join(_kept(output.splitlines()))


def _kept(lines: Iterable[str]) -> Iterator[str]:
    below = False
    for line in lines:
        below = line.startswith(FRAME) and (below or line.startswith(LOADING))
        if not (below or line.startswith(MACHINERY)):
            yield line
