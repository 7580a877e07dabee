"""SCRIPT_NAME and PATH_INFO from Mongrel2's route."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.protocol.mongrel2_routes import split_path


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/", "/", ("", "/")),
        ("/", "/a/b", ("", "/a/b")),
        ("/", "//h:80/abs", ("", "//h:80/abs")),
        ("/app", "/app", ("/app", "")),
        ("/app", "/app/", ("/app", "/")),
        ("/app", "/app/x/../y", ("/app", "/x/../y")),
        ("/app/", "/app/x", ("/app", "/x")),
        ("/app/", "/app", ("/app", "")),
        ("/app//", "/app//x", ("/app", "//x")),
        ("/pat/(.*)$", "/pat/x", ("/pat", "/x")),
        ("/pat(/.*)$", "/pat/x", ("/pat", "/x")),
        ("/(.*)$", "/x", ("", "/x")),
        ("(.*)$", "/x", ("", "/x")),
        ("", "/x", ("", "/x")),
        ("/s()(.*)", "/s", ("", "/s")),
        ("/s()(.*)", "/s/x", ("", "/s/x")),
        ("/caf%C3%A9/", "/caf%C3%A9/%2F", ("/caf%C3%A9", "/%2F")),
    ],
)
def test_the_route_is_the_root(pattern: str, path: str, expected: tuple[str, str]) -> None:
    assert split_path(pattern, path) == expected


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("/app", "/"), ("/app", "/a"), ("/app", "/ap"), ("/app", "/apple"), ("/app/admin", "/app/"), ("/app", "/app%2F")],
)
def test_a_path_that_does_not_go_through_the_route_has_no_root(pattern: str, path: str) -> None:
    """Mongrel2 matches all of these."""
    assert split_path(pattern, path) == ("", path)


@given(st.text("/a%(", max_size=8), st.text("/a%", max_size=8))
def test_both_together_are_the_path(pattern: str, path: str) -> None:
    script_name, path_info = split_path(pattern, f"/{path}")
    assert script_name + path_info == f"/{path}"
    assert not script_name.endswith("/")
    assert path_info[:1] in ("", "/")
