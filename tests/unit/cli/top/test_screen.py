"""What is drawn, at every size."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.unit.cli.top.readings import REPORT, a_death, counted, daemon, histogram, reading, worker
from wsgid.channel.commands import Served
from wsgid.cli.top.figures import Figures
from wsgid.cli.top.reading import History, Reading
from wsgid.cli.top.reckoning import figures
from wsgid.cli.top.screen import draw

BUSY = counted(
    requests={"GET": {"2xx": 80, "4xx": 15, "5xx": 5}},
    ends={"answered": 95, "refused": 4, "cut": 1, "left": 0, "killed": 0},
    wait=histogram(ms10=90, s1=10),
    service=histogram(ms100=100),
    deaths={"signal": 2, "max_requests": 1, "exit": 0},
    last_deaths=[a_death(90, 5.0), a_death(91, 7.0, "max_requests", lost=1)],
)


def told_by(*readings: Reading) -> Figures:
    history = History()
    for each in readings:
        history.add(each)
    return figures(history)


def under_load(*workers: Any) -> Figures:
    some = workers or (worker(30, 17, REPORT, state="busy"), worker(31, 23))
    first = reading(0.0, daemon(10, *some))
    return told_by(
        first,
        reading(8.0, daemon(10, *some)),
        reading(10.0, daemon(10, *some, counts=BUSY, queued=12, longest_wait=1.25), rss={10: 2**20, 30: 2**25}),
    )


def drawn(told: Figures, width: int = 80, height: int = 24) -> list[str]:
    """Lines as they are on the screen."""
    console = Console(width=width, height=height, force_terminal=True, color_system=None, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(draw(told, width, height, hint="q: quit"), end="")
    return [line.rstrip() for line in capture.get().splitlines()]


def test_an_ordinary_terminal() -> None:
    lines = drawn(under_load())
    assert lines[0].startswith("wsgid 10   up 60 s   http://127.0.0.1:8000   ")
    assert lines[0].endswith("q: quit")
    assert lines[1:] == [
        "50 requests/s   12 queued, the first for 1.25 s   1 of 2 threads busy   33 M",
        "last 10 s   2xx 80.0 %   4xx 15.0 %   5xx 5.0 %   4 refused   1 cut",
        "",
        "                 last 2.00 s                      last 10 s",
        "               p50      p95      p99           p50      p95      p99",
        "wait        8.7 ms   850 ms   970 ms        8.7 ms   850 ms   970 ms",
        "service      85 ms    98 ms   100 ms         85 ms    98 ms   100 ms",
        "",
        "WORKER   STATE      REQ/S     RSS       AGE  REQUEST",
        "30       busy           0    32 M    3.20 s  GET /report",
        "31       ready          0       -",
        "",
        "3 workers ended:   2 signal   1 max requests",
        *lines[14:],
    ]
    assert [line[8:] for line in lines[14:]] == [
        "  worker 91  max requests: killed by SIGKILL, with 1 request",
        "  worker 90  signal: killed by SIGKILL",
    ]


def test_a_narrow_one() -> None:
    lines = drawn(under_load(), 40, 12)
    assert lines[0].startswith("wsgid 10   up 60 s  ")
    assert lines[1] == "50 requests/s"
    assert "wait        8.7 ms   850 ms   970 ms" in lines
    assert "30       busy        3.20 s  GET /report" in lines


def test_the_busiest_of_many_and_how_many_more() -> None:
    many = [worker(pid, pid) for pid in range(100, 200)]
    told = told_by(
        reading(0.0, daemon(10, *(worker(pid, 0) for pid in range(100, 200)))), reading(1.0, daemon(10, *many))
    )
    lines = drawn(told)
    assert [line.split()[0] for line in lines if line[:1] == "1"][:3] == ["199", "198", "197"]
    assert lines[-1].strip() == "and 87 workers more"
    assert len(lines) == 24


def test_several_requests_of_a_worker() -> None:
    serving = [REPORT, Served("x", "GET", "/", "", 0.1)]
    lines = drawn(under_load(worker(30, 17, *serving, state="busy", threads=4)))
    assert "30       busy        2/4       0    32 M    3.20 s  GET /report  (+1)" in lines


def test_before_anything_is_known() -> None:
    lines = drawn(told_by(reading(0.0, daemon(10, worker(30)))))
    assert lines[1] == "- requests/s   0 queued   0 of 1 thread busy   0 M"
    assert lines[2] == "no request has ended yet"
    assert "wait             -        -        -" in lines


@pytest.mark.parametrize(
    ("daemons", "title"),
    [
        ((), "nothing runs on /srv/mysite"),
        ((daemon(10, counts=None),), "wsgid 10 does not answer"),
        ((daemon(10, draining=True),), "wsgid 10   stops   up 60 s   http://127.0.0.1:8000"),
        ((daemon(10, addresses=["unix:/\x1b[2J\n"]),), "wsgid 10   up 60 s   unix:/\\x1b[2J\\n"),
        ((daemon(10), daemon(20)), "2 daemons on /srv/mysite"),
        ((daemon(10), daemon(20, counts=None)), "2 daemons on /srv/mysite   1 of them silent"),
    ],
)
def test_titles(daemons: tuple[Any, ...], title: str) -> None:
    assert drawn(told_by(reading(0.0, *daemons)))[0].startswith(f"{title}   ")


def test_whose_worker_it_is() -> None:
    died = counted(deaths={"signal": 1}, last_deaths=[a_death(90, -90_000.0)])
    lines = drawn(told_by(reading(0.0, daemon(10, worker(30)), daemon(20, worker(40), counts=died))), 100)
    assert "10       30       ready          -         0       -" in lines
    assert lines[-1].endswith("  worker 90 of 20  signal: killed by SIGKILL")
    assert ":" not in lines[-1].partition("  worker")[0], "a date, as it was not today"


@pytest.mark.parametrize("height", [1, 2])
def test_hardly_any_height(height: int) -> None:
    lines = drawn(under_load(), 80, height)
    assert len(lines) == height
    assert lines[0].startswith("wsgid 10   ")


@given(width=st.integers(1, 250), height=st.integers(1, 60), count=st.integers(0, 40))
def test_no_line_is_broken_at_any_size(width: int, height: int, count: int) -> None:
    target = Served("5f3a-1", "GET", "/" + "x" * 255, "2001:db8:1234:5678:9abc:def0:1234:5678", 1e9)
    many = [worker(2**22 - pid, 10**9, target, target, state="starting", threads=999) for pid in range(count)]
    lines = drawn(under_load(*many), width, height)
    assert all(len(line) <= width for line in lines)
    if height <= 2 or height >= 6:
        assert len(lines) <= height, "no line has become two"
