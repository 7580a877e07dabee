"""All rules, in the order of docs/conformance.md."""

from tests.functional.conformance.rules import (
    bodies,
    connections,
    environ,
    framing,
    front_ends,
    heads,
    inputs,
    limits,
    refused,
    start_response,
    urls,
)

GROUPS = (
    *environ.GROUPS,
    *urls.GROUPS,
    *front_ends.GROUPS,
    *inputs.GROUPS,
    *start_response.GROUPS,
    *heads.GROUPS,
    *bodies.GROUPS,
    *framing.GROUPS,
    *connections.GROUPS,
    *refused.GROUPS,
    *limits.GROUPS,
)

RULES = tuple(rule for group in GROUPS for rule in group.rules)
