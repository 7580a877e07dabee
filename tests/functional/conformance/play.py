"""Tries one rule on one edge: sends, reads, and compares all that came of it with what should have.

After each rule an ordinary request must be answered as ever, on the same connection where that goes on: then nothing
more and nothing less has been read or sent than should have been. Its line in the access log comes last, and what the
one worker has logged and noted is there by then.
"""

import itertools
from dataclasses import dataclass

import pytest

from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.conformance import judge
from tests.functional.conformance.access import Line, read_lines
from tests.functional.conformance.outcomes import (
    Answer,
    Comes,
    Continue,
    Cut,
    Dropped,
    Ending,
    FinishesSending,
    Gone,
    Opens,
    Sends,
    Step,
)
from tests.functional.conformance.requests import get
from tests.functional.conformance.rule import Rule
from tests.functional.conformance.stage import Stage

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

PROBE = "/do/probe"

numbers = itertools.count(1)
"""Of probes: the line of each in the access log is known by it."""


@dataclass(frozen=True)
class Ended:
    """A request that has ended, and what the client got."""

    wanted: Ending
    code: int
    size: int
    """Bytes of the body."""
    answer: clients.Answer | None = None


class Play:
    def __init__(self, rule: Rule, edge: str, stage: Stage) -> None:
        self._rule = rule
        self._edge = edge
        self._stage = stage
        self._client = stage.connect(edge)
        self._sent = rule.send
        """Last."""
        self._open = True
        """The connection."""
        self._ended: list[Ended] = []

    def run(self) -> None:
        """Raises AssertionError, and what `clients.Connection` raises."""
        steps = self._rule.steps(self._edge)
        with self._client, self._stage.made_gates(step.gate for step in steps if isinstance(step, Opens)):
            self._stage.skip()
            self._client.send(self._sent)
            for step in steps:
                self._take(step)
            probe = self._probe()
        self._compare(probe)

    # The client's side

    def _take(self, step: Step) -> None:
        client = self._client
        match step:
            case Sends():
                self._sent = step.data
                client.send(step.data)
            case FinishesSending():
                client.finish_sending()
            case Comes():
                client.receive_until(step.data)
            case Opens():
                self._stage.gates.release(step.gate)
            case Continue():
                judge.same(client.receive(), CONTINUE, "what came first")
            case Answer():
                self._answer(step)
            case Cut():
                self._cut(step)
            case Gone():
                client.expect_end()
                self._open = False
                if step.code:
                    self._ended.append(Ended(step, step.code, 0))
            case Dropped():
                self._ended.append(Ended(step, step.code, 0))

    def _answer(self, wanted: Answer) -> None:
        answer = self._client.answer(wanted.to or self._method)
        judge.check_answer(answer, wanted)
        if wanted.ours:
            judge.check_form(answer, wanted)
            self._ended.append(Ended(wanted, answer.status, len(answer.body), answer))
        if wanted.closes:
            self._client.expect_end()
            self._open = False

    def _cut(self, wanted: Cut) -> None:
        with pytest.raises(clients.Cut) as caught:
            self._client.answer(self._method)
        judge.same((caught.value.status, caught.value.body), (wanted.status, wanted.body), "the part that came")
        judge.same(self._client.was_reset, wanted.reset, "the end by a reset")
        self._open = False
        self._ended.append(Ended(wanted, wanted.code or wanted.status, len(wanted.body)))

    @property
    def _method(self) -> str:
        """Of the request that was sent last, as far as it matters to its answer."""
        return "HEAD" if self._sent.startswith(b"HEAD ") else "GET"

    def _probe(self) -> str:
        """Its target."""
        target = f"{self._rule.setup.prefix}{PROBE}?{next(numbers)}"
        if self._open:
            judge.check_probe(self._client, get(target))
        else:
            with self._stage.connect(self._edge) as client:
                judge.check_probe(client, get(target))
        return target

    # The daemon's side

    def _compare(self, probe: str) -> None:
        lines = wait_for(lambda: self._lines(probe), "the line of each request in the access log")[:-1]
        judge.same(len(lines), len(self._ended), "how many lines the access log has")
        for ended, line in zip(self._ended, lines, strict=True):
            judge.check_line(line, ended.wanted, ended.code, ended.size)
            if isinstance(ended.wanted, Answer) and ended.answer is not None:
                judge.check_told(ended.answer, ended.wanted, line.request_id, self._stage.address(self._edge))
        wanted = [record for ended in self._ended for record in ended.wanted.log]
        wait_for(lambda: len(self._stage.records) >= len(wanted), f"{wanted} in the log")
        judge.check_records(self._stage.records, wanted, lines)
        notes = [note for ended in self._ended for note in ended.wanted.notes]
        judge.same(self._stage.notes.text().splitlines(), notes, "what the application has noted")

    def _lines(self, probe: str) -> list[Line] | None:
        """Of the access log, the probe's last; None as long as some are missing."""
        lines = read_lines(self._stage.access.text())
        there = len(lines) > len(self._ended) and any(probe in line.asked for line in lines)
        return sorted(lines, key=lambda line: probe in line.asked) if there else None
