"""bench.runner: who comes after whom, and what becomes of one that cannot be measured."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from bench.contender import Application, Contender, NotMeasured, Running, Start
from bench.results import Failure, Sample
from bench.runner import MOST_STOLEN, Pace, order, run, undisturbed
from bench.scenario import Case, Measured, Turn

from tests.unit.bench.results import CASE, OURS, THEIRS, scenario

PACE = Pace(rounds=2, seconds=0.5, full=False)


def standing_by(number: int) -> Start:
    """A server on port ``number`` whose processes are none."""

    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        yield Running(("127.0.0.1", number), {}, list)

    return start


def broken(folder: Path, application: Application) -> AbstractContextManager[Running]:
    raise NotMeasured("it did not start")


def measure(turn: Turn) -> Measured:
    return Measured(10, {"rate": turn.running.address[1] * turn.seconds})


SMALL = replace(
    scenario(),
    contenders=(Contender(OURS, standing_by(8)), Contender(THEIRS, standing_by(4), "It differs.")),
    cases=(Case(CASE, measure), Case("few connections", measure, quick=False)),
)


def test_every_other_round_goes_backwards() -> None:
    said: list[str] = []
    found = run(SMALL, PACE, said.append)
    assert [(each.round, each.contender) for each in found.samples] == [
        (1, OURS),
        (1, THEIRS),
        (2, THEIRS),
        (2, OURS),
    ]
    assert order([1, 2, 3], 2) == [3, 2, 1]
    assert len(said) == 4


def test_values_go_into_the_results() -> None:
    found = run(SMALL, PACE, lambda line: None)
    assert found.median(OURS, CASE, "rate") == 4.0
    assert found.median(OURS, CASE, "cpu") == 0.0
    assert found.differs == {OURS: "", THEIRS: "It differs."}
    assert (found.rounds, found.seconds) == (2, 0.5)


def test_all_cases_of_the_full_run() -> None:
    assert run(SMALL, PACE, lambda line: None).cases() == [CASE]
    assert run(SMALL, replace(PACE, full=True), lambda line: None).cases() == [CASE, "few connections"]


def test_all_cases_when_none_is_quick() -> None:
    slow = tuple(replace(case, quick=False) for case in SMALL.cases)
    assert replace(SMALL, cases=slow).cases_of(full=False) == slow


def test_one_that_cannot_be_measured_does_not_end_the_run() -> None:
    broken_one = Contender(THEIRS, broken)
    found = run(replace(SMALL, contenders=(broken_one, SMALL.contenders[0])), PACE, lambda line: None)
    assert found.failures == [Failure(THEIRS, "it did not start")]
    assert found.median(OURS, CASE, "rate") == 4.0


@pytest.mark.parametrize(
    ("taken", "kept"),
    [((0.0,), 0.0), ((0.2, MOST_STOLEN), MOST_STOLEN), ((0.2, 0.1, 0.3, 0.4), 0.1)],
    ids=["at once", "the second time", "a busy host"],
)
def test_what_the_host_disturbs_is_measured_again(taken: tuple[float, ...], kept: float) -> None:
    samples = iter([Sample(OURS, CASE, 1, {}, {"wsgid": 1.0}, each) for each in taken])
    assert undisturbed(lambda: next(samples)).stolen == kept
    assert next(samples, None) is None, "as often as needed"


def test_what_is_not_counted_for_the_processors_time_is_measured_once() -> None:
    sample = Sample(OURS, CASE, 1, {}, stolen=0.9)
    samples = iter([sample])
    assert undisturbed(lambda: next(samples)) is sample
