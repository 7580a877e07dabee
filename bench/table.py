"""Results as Markdown: the tables of one scenario, and what is to be said of its contenders and its run."""

import statistics
from collections.abc import Iterator, Sequence

from bench.results import Results
from bench.scenario import CPU, MEMORY, Metric, Scenario
from bench.targets import Verdict, verdicts


def tables(scenario: Scenario, results: Results) -> str:
    """A table for each case, the failures, the verdicts, the notes and the conditions."""
    parts = [f"{case}:\n\n{case_table(scenario, results, case)}" for case in results.cases()]
    parts += [f"Not measured: {each.contender}: {each.reason.splitlines()[0]}" for each in results.failures]
    judged = verdicts(scenario, results)
    if judged:
        parts.append(verdict_table(judged, scenario))
    parts += [notes(results), conditions(results)]
    return "\n\n".join(filter(None, parts))


def case_table(scenario: Scenario, results: Results, case: str) -> str:
    metrics = [each for each in (*scenario.metrics, CPU, MEMORY) if _measured(results, case, each)]
    lines = ["| server | " + " | ".join(metric.title for metric in metrics) + " |"]
    lines.append("| --- |" + " ---: |" * len(metrics))
    for contender in results.differs:
        cells = [cell(results, contender, case, metric) for metric in metrics]
        lines.append(f"| {contender} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _measured(results: Results, case: str, metric: Metric) -> bool:
    return any(results.values(contender, case, metric.key) for contender in results.differs)


def cell(results: Results, contender: str, case: str, metric: Metric) -> str:
    """The median, and from where to where the rounds went; for the processors' time, whose it was."""
    values = results.values(contender, case, metric.key)
    if not values:
        return ""
    median = metric.form.format(statistics.median(values))
    if metric.key == CPU.key:
        return median + _shares(results, contender, case, metric)
    least, most = metric.form.format(min(values)), metric.form.format(max(values))
    return median if least == most else f"{median} ({least} to {most})"


def _shares(results: Results, contender: str, case: str, metric: Metric) -> str:
    shares = {role: metric.form.format(each) for role, each in results.cpu(contender, case).items()}
    told = [f"{role} {share}" for role, share in shares.items() if share != metric.form.format(0)]
    return f" ({', '.join(told)})" if len(told) > 1 else ""


def verdict_table(judged: Sequence[Verdict], scenario: Scenario) -> str:
    lines = ["| to be shown | measured | |", "| --- | ---: | --- |"]
    lines += [verdict_row(each, scenario) for each in judged]
    return "\n".join(lines)


def verdict_row(verdict: Verdict, scenario: Scenario) -> str:
    return f"| {wanted(verdict, scenario)} | {measured(verdict, scenario)} | {outcome(verdict)} |"


def wanted(verdict: Verdict, scenario: Scenario) -> str:
    target = verdict.target
    limit = "at most" if target.at_most else "at least"
    metric = _metric(scenario, target.metric)
    bound = f"{target.bound:g} times {target.against}" if target.against else metric.form.format(target.bound)
    return f"{target.contender}, {target.case}: {metric.title} {limit} {bound}"


def measured(verdict: Verdict, scenario: Scenario) -> str:
    if verdict.figure is None:
        return "not measured"
    if verdict.target.against:
        return f"{verdict.figure:.2f}"
    return _metric(scenario, verdict.target.metric).form.format(verdict.figure)


def outcome(verdict: Verdict) -> str:
    return (
        "met"
        if verdict.met
        else " ".join(filter(None, ["**missed**:" if verdict.reason else "**missed**", verdict.reason]))
    )


def _metric(scenario: Scenario, key: str) -> Metric:
    return next(each for each in (*scenario.metrics, CPU, MEMORY) if each.key == key)


def notes(results: Results) -> str:
    """What is not comparable."""
    return "\n".join(f"- {name}: {differs}" for name, differs in results.differs.items() if differs)


def conditions(results: Results) -> str:
    told = results.conditions
    return (
        f"{told.date}, medians of {results.rounds} rounds (least to most), {results.seconds:g} s each; {told.cores} "
        f"cores shared with the clients ({told.processor}), {told.kernel}, load {told.load:g} before; "
        f"{', '.join(_versions(results))}."
    )


def _versions(results: Results) -> Iterator[str]:
    """Of what took part: a program whose name is in no contender's did not."""
    said = " ".join(results.differs).lower()
    for name, version in results.conditions.versions.items():
        if name in ("Python", "wrk", "Django") or name.lower() in said:
            yield f"{name} {version}"
