"""The generator in a process of its own: whoever measures has other things to do meanwhile, and must not delay it.

It reads its plan from the standard input and writes what became of it to the standard output.
"""

import asyncio
import resource
import sys

import msgspec
import uvloop
from tests.functional.client_process import ClientProcess

from bench.contender import NotMeasured
from bench.open_loop.generator import Generator
from bench.open_loop.outcome import Outcome
from bench.open_loop.schedule import Plan

TRIES = 3
"""Something else may have kept the processors busy for a moment."""


class Arriving(ClientProcess):
    """Requests arrive from ``with`` on, after the time that a process takes to start."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("bench.open_loop.process", msgspec.json.encode(plan))

    def outcome(self) -> Outcome:
        """Once it is over. Raises NotMeasured when the process failed; it has said why."""
        if code := self.code():
            raise NotMeasured(f"the clients ended with {code}")
        return msgspec.json.decode(self.output(), type=Outcome)


def load(plan: Plan) -> Outcome:
    """Raises NotMeasured when the clients were not up to it, however often it was tried."""
    for _ in range(TRIES):
        with Arriving(plan) as arriving:
            outcome = arriving.outcome()
        if outcome.valid:
            return outcome
    raise NotMeasured(f"the clients were late by {outcome.lateness * 1000:.1f} ms for one request in a hundred")


def main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(Generator(plan).run())))


if __name__ == "__main__":
    main()
