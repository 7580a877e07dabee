"""An interpreter that has imported the frameworks and nothing else, and is forked for each load.

Run as ``python -m tests.unit.loaders.zygote``. It takes a line of JSON, `Order`, for each load and answers with the
exit code of the child. To start an interpreter and import Django for each would take ten times as long.
"""

import io
import json
import os
import sys
import traceback
import warnings
from typing import TypedDict

import django.core.handlers.wsgi
import django.http
import django.urls  # noqa: F401 - so that its children have it

from tests.unit.loaders import driver


class Order(TypedDict):
    asked: dict[str, object]
    """The arguments of `driver.main`."""
    warnings: str
    """What becomes of a warning: ``error``, ``default``, ..."""
    env: dict[str, str]
    out: str
    err: str
    """Files for what the child prints."""


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _be_born(json.loads(line))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _be_born(order: Order) -> None:
    code = 1
    for name, descriptor in ((order["out"], 1), (order["err"], 2)):
        os.dup2(os.open(name, os.O_WRONLY), descriptor)
    try:
        os.environ.clear()
        os.environ.update(order["env"])
        warnings.resetwarnings()
        warnings.simplefilter(order["warnings"])  # type: ignore[arg-type]  # one of its words
        sys.stdin = io.StringIO()
        print(json.dumps(driver.main(**order["asked"])))  # type: ignore[arg-type]  # what a line holds is not known
        code = 0
    except BaseException:  # noqa: BLE001 - as an interpreter of its own would tell it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
