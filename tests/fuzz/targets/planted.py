"""Has a finding, by which the tests see that one is found and told."""


def check(data: bytes) -> None:
    assert data[:3] != b"bug", "this is planted"


def seeds() -> list[bytes]:
    return [b"bu"]
