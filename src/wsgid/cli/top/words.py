"""Figures in few characters."""

from typing import Final

UNKNOWN: Final = "-"

DAY, HOUR, MINUTE = 86400, 3600, 60


def seconds(value: float | None) -> str:
    """With two or three digits that mean something, in at most seven characters: ``0.2 ms``, ``31 ms``, ``1.20 s``."""
    if value is None:
        return UNKNOWN
    if value < 0.00995:
        return f"{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 9.995:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 99.95 else duration(value)


def duration(value: float) -> str:
    """In whole units: ``42 s``, ``5 min``, ``3 h 12 m``, ``12 d 3 h``."""
    whole = round(value)
    if whole < 2 * MINUTE:
        return f"{whole} s"
    if whole < 2 * HOUR:
        return f"{whole // MINUTE} min"
    if whole < 2 * DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} m"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def pace(value: float | None) -> str:
    """Of something a second: ``0.5``, ``12.3``, ``1234``."""
    if value is None:
        return UNKNOWN
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.{2 if value < 9.995 else 1}f}".rstrip("0").rstrip(".")


def memory(value: int | None) -> str:
    """``41 M``, ``1.2 G``, in powers of 1024."""
    if value is None:
        return UNKNOWN
    mebibytes = value / 2**20
    return f"{mebibytes:.0f} M" if mebibytes < 1000 else f"{mebibytes / 1024:.1f} G"


def share(part: float, whole: float) -> str:
    """In percent: never 100 or 0 unless it is all or nothing."""
    percent = 100 * part / whole if whole else 0.0
    text = f"{percent:.1f}"
    if text == "100.0" and part < whole:
        return ">99.9 %"
    if text == "0.0" and part:
        return "<0.1 %"
    return "0 %" if not part else "100 %" if part == whole else f"{text} %"


def count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
