"""The scenarios, each in a module of its own, by their names and in the order of the page."""

from collections.abc import Mapping

from bench.scenario import Scenario
from bench.scenarios import hello

ALL: tuple[Scenario, ...] = (hello.DIRECT,)

SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in ALL}
