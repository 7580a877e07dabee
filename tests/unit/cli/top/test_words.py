import pytest

from wsgid.cli.top import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0.0 ms"),
        (0.00012, "0.1 ms"),
        (0.00994, "9.9 ms"),
        (0.00996, "10 ms"),
        (0.312, "312 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (99.94, "99.9 s"),
        (99.96, "100 s"),
        (119.4, "119 s"),
        (120.0, "2 min"),
        (7199.0, "119 min"),
        (7200.0, "2 h 0 m"),
        (3 * 3600 + 12 * 60 + 7, "3 h 12 m"),
        (12.6 * 86400, "12 d 14 h"),
    ],
)
def test_seconds(value: float | None, text: str) -> None:
    assert words.seconds(value) == text
    assert len(text) <= 9


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0"), (0.5, "0.5"), (2.0, "2"), (12.34, "12.3"), (99.96, "100"), (4321, "4321")],
)
def test_pace(value: float | None, text: str) -> None:
    assert words.pace(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0, "0 M"), (43_000_000, "41 M"), (1_100_000_000, "1.0 G"), (5 * 2**30, "5.0 G")]
)
def test_memory(value: int | None, text: str) -> None:
    assert words.memory(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0 %"),
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 3, "33.3 %"),
        (99_999, 100_000, ">99.9 %"),
        (1, 100_000, "<0.1 %"),
    ],
)
def test_share(part: int, whole: int, text: str) -> None:
    assert words.share(part, whole) == text


def test_count() -> None:
    assert [words.count(number, "worker", "workers") for number in (0, 1, 2)] == ["0 workers", "1 worker", "2 workers"]
