"""The configurations of nginx that the benchmark writes: what stands in which block."""

import re
from pathlib import Path

import pytest
from bench.contenders.nginx import KEPT, KEPT_FOR, UWSGI_PARAMETERS, Site, configuration, files, proxied, uwsgi_passed

SOCKET = Path("/somewhere/application.sock")


def blocks(text: str) -> dict[str, list[str]]:
    """The directives of each block; ``""`` is what stands in none. Raises ValueError for what nginx would not read."""
    found: dict[str, list[str]] = {"": []}
    inside = [""]
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if opened := re.fullmatch(r"(\S[^;{}]*) \{", line):
            inside.append(opened[1])
            found[opened[1]] = []
        elif line == "}" and len(inside) > 1:
            inside.pop()
        elif directive := re.fullmatch(r"(\S[^;{}]*);", line):
            found[inside[-1]].append(directive[1])
        elif line:
            raise ValueError(f"line {number}: {line}")
    if len(inside) != 1:
        raise ValueError(f"not closed: {inside}")
    return found


def written(site: Site, *, as_root: bool = False) -> dict[str, list[str]]:
    return blocks(configuration(site, 20000, as_root=as_root))


@pytest.mark.parametrize(
    "site", [proxied(SOCKET), proxied(SOCKET, kept_alive=False), uwsgi_passed(SOCKET), files(Path("/f"))]
)
def test_every_one_logs_and_listens_on_loopback_alone(site: Site) -> None:
    found = written(site)
    assert "access_log access.log" in found["http"]
    assert found["server"] == ["listen 127.0.0.1:20000"]
    assert found["location /"] == list(site.location)


def test_connections_to_a_server_are_kept() -> None:
    found = written(proxied(SOCKET))
    assert found["upstream application"] == [
        f"server unix:{SOCKET}",
        f"keepalive {KEPT}",
        f"keepalive_timeout {KEPT_FOR}",
    ]
    # Without these two nginx asks its upstream to close.
    assert {"proxy_http_version 1.1", 'proxy_set_header Connection ""'} < set(found["location /"])


def test_connections_to_a_server_that_closes_them_are_not() -> None:
    found = written(proxied(SOCKET, kept_alive=False))
    assert found["upstream application"] == [f"server unix:{SOCKET}"]
    assert not [each for each in found["location /"] if "Connection" in each or "version" in each]


def test_uwsgi_is_told_what_an_environ_needs() -> None:
    told = written(uwsgi_passed(SOCKET))["location /"]
    assert "uwsgi_pass application" in told
    assert [f"uwsgi_param {name} {value}" for name, value in UWSGI_PARAMETERS.items()] == told[1:]


def test_files_have_no_upstream() -> None:
    found = written(files(Path("/some/files")))
    assert "upstream application" not in found
    assert found["location /"] == ["root /some/files"]


@pytest.mark.parametrize("as_root", [True, False])
def test_a_user_is_named_only_by_root(as_root: bool) -> None:
    assert ("user root root" in written(files(Path("/f")), as_root=as_root)[""]) is as_root
