"""Results and a scenario, as small as they can be."""

from bench.contender import APPS, Application, Contender
from bench.results import Conditions, Results, Sample
from bench.scenario import Case, Measured, Metric, Scenario, Target, Turn

OURS, THEIRS = "wsgid, 2 workers", "gunicorn sync, 2 workers"

CASE = "many connections"

RATE = Metric("rate", "requests/s")

Rounds = dict[str, list[float]]
"""What each contender reached, round after round."""


def results(rates: Rounds, cpu: dict[str, dict[str, float]] | None = None, differs: str = "") -> Results:
    """``cpu`` of each contender by role, the same in each round; ``differs`` is said of the last contender."""
    found = cpu or {}
    samples = [
        Sample(name, CASE, number, {"rate": rate, "cpu": sum(found.get(name, {}).values())}, found.get(name, {}))
        for name, each in rates.items()
        for number, rate in enumerate(each, 1)
    ]
    notes = {**dict.fromkeys(rates, ""), list(rates)[-1]: differs}
    where = Conditions(
        "2026-01-02", 2, "a processor", "Linux 6", 0.25, {"Python": "3.11", "wsgid": "1", "granian": "2"}
    )
    return Results("small", False, 3, 3.0, where, notes, samples, [])


def scenario(*targets: Target) -> Scenario:
    def measure(turn: Turn) -> Measured:
        raise AssertionError("nothing is measured here")

    def start(*arguments: object) -> None:
        raise AssertionError("nothing is started here")

    return Scenario(
        name="small",
        title="A small one",
        words="Little happens.",
        application=lambda: Application(APPS / "api"),
        contenders=(Contender(OURS, start), Contender(THEIRS, start)),  # type: ignore[arg-type]
        cases=(Case(CASE, measure), Case("few connections", measure, quick=False)),
        metrics=(RATE,),
        targets=targets,
    )
