"""A page that is written by hand but for a part between two marks, which is made."""


def with_part(page: str, name: str, made: str) -> str:
    """The page with what stands between its marks of this name replaced."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    assert found, f"the page has no {begin!r}"
    assert ended, f"the page has no {end!r}"
    return f"{before}{begin}{made}{end}{after}"
