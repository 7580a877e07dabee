"""m2sh itself is the judge."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.mongrel2_config.by_m2sh import loaded
from wsgid.mongrel2_config.m2sh import as_m2sh
from wsgid.mongrel2_config.site import Site, configuration
from wsgid.mongrel2_config.values import Configuration, Handler, Host, Module, Proxy, Route, Server


def sorted_routes(server: Server) -> Server:
    """m2sh writes them in an order of its own, which says nothing."""
    hosts = (replace(host, routes=tuple(sorted(host.routes, key=lambda each: each.path))) for host in server.hosts)
    return replace(server, hosts=tuple(hosts))


def same(text: str, made: Configuration, folder: Path) -> None:
    found = loaded(text, folder)
    assert list(map(sorted_routes, found.servers)) == list(map(sorted_routes, made.servers))
    assert found.settings == made.settings


def test_the_configuration_of_a_site(site: Site, tmp_path: Path) -> None:
    made = configuration(site)
    same(as_m2sh(made), made, tmp_path)


def test_in_a_chroot_with_tls(chrooted: Site, tmp_path: Path) -> None:
    made = configuration(chrooted)
    same(as_m2sh(made), made, tmp_path)


def test_all_kinds_of_targets_and_two_servers(site: Site, tmp_path: Path) -> None:
    [first] = configuration(site).servers
    routes = (Route("/p/", Proxy("127.0.0.1", 8080)), Route("/", Handler("tcp://a:1", "it's", "tcp://a:2", "")))
    second = replace(first, uuid="second", name="second", hosts=(Host("localhost", ".local", routes),))
    second = replace(second, default_host="localhost", filters=(Module("/usr/lib/mongrel2/filters/null.so", "0:}"),))
    made = Configuration((first, second))
    same(as_m2sh(made), made, tmp_path)


@pytest.mark.parametrize("name", ["""both ' and \"""", "two\nlines"])
def test_what_m2sh_has_no_words_for(site: Site, name: str) -> None:
    with pytest.raises(ValueError, match="m2sh cannot read"):
        as_m2sh(configuration(replace(site, hosts=(name,))))


def test_settings_of_modules_are_not_lost_silently(site: Site) -> None:
    [server] = configuration(site).servers
    server = replace(server, xrequests=(Module("sendfile.so", "8:1:a,1:b,}"),))
    with pytest.raises(ValueError, match=r"sendfile\.so has settings, which are not shown here: "):
        as_m2sh(Configuration((server,)))
