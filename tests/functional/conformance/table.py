"""All rules, in the order of docs/conformance.md."""

from tests.functional.conformance.rules import (
    bodies,
    connections,
    environ,
    environ_headers,
    failures,
    files,
    framing,
    front_ends,
    heads,
    inputs,
    lengths,
    limits,
    request_bodies,
    request_headers,
    request_lines,
    start_response,
    urls,
)

GROUPS = (
    *environ.GROUPS,
    *environ_headers.GROUPS,
    *urls.GROUPS,
    *front_ends.GROUPS,
    *inputs.GROUPS,
    *start_response.GROUPS,
    *heads.GROUPS,
    *bodies.GROUPS,
    *lengths.GROUPS,
    *failures.GROUPS,
    *files.GROUPS,
    *framing.GROUPS,
    *connections.GROUPS,
    *request_lines.GROUPS,
    *request_headers.GROUPS,
    *request_bodies.GROUPS,
    *limits.GROUPS,
)

RULES = tuple(rule for group in GROUPS for rule in group.rules)
