"""An interpreter that has imported the command, and is forked for each row.

To start one for each row would take minutes, most of them for imports.

Run as ``python -m tests.functional.wrong_inputs.zygote``. It takes orders as lines of JSON and answers each with the
exit code of the command; what that has printed is in the files that the order names.
"""

import json
import os
import signal
import sys
from typing import Any, NoReturn

import wsgid.cli
import wsgid.cli.check
import wsgid.cli.config
import wsgid.cli.control
import wsgid.cli.daemons
import wsgid.cli.init
import wsgid.cli.plugin_commands
import wsgid.cli.plugins
import wsgid.cli.restart
import wsgid.cli.status
import wsgid.cli.stop
import wsgid.dispatcher.main
import wsgid.master.main
import wsgid.worker.main

LIMIT = 30
"""Seconds for a command; one that takes longer has started a daemon, or waits for something."""


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _run(order: dict[str, Any]) -> NoReturn:
    signal.alarm(order["limit"])
    for path, descriptor in ((os.devnull, 0), (order["out"], 1), (order["err"], 2)):
        opened = os.open(path, os.O_RDWR | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environ"])
    if order["gone"]:
        os.rmdir(order["cwd"])
    code = 1
    try:
        wsgid.cli.main(order["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - here the child must end, and not in the loop of its parent
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
