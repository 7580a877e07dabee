"""The scenarios, each in a module of its own, by their names and in the order of the page."""

from collections.abc import Mapping

from bench.scenario import Scenario
from bench.scenarios import (
    api,
    bodies,
    django_page,
    hello,
    killed,
    mixed,
    overload,
    reload,
    slow_clients,
    startup,
)

ALL: tuple[Scenario, ...] = (
    hello.OVER_HTTP,
    hello.BEHIND,
    api.OVER_HTTP,
    api.BEHIND,
    django_page.OVER_HTTP,
    django_page.BEHIND,
    mixed.MIXED,
    mixed.BEHIND,
    slow_clients.SLOW_CLIENTS,
    slow_clients.BEHIND,
    overload.OVERLOAD,
    overload.BEHIND,
    reload.RELOAD,
    reload.BEHIND,
    killed.KILLED,
    killed.BEHIND,
    bodies.ANSWERS_OVER_HTTP,
    bodies.ANSWERS_BEHIND,
    bodies.UPLOADS_OVER_HTTP,
    bodies.UPLOADS_BEHIND,
    startup.HELLO,
    startup.DJANGO,
)

SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in ALL}
