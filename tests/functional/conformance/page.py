"""docs/conformance.md, from the rules: scripts/docs writes it."""

import re
from collections.abc import Iterable, Mapping

from tests.functional.conformance.outcomes import Answer, Continue, Cut, Dropped, Gone, Known, Step, Told
from tests.functional.conformance.rule import EDGES, HTTP, MONGREL2, Group, Rule, Why
from tests.functional.conformance.table import GROUPS, RULES

TESTS = "tests/functional/conformance"

MARKS = {HTTP: "H", MONGREL2: "M"}
"""What a reason's number begins with, by the edge that it is about."""

ROOM = 60
"""Characters for the variables that a cell tells of; more of them say less."""

TITLES = {
    Why.LEFT: "What is left to Mongrel2",
    Why.WRONG: "What Mongrel2 gets wrong",
    Why.UNTOLD: "What Mongrel2 does not tell",
    Why.OTHERWISE: "What else is not the same",
}

HEAD = """\
<!-- Made by scripts/docs from {tests}/rules: change that, not this. -->

# Conformance

What wsgid makes of PEP 3333 and of HTTP/1 (RFC 9110, RFC 9112), rule by rule. Each row is a test. It sends a request
to the real command, once over its own HTTP and once through a real Mongrel2 (Debian's 1.12.2), and looks at all that
comes of it: the answer, which [h11](https://h11.readthedocs.io) reads; the access log and the main log; whether the
connection goes on; the answer to an ordinary request afterwards. Applications that keep the rules are called through
`wsgiref.validate`, which complains of a gateway that does not.

{rules} rules, {count} tests. One rule on both edges, by its name:

    .venv/bin/pytest {tests} -k "http-NAME or mongrel2-NAME"

In the columns of the edges stand the status of each answer, variables of the environ as the application was told them,
and *logged* where the main log must say what was wrong. *refused* means that wsgid answers by itself, reads nothing
more from this client and ends the connection; *cut*, that the connection ends within an answer, so that the client can
tell. A mark such as **M1** leads to the reason why an edge does otherwise.
"""


def page() -> str:
    marks = _marks()
    count = sum(bool(rule.steps(edge)) for rule in RULES for edge in EDGES)
    parts = [HEAD.format(tests=TESTS, rules=len(RULES), count=count)]
    parts += [_reasons(why, marks) for why in Why]
    parts += [_table(group, marks) for group in GROUPS]
    return "\n".join(parts)


def _marks() -> dict[tuple[str, str], str]:
    """Of each edge's reasons, in the order in which they are told."""
    marks: dict[tuple[str, str], str] = {}
    for edge in EDGES:
        differences = [differs for rule in RULES if (differs := rule.differs(edge))]
        reasons = [each.reason for why in Why for each in differences if each.why is why]
        marks |= {(edge, each): f"{MARKS[edge]}{number}" for number, each in enumerate(dict.fromkeys(reasons), 1)}
    return marks


def _reasons(why: Why, marks: dict[tuple[str, str], str]) -> str:
    lines = [f"## {TITLES[why]}\n"]
    for (edge, reason), mark in marks.items():
        rules = [
            rule for rule in RULES if (differs := rule.differs(edge)) and (differs.why, differs.reason) == (why, reason)
        ]
        if rules:
            lines.append(f"- **{mark}** {reason} ({', '.join(f'`{rule.name}`' for rule in rules)})")
    return "\n".join([*lines, ""])


def _table(group: Group, marks: dict[tuple[str, str], str]) -> str:
    rows = [
        f"## {group.title}",
        "",
        *([group.about, ""] if group.about else []),
        "| rule | source | HTTP | Mongrel2 | name |",
        "| --- | --- | --- | --- | --- |",
        *(_row(rule, marks) for rule in group.rules),
        "",
    ]
    return "\n".join(rows)


def _row(rule: Rule, marks: dict[tuple[str, str], str]) -> str:
    http, mongrel2 = (_cell(rule, edge, marks) for edge in EDGES)
    cells = (rule.text, rule.source, http, "the same" if mongrel2 == http else mongrel2, f"`{rule.name}`")
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _cell(rule: Rule, edge: str, marks: dict[tuple[str, str], str]) -> str:
    differs = rule.differs(edge)
    outcome = _outcome(rule.steps(edge)) or "not tried"
    return outcome if differs is None else f"{outcome} (**{marks[edge, differs.reason]}**)"


def _outcome(steps: Iterable[Step]) -> str:
    return ", ".join(filter(None, map(_in_words, steps)))


def _in_words(step: Step) -> str:
    match step:
        case Answer():
            return _answer_in_words(step)
        case Cut():
            how = "cut by a reset" if step.reset else "cut"
            return f"{step.status} {how}{', logged' if step.log else ''}"
        case Gone():
            return "the end" if step.code else ""
        case Dropped():
            return f"{step.code} for what follows"
        case Continue():
            return "100"
        case _:
            return ""


def _answer_in_words(answer: Answer) -> str:
    code = ", ".join(map(str, (*answer.informational, answer.status)))
    if answer.end:
        code += f" {answer.end}"
    elif not answer.ours:
        code += " by Mongrel2"
    elif answer.closes:
        code += ", then the end"
    said = [code, *(["logged"] if answer.log else []), _told(answer.environ or {})]
    return ", ".join(filter(None, said))


def _told(environ: Mapping[str, Told]) -> str:
    """The variables that are always the same, if there is room for them."""
    said = [
        f"no {name}" if value is None else f"{name} `{value!a}`"
        for name, value in environ.items()
        if not isinstance(value, Known | re.Pattern)
    ]
    text = ", ".join(said)
    return text if len(text) <= ROOM else ""
