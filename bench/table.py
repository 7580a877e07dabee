"""Results as Markdown: the tables of one scenario, and what is to be said of its contenders and its run."""

import statistics
from collections.abc import Callable, Iterator, Sequence

from bench.results import Results
from bench.scenario import CPU, Metric, Scenario
from bench.targets import Verdict, verdicts

MAY_BE_ABSENT = {"gunicorn", "waitress", "granian", "Django", "Mongrel2", "nginx", "uWSGI"}

Column = tuple[str, Callable[[str], str]]
"""Its head, and its cell for a contender."""


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
    """A row for each contender, in the order of the scenario; columns in which nothing was measured are left out."""
    metrics = [each for each in scenario.columns if _measured(results, case, each)]
    columns = [_column(results, case, metric) for metric in metrics]
    return _rows(results, [*columns[:1], *_ratio(results, case, metrics[0]), *columns[1:]])


def short_table(scenario: Scenario, results: Results, case: str) -> str:
    """The first metric and the processors' time alone."""
    first = scenario.metrics[0]
    columns = [_column(results, case, first), *_ratio(results, case, first)]
    columns.append(_column(results, case, _metric(scenario, CPU.key)))
    return _rows(results, columns)


def _rows(results: Results, columns: Sequence[Column]) -> str:
    lines = [f"| server | {' | '.join(head for head, _ in columns)} |", "| --- |" + " ---: |" * len(columns)]
    lines += [f"| {name} | {' | '.join(cell(name) for _, cell in columns)} |" for name in results.differs]
    return "\n".join(lines)


def _measured(results: Results, case: str, metric: Metric) -> bool:
    return any(results.values(contender, case, metric.key) for contender in results.differs)


def _column(results: Results, case: str, metric: Metric) -> Column:
    return metric.title, lambda contender: cell(results, contender, case, metric)


def _ratio(results: Results, case: str, metric: Metric) -> list[Column]:
    """How many times the first contender's value each one's is; nothing where that one has none, or 0."""
    medians = {name: results.median(name, case, metric.key) for name in results.differs}
    first = next(iter(medians.values()))
    if not first:
        return []
    ratios = {name: "" if median is None else f"{median / first:.2f}" for name, median in medians.items()}
    return [("ratio", ratios.__getitem__)]


def cell(results: Results, contender: str, case: str, metric: Metric) -> str:
    """The median, and from where to where the rounds went; for the processors' time, whose it was."""
    values = results.values(contender, case, metric.key)
    if not values:
        return ""
    median = metric.form.format(statistics.median(values))
    if metric.key == CPU.key:
        return median + _shares(results, contender, case)
    least, most = metric.form.format(min(values)), metric.form.format(max(values))
    return median if least == most else f"{median} ({least} to {most})"


def _shares(results: Results, contender: str, case: str) -> str:
    shares = {role: CPU.form.format(each) for role, each in results.cpu(contender, case).items()}
    told = [f"{role} {share}" for role, share in shares.items() if share != CPU.form.format(0)]
    return f" ({', '.join(told)})" if len(told) > 1 else ""


def verdict_table(judged: Sequence[Verdict], scenario: Scenario) -> str:
    rows = [verdict_row(each, scenario) for each in judged]
    return "\n".join(["| to be shown | measured | |", "| --- | ---: | --- |", *rows])


def verdict_row(verdict: Verdict, scenario: Scenario) -> str:
    return f"| {wanted(verdict, scenario)} | {measured(verdict, scenario)} | {outcome(verdict)} |"


def wanted(verdict: Verdict, scenario: Scenario) -> str:
    target = verdict.target
    limit = "at most" if target.at_most else "at least"
    metric = _metric(scenario, target.metric)
    bound = f"{target.bound:g} times {target.against}" if target.against else metric.form.format(target.bound)
    always = ", in every round" if target.every_round else ""
    return f"{target.contender}, {target.case}: {metric.title} {limit} {bound}{always}"


def measured(verdict: Verdict, scenario: Scenario) -> str:
    if verdict.figure is None:
        return "not measured"
    if verdict.target.against:
        return f"{verdict.figure:.2f}"
    return _metric(scenario, verdict.target.metric).form.format(verdict.figure)


def outcome(verdict: Verdict) -> str:
    if verdict.met:
        return "met"
    return f"**missed**: {verdict.reason}" if verdict.reason else "**missed**"


def _metric(scenario: Scenario, key: str) -> Metric:
    return next(each for each in scenario.columns if each.key == key)


def notes(results: Results) -> str:
    """What is not comparable."""
    return "\n".join(f"- {name}: {differs}" for name, differs in results.differs.items() if differs)


def conditions(results: Results) -> str:
    told = results.conditions
    rounds = f"medians of {results.rounds} rounds (least to most)" if results.rounds > 1 else "one round"
    stolen = results.most_stolen()
    host = "" if stolen is None else f", at most {stolen:.0%} of a measurement's time taken by the machine's host"
    return (
        f"{told.date}, {rounds}, each of {results.seconds:g} s or more; {told.cores} "
        f"cores shared with the clients ({told.processor}), {told.kernel}, load {told.load:g} before{host}; "
        f"{', '.join(_versions(results))}."
    )


def _versions(results: Results) -> Iterator[str]:
    """Of what took part: something that neither the scenario nor a contender is named after did not."""
    said = " ".join([results.scenario, *results.differs]).lower()
    for name, version in results.conditions.versions.items():
        if name.lower() in said or name not in MAY_BE_ABSENT:
            yield f"{name} {version}"
