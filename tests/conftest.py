"""For every test: it leaves no process behind, and no bytecode of code that it writes; what it reaches by chance is not
measured."""

import os
import signal
import sys
from collections.abc import Iterator

import coverage
import pytest
from hypothesis import HealthCheck, settings

from tests import proc
from tests.deadlines import wait_for

LAST_BREATH = 2.0
"""Seconds for processes that were told to end as the test ended; what is still there then was left behind."""


def pytest_configure() -> None:
    # How long an example takes, or is in the making, says more about the machine than about the code. (A test that
    # suppresses another check has to name this one as well.)
    settings.register_profile("wsgid", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("wsgid")
    # A shell that starts the tests in the background has them ignore Ctrl-C, as would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    proc.adopt_orphans()


def pytest_collection_finish() -> None:
    # The bytecode of the tests and of the code under test has been read, or written, by now. That of code which a test
    # writes must not be: Python takes a file for unchanged that is written again in the same second and is as long.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    # Examples that hypothesis makes up are others each time, and so would be what is covered. Measured they would take
    # twice as long, for hypothesis itself is slowed down too.
    measured = coverage.Coverage.current() if item.get_closest_marker("hypothesis") else None
    if measured is None:
        yield
        return
    measured.stop()
    try:
        yield
    finally:
        measured.start()


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    """Fails a test that leaves a process, and kills the process, so that the next test starts clean."""
    yield from watch_processes()


def watch_processes() -> Iterator[None]:
    proc.reap()  # orphans that earlier tests left as zombies: each would be looked at again and again
    before = {each.pid for each in proc.own_descendants()}
    yield
    if not _left(before):
        return
    try:
        wait_for(lambda: not _left(before), "processes to end", LAST_BREATH)
    except AssertionError:
        left = _left(before)
        told = "\n".join(str(each) for each in left)
        for each in left:
            proc.kill(each)
        wait_for(lambda: not _left(before), "killed processes to end")
        pytest.fail(f"the test left processes behind:\n{told}", pytrace=False)


def _left(before: set[int]) -> list[proc.Process]:
    """Living descendants, but for those of ``before`` and their children: a fixture of a wider scope may have them."""
    if not before:
        proc.reap()
    kept = before | {child.pid for pid in before for child in proc.descendants(pid)}
    return [each for each in proc.own_descendants() if each.pid not in kept and not each.zombie]
