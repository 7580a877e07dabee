"""Each wrong option, key, address, right and file has its message, and its exit code: the table is in wrong_inputs/."""

from collections.abc import Iterator

import pytest

from tests.functional.wrong_inputs.messages import messages
from tests.functional.wrong_inputs.options import WRONG
from tests.functional.wrong_inputs.row import Row
from tests.functional.wrong_inputs.table import ROWS, TABLES
from tests.functional.wrong_inputs.trial import Outcome, Trial, trial
from wsgid.config import OPTIONS

EXCUSED = {
    "no directory": "options.py: the option itself says what it expects",
    "no octal number": "as above",
    "no script name": "as above",
    "no header value": "as above",
    "** has no name": "loaders/target.py: told as an argument that is no literal",
    " {}: a .socket unit of its own must pass it, see docs/deploy.md": "the reasons in it are in test_activation.py",
}
"""Messages that nobody sees as they stand, and what is seen instead."""


@pytest.fixture(scope="module")
def tried() -> Iterator[Trial]:
    with trial() as made:
        yield made


@pytest.mark.parametrize("name", TABLES)
def test_what_is_said(name: str, tried: Trial) -> None:
    """One test for a table: what surrounds each test would take longer than its row."""
    faults = [fault for row in TABLES[name] if (fault := _fault(row, tried.of(row)))]
    assert not faults, "\n\n".join(faults)


def _fault(row: Row, outcome: Outcome) -> str:
    """What is not as the row has it."""
    shown = f"{row.name}: wsgid {row.line}\nexit code {outcome.code}\n{outcome.told}"
    if outcome.code != row.code:
        return f"{shown}the code should be {row.code}"
    if not row.pattern(outcome.here).search(outcome.told):
        return f"{shown}should be said: {row.told}"
    traceback = "Traceback" in outcome.told and "cannot load" not in outcome.told and " failed: " not in outcome.told
    return f"{shown}there should be no traceback" if traceback else ""


def test_every_option_has_a_row() -> None:
    assert WRONG.keys() | {"app_path"} == {each.name for each in OPTIONS}


def test_rows_are_told_apart() -> None:
    assert len({each.name for each in ROWS}) == len(ROWS)


def test_every_message_is_known_to_a_row_or_to_another_test(tried: Trial) -> None:
    told = [tried.of(row).told for row in ROWS]
    unsaid = [each for each in messages() if not any(map(each.is_in, told))]
    unknown = {str(each): each.place for each in unsaid if not each.is_quoted()}
    assert unknown.keys() == EXCUSED.keys(), unknown


def test_messages_are_found() -> None:
    found = list(messages())
    assert len(found) > 100
    assert "the current directory has been removed: change to one that exists" in map(str, found)
