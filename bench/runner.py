"""Runs one scenario: round after round, each contender in its turn, so that a slower machine slows all of them."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests import proc

from bench.conditions import conditions
from bench.contender import Application, Contender, NotMeasured
from bench.measure import Peak, processors, spent, stolen, times
from bench.results import Failure, Results, Sample
from bench.scenario import CPU, MEMORY, Case, Scenario, Turn

MIB = 1024 * 1024

MOST_STOLEN = 0.03
"""Of the processors' time, for the host of a virtual machine. With more, what is measured is the host: rates of one
server differed by half, and for minutes on end."""

TRIES = 4
"""A host that is busy all the time shall not hold up the run for ever: what it took least from is kept, and told."""

T = TypeVar("T")

Tell = Callable[[str], None]
"""Called with a line about the progress."""


@dataclass(frozen=True)
class Pace:
    rounds: int
    seconds: float
    full: bool


def run(scenario: Scenario, pace: Pace, tell: Tell) -> Results:
    before, application, cases = conditions(), scenario.application(), scenario.cases_of(full=pace.full)
    samples, failures = list[Sample](), dict[str, Failure]()
    for number in range(1, pace.rounds + 1):
        for contender in order(scenario.contenders, number):
            where = f"{scenario.name}, round {number} of {pace.rounds}, {contender.name}"
            try:
                for sample in _turn(scenario, contender, application, cases, number, pace.seconds):
                    samples.append(sample)
                    tell(f"{where}, {sample.case}: {_told(scenario, sample)}")
            except (NotMeasured, AssertionError, OSError) as error:
                failures[contender.name] = Failure(contender.name, str(error))
                tell(f"{where}: NOT MEASURED: {error}")
    differs = {contender.name: contender.differs for contender in scenario.contenders}
    return Results(
        scenario.name, pace.full, pace.rounds, pace.seconds, before, differs, samples, list(failures.values())
    )


def order(contenders: Sequence[T], number: int) -> Sequence[T]:
    """Every other round goes backwards: nobody always comes after the same neighbour."""
    return contenders if number % 2 else contenders[::-1]


def _turn(
    scenario: Scenario,
    contender: Contender,
    application: Application,
    cases: Sequence[Case],
    number: int,
    seconds: float,
) -> Iterator[Sample]:
    """Raises NotMeasured."""
    with _started(contender, application, seconds) as turn:
        scenario.warm_up(turn.running)
        for case in cases:
            yield undisturbed(partial(_sample, contender, case, number, turn))


@contextmanager
def _started(contender: Contender, application: Application, seconds: float) -> Iterator[Turn]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        begun = time.monotonic()
        with contender.start(Path(folder), application) as running:
            yield Turn(running, seconds, time.monotonic() - begun)
    proc.reap()


def undisturbed(measure: Callable[[], Sample]) -> Sample:
    """Tries again while the host takes too much. Only where something is counted for the processors' time: elsewhere
    what comes when is planned, and the clients' lateness is what judges a run."""
    samples = list[Sample]()
    while len(samples) < TRIES:
        samples.append(sample := measure())
        if not sample.cpu or _stolen(sample) <= MOST_STOLEN:
            return sample
    return min(samples, key=_stolen)


def _stolen(sample: Sample) -> float:
    return sample.stolen or 0.0


def _sample(contender: Contender, case: Case, number: int, turn: Turn) -> Sample:
    before, done = times(turn.running), processors()
    with Peak(turn.running) as peak:
        measured = case.measure(turn)
    seconds, taken = spent(before, times(turn.running)), stolen(done, processors())
    values = {**measured.values, MEMORY.key: peak.bytes / MIB}
    if not measured.units:
        return Sample(contender.name, case.name, number, values, stolen=taken)
    cpu = {role: each / measured.units * 1e6 for role, each in seconds.items()}
    return Sample(contender.name, case.name, number, {**values, CPU.key: sum(cpu.values())}, cpu, taken)


def _told(scenario: Scenario, sample: Sample) -> str:
    known = [metric for metric in scenario.metrics if metric.key in sample.values]
    figures = [f"{metric.title} {metric.form.format(sample.values[metric.key])}" for metric in known]
    return ", ".join([*figures, f"{sample.stolen:.0%} stolen"] if _stolen(sample) > MOST_STOLEN else figures)
