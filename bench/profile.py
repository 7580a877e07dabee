"""Where the time of a usual request goes: what docs/performance.md is written from. Run by scripts/profile.

Processor time and system calls are those of a daemon under wrk, so they differ from machine to machine. Instructions
are counted in the same objects with everything around them played (see `tests.cost`), and are the same everywhere;
those of the processor are counted by callgrind, as the difference of two runs.
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import proc
from tests.cost import Cost, cost_of
from tests.deadlines import wait_for
from tests.unit.dispatcher.loops import run
from tests.unit.test_hot_path import by_http, by_mongrel2, worker_thread

from bench.conditions import conditions
from bench.contender import Contender, Running
from bench.contenders.ours import mongrel2_wsgid, wsgid
from bench.measure import spent, times
from bench.scenarios.hello import APPLICATION
from bench.wrk import load

CONNECTIONS, SECONDS, WORKERS = 32, 3, 2
DEAREST = 10
"""Functions that are named."""
FEW, MANY = 100, 1100
"""Requests of the two runs under callgrind."""


def main() -> None:
    """Prints the report; with a number, serves so many requests in a worker's objects and prints nothing."""
    if len(sys.argv) > 1:
        serve(int(sys.argv[1]))
        return
    proc.adopt_orphans()
    now = conditions()
    print(f"{now.date}, {now.cores} cores ({now.processor}), Python {now.versions['Python']}, load {now.load}\n")
    for contender in (wsgid(WORKERS), mongrel2_wsgid(WORKERS)):
        print("\n".join(under_load(contender)), "\n")
    with worker_thread() as thread, tempfile.TemporaryDirectory() as folder:
        print("\n".join(instructions("worker", cost_of(thread.serve))), "\n")
        print("\n".join(instructions("dispatcher, HTTP", run(by_http())[0])), "\n")
        print("\n".join(instructions("dispatcher, Mongrel2", run(by_mongrel2(Path(folder)))[0])), "\n")
    if shutil.which("valgrind"):
        print(f"worker, by callgrind: {by_callgrind():,} instructions of the processor for each request")


def serve(count: int) -> None:
    with worker_thread() as thread:
        for _ in range(count):
            thread.serve()


def under_load(contender: Contender) -> Iterator[str]:
    """Processor time and system calls of each process for each request."""
    with tempfile.TemporaryDirectory() as folder, contender.start(Path(folder), APPLICATION) as running:
        load(running.url, CONNECTIONS, 1)
        before = times(running)
        loaded = load(running.url, CONNECTIONS, SECONDS)
        yield f"{contender.name}: {loaded.rate:,.0f} requests a second"
        for role, seconds in spent(before, times(running)).items():
            yield f"  {role}: {seconds / loaded.requests * 1e6:.1f} µs of processor time a request"
        if shutil.which("strace"):
            for pid, role in sorted(running.roles().items()):
                yield f"  {role} {pid}: {system_calls(running, pid)}"


def system_calls(running: Running, pid: int) -> str:
    """By name, for each request that all of them have served meanwhile; those that are rare are left out."""
    command = ["strace", "-c", "-f", "-q", "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        wait_for(lambda: "TracerPid:\t0" not in Path(f"/proc/{pid}/status").read_text(), "strace")
        requests = load(running.url, CONNECTIONS, 1).requests
        tracer.send_signal(signal.SIGINT)
        said = tracer.communicate()[1]
    found = re.findall(r"^ +[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ )?(\w+)$", said, re.M)
    rates = [f"{name} {int(count) / requests:.2f}" for count, name in found if int(count) > requests / 50]
    return ", ".join(rates) or "hardly any system call"


def instructions(name: str, cost: Cost) -> Iterator[str]:
    yield f"{name}: {cost.total} instructions of the interpreter in {cost.calls.total()} calls of functions"
    for function, count in cost.instructions.most_common(DEAREST):
        yield f"  {count:4d} {function}"


def by_callgrind() -> int:
    few, many = map(_collected, (FEW, MANY))
    return (many - few) // (MANY - FEW)


def _collected(requests: int) -> int:
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command = [*tool, sys.executable, "-m", "bench.profile", str(requests)]
    said = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True).stderr
    found = re.search(r"Collected : (\d+)", said)
    assert found is not None, said
    return int(found[1])


if __name__ == "__main__":
    main()
