"""bench.measure: the processors' time and the memory of processes."""

import os

import pytest
from bench.measure import ENDED, TICK, Spent, memory, processors, proportional, read_stat, spent, stolen


def test_a_line_of_proc() -> None:
    fields = " ".join(str(number) for number in range(4, 52))
    assert read_stat(f"12 (a (strange) name) S {fields}") == pytest.approx(((14 + 15) * TICK, (16 + 17) * TICK))


def test_each_role_has_its_own() -> None:
    before = {1: Spent("nginx", 1.0, 0.0), 2: Spent("nginx workers", 2.0, 0.0), 3: Spent("nginx workers", 3.0, 0.0)}
    after = {1: Spent("nginx", 1.5, 0.0), 2: Spent("nginx workers", 4.0, 0.0), 3: Spent("nginx workers", 4.0, 0.0)}
    assert spent(before, after) == {"nginx": 0.5, "nginx workers": 3.0}


def test_a_process_that_began_meanwhile_counts_wholly() -> None:
    assert spent({}, {7: Spent("granian", 0.75, 0.0)}) == {"granian": 0.75}


def test_of_one_that_has_ended_only_what_it_spent_meanwhile_counts() -> None:
    before = {1: Spent("wsgid", 1.0, 5.0), 2: Spent("wsgid workers", 2.0, 0.0)}
    after = {1: Spent("wsgid", 1.0, 8.5)}  # 2 came to 2.5, one that began and ended to 1
    assert spent(before, after) == {"wsgid": 0.0, ENDED: 1.5}


def test_memory_of_processes_that_are_there() -> None:
    own = proportional(os.getpid())
    assert own > 1024 * 1024
    assert memory([]) == proportional(2**22 + 1) == 0
    assert memory([os.getpid()]) == pytest.approx(own, rel=0.2)


def test_what_the_host_has_taken() -> None:
    # user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice: a guest's time is also a user's.
    assert stolen([0] * 10, [40, 0, 20, 20, 0, 0, 10, 10, 40, 0]) == pytest.approx(0.1)
    assert stolen(processors(), processors()) <= 1
    assert stolen([7] * 10, [7] * 10) == 0, "no time has passed"
