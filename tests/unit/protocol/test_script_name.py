"""A path taken apart at the application's root."""

import pytest

from wsgid.protocol.script_name import below


@pytest.mark.parametrize(
    ("root", "path", "rest"),
    [
        ("", "/", "/"),
        ("", "/a", "/a"),
        ("", "*", "*"),
        ("/a", "/a", ""),
        ("/a", "/a/", "/"),
        ("/a", "/a//b", "//b"),
        ("/a/b", "/a/b/c", "/c"),
        ("/caf%C3%A9", "/caf%C3%A9/%2F", "/%2F"),
        ("/a", "/", None),
        ("/a", "", None),
        ("/a", "/ab", None),
        ("/a", "/b/a", None),
        ("/a", "/a%2Fb", None),
        ("/caf%C3%A9", "/caf%c3%a9", None),
    ],
)
def test_what_follows_the_root(root: str, path: str, rest: str | None) -> None:
    assert below(root, path) == rest
