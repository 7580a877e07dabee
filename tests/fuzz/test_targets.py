"""A moment of fuzzing for the gate: what is known, and a little that is always the same. scripts/fuzz goes on."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.fuzz.campaign import MOST_FILES, fuzz, learn, read, write
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import PLANTED, TARGETS, Target

targets = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())


@targets
def test_nothing_is_wrong_with_what_is_known_nor_with_what_is_like_it(target: Target) -> None:
    known = [*target.seeds(), *read(target.corpus)]
    with target.opened() as check:
        for data in (*known, *mutated(known, target.short, target.longest)):
            try:
                check(data)
            except Exception as error:
                error.add_note(f"The input is {data!r}")
                raise


@targets
def test_the_corpus_is_small(target: Target) -> None:
    sizes = [len(data) for data in read(target.corpus)]
    assert 0 < len(sizes) <= MOST_FILES
    assert max(sizes) <= target.longest


def test_chance_is_always_the_same() -> None:
    first = list(mutated([b"hello", b"world"], 100, 8))
    assert first == list(mutated([b"hello", b"world"], 100, 8))
    assert len(set(first)) > 90
    assert max(map(len, first)) == 8


# atheris.


def test_a_finding_is_told_and_kept(tmp_path: Path) -> None:
    planted = replace(PLANTED, folder=tmp_path / "corpus")
    result = fuzz(planted, seconds(60), tmp_path / "findings", lambda _: None)
    assert "AssertionError: this is planted" in result.told
    [finding] = result.findings
    assert finding.read_bytes().startswith(b"bug")
    assert result.executions > 0


def test_of_what_is_found_little_is_learnt(tmp_path: Path) -> None:
    """What reaches no code that others do not reach is dropped, also when it was learnt before."""
    target = replace(TARGETS["tnetstrings"], folder=tmp_path)
    worthy = read(TARGETS["tnetstrings"].corpus)
    write(target.corpus, [b"7:1:a,0:~]"])
    write(tmp_path / "found", [*worthy, *(b"2:%02d," % number for number in range(100))])
    assert learn(target, tmp_path / "found") == read(target.corpus) == worthy
