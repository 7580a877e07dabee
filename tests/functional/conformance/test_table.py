"""The table itself."""

import re
from collections import Counter

from tests.functional.conformance.page import page
from tests.functional.conformance.rule import EDGES
from tests.functional.conformance.table import RULES


def test_each_rule_has_a_name_of_its_own() -> None:
    counts = Counter(rule.name for rule in RULES)
    assert [name for name, count in counts.items() if count > 1] == []
    assert [name for name in counts if not re.fullmatch(r"[a-z0-9.]+(-[a-z0-9.]+)*", name)] == []


def test_each_rule_is_tried_and_says_why_not() -> None:
    for rule in RULES:
        assert any(rule.steps(edge) for edge in EDGES), rule.name
        for text in (rule.text, *(each.reason for edge in EDGES if (each := rule.differs(edge)))):
            assert text.endswith("."), (rule.name, text)


def test_the_page_has_a_row_for_each_rule() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| ")]
    for rule in RULES:
        [row] = [row for row in rows if row.endswith(f"| `{rule.name}` |")]
        assert row.count(" | ") == 4, row
