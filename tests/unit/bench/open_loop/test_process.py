"""The generator in a process of its own."""

import pytest
from bench.contender import NotMeasured
from bench.open_loop import process
from bench.open_loop.outcome import Fate, Outcome
from bench.open_loop.process import load
from bench.open_loop.schedule import Kind, Plan

from tests.functional.mongrel2 import free_port

KIND = Kind("any", "/", b"", rate=20.0, even=True)


def test_what_became_of_the_requests_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outcome, "valid", True)  # the machine may be busy: it is not what is tested
    outcome = load(Plan(("127.0.0.1", free_port()), (KIND,), seconds=0.2, warm_up=0.0))
    assert outcome.fates == {Fate.REFUSED: 4}


def test_clients_that_are_late_each_time_are_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, tries = Plan(("127.0.0.1", free_port()), (KIND,), seconds=0.1, warm_up=0.0), []

    def late(outcome: Outcome) -> bool:
        tries.append(outcome)
        return False

    monkeypatch.setattr(Outcome, "valid", property(late))
    with pytest.raises(NotMeasured, match="the clients were late by"):
        load(plan)
    assert len(tries) == process.TRIES
