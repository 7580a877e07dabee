"""Every rule of the table in docs/conformance.md, on each edge."""

from collections.abc import Callable

import pytest

from tests.functional.conformance.play import Play
from tests.functional.conformance.rule import EDGES, Rule, Setup
from tests.functional.conformance.stage import Stage
from tests.functional.conformance.table import RULES


@pytest.mark.parametrize(
    ("rule", "edge"),
    [
        pytest.param(rule, edge, id=f"{edge}-{rule.name}")
        for rule in sorted(RULES, key=lambda rule: rule.setup.name)
        for edge in EDGES
        if rule.steps(edge)
    ],
)
def test_rule(stage_for: Callable[[Setup], Stage], rule: Rule, edge: str) -> None:
    Play(rule, edge, stage_for(rule.setup)).run()
