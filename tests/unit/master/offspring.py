"""What changes a process or a thread for good is tried in one of its own, which tells what came of it."""

import json
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def in_child(act: Callable[[], Any]) -> Any:
    """What ``act`` gives in a forked child, as JSON holds it. An exception is told as ``[its class, its text]``."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            told = act()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall see it
            told = [type(error).__name__, str(error)]
        os.write(writer, json.dumps(told).encode())
        # Not os._exit: measured, it would save coverage data, where this user or this root directory has no place.
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(said)


def in_thread(act: Callable[[], T]) -> T:
    """What ``act`` gives, or raises, in a new thread. To the kernel a thread has mounts, root directory, umask, ids for
    files and capabilities of its own, once it has asked for them; and what runs in it is measured."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()
