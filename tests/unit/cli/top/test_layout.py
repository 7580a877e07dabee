"""What gives way to what, for all sizes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.channel.commands import Served
from wsgid.cli.top.figures import WorkerFigures
from wsgid.cli.top.layout import (
    FEWEST_DEATHS,
    FEWEST_WORKERS,
    PADDING,
    REQUEST_WIDTH,
    Height,
    columns,
    divide,
    fitting,
    in_order,
)


def lines(room: Height) -> int:
    """That all of it takes."""
    gaps = room.gaps * (1 + room.times + room.causes)
    return 2 + room.ends + 4 * room.times + 1 + room.workers + room.causes + room.deaths + gaps


def test_an_ordinary_terminal() -> None:
    assert divide(24, 4, 20) == Height(True, True, True, workers=4, causes=True, deaths=8)
    assert divide(24, 100, 20) == Height(True, True, True, workers=9, causes=True, deaths=3)
    assert divide(24, 100, 0) == Height(True, True, True, workers=14, causes=False, deaths=0)


def test_a_large_one() -> None:
    assert divide(50, 100, 2) == Height(True, True, True, workers=36, causes=True, deaths=2)
    assert divide(50, 4, 0) == Height(True, True, True, workers=4, causes=False, deaths=0)


@pytest.mark.parametrize(
    ("height", "there"),
    [
        (6, ()),
        (7, ("causes",)),
        (9, ("causes", "ends")),
        (10, ("times",)),
        (11, ("times", "causes")),
        (12, ("times", "causes", "ends")),
        (14, ("times", "causes", "ends")),
        (15, ("times", "causes", "ends", "gaps")),
    ],
)
def test_what_gives_way_first(height: int, there: tuple[str, ...]) -> None:
    room = divide(height, 10, 5)
    assert tuple(name for name in ("times", "causes", "ends", "gaps") if getattr(room, name)) == there


@given(height=st.integers(6, 300), workers=st.integers(0, 400), deaths=st.integers(0, 20))
def test_it_always_fits_and_wastes_nothing(height: int, workers: int, deaths: int) -> None:
    room = divide(height, workers, deaths)
    assert lines(room) <= height
    assert min(workers, FEWEST_WORKERS) <= room.workers <= workers
    assert room.deaths <= deaths
    if lines(room) < height and room.gaps:
        assert (room.workers, room.deaths) == (workers, deaths)
    if room.causes and room.workers < workers and room.gaps:
        assert room.deaths == min(deaths, FEWEST_DEATHS, room.deaths + room.workers - FEWEST_WORKERS)


@given(height=st.integers(-1, 6))
def test_too_few_lines_are_no_error(height: int) -> None:
    assert divide(height, 10, 10).workers >= 0


def names(width: int, daemons: int = 1, threads: bool = False) -> list[str]:
    return [each.name for each in columns(width, daemons=daemons, threads=threads)]


def test_columns() -> None:
    assert names(40) == ["WORKER", "STATE", "AGE", "REQUEST"]
    assert names(80) == ["WORKER", "STATE", "REQ/S", "RSS", "AGE", "REQUEST"]
    assert names(80, threads=True) == ["WORKER", "STATE", "BUSY", "REQ/S", "RSS", "AGE", "REQUEST"]
    assert names(80, daemons=2) == ["DAEMON", "WORKER", "STATE", "RSS", "AGE", "REQUEST"]
    assert names(200, 2, True) == [
        "DAEMON",
        "WORKER",
        "STATE",
        "BUSY",
        "REQ/S",
        "SERVED",
        "RSS",
        "AGE",
        "CLIENT",
        "ID",
        "REQUEST",
    ]


@given(st.integers(31, 400), st.integers(1, 3), st.booleans())
def test_columns_fill_the_width(width: int, daemons: int, threads: bool) -> None:
    shown = columns(width, daemons=daemons, threads=threads)
    taken = sum(each.width for each in shown) + PADDING * (len(shown) - 1)
    assert taken == width or (shown[-1].width == 1 and taken > width)
    if len(shown) > 4 + (daemons > 1):
        assert shown[-1].width >= REQUEST_WIDTH


def figures_of(pid: int, age: float = 0.0, pace: float = 0.0, state: str = "busy") -> WorkerFigures:
    request = Served("id", "GET", "/", "", age) if age else None
    return WorkerFigures(1, pid, state, 1, int(bool(age)), 0, pace, None, request, 0)


def test_the_order_of_workers() -> None:
    workers = [
        figures_of(1, pace=1.0),
        figures_of(2, age=0.9, pace=9.0),
        figures_of(3, age=5.0),
        figures_of(4, age=7.0),
        figures_of(5, state="hung"),
    ]
    assert [each.pid for each in in_order(workers, 5)] == [5, 4, 3, 1, 2], "those that stay in their places"
    assert [each.pid for each in in_order(workers, 4)] == [5, 4, 3, 2, 1], "the busiest first"
    elsewhere = msgspec.structs.replace(workers[0], daemon=0, pid=9)
    assert [each.pid for each in in_order([*workers, elsewhere], 9)][-3:] == [9, 1, 2]


@pytest.mark.parametrize(
    ("width", "line"),
    [(100, "one   two   three"), (17, "one   two   three"), (16, "one   two"), (8, "one"), (2, "on"), (-1, "")],
)
def test_pieces_of_a_line(width: int, line: str) -> None:
    assert fitting(["one", "two", "three"], width) == line
