"""bench.scenarios: what they say fits together."""

import pytest
from bench.reasons import REASONS
from bench.scenario import Scenario
from bench.scenarios import ALL, SCENARIOS


def test_names_are_unique() -> None:
    assert len(SCENARIOS) == len(ALL)


@pytest.mark.parametrize("scenario", ALL, ids=lambda each: each.name)
def test_contenders_and_cases_have_names_of_their_own(scenario: Scenario) -> None:
    assert len({each.name for each in scenario.contenders}) == len(scenario.contenders)
    assert len({each.name for each in scenario.cases}) == len(scenario.cases)
    assert len({each.name for each in scenario.targets}) == len(scenario.targets)


@pytest.mark.parametrize("scenario", ALL, ids=lambda each: each.name)
def test_targets_name_what_is_there(scenario: Scenario) -> None:
    contenders = {each.name for each in scenario.contenders}
    for target in scenario.targets:
        assert target.case in {each.name for each in scenario.cases}
        assert target.contender in contenders
        assert target.against in {"", *contenders}
        assert target.metric in {each.key for each in scenario.columns}


def test_reasons_are_of_targets() -> None:
    assert set(REASONS) <= {f"{scenario.name}/{target.name}" for scenario in ALL for target in scenario.targets}
