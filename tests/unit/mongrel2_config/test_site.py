from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from wsgid.mongrel2_config.site import (
    BUFFER_SIZE,
    CONTENT_LENGTH,
    Site,
    StaticFiles,
    configuration,
    free_ident,
    guards,
    ident,
    with_site,
)
from wsgid.mongrel2_config.values import TNETSTRING, Directory, Handler
from wsgid.protocol.mongrel2_routes import split_path


class TestConfiguration:
    def test_the_addresses_are_seen_from_the_other_side(self, site: Site) -> None:
        [server] = configuration(site).servers
        assert server.handlers() == [Handler(site.recv, "mysite", site.send, "mysite", TNETSTRING)]

    def test_its_files_lie_in_its_folder(self, site: Site) -> None:
        made = configuration(site)
        [server] = made.servers
        assert server.chroot == ""
        assert server.pid_file == "/srv/mysite/mongrel2/run/mongrel2.pid"
        assert server.error_log == "/srv/mysite/mongrel2/logs/error.log"
        assert server.control_port == "ipc:///srv/mysite/mongrel2/run/control"
        assert made.settings["upload.temp_store"] == "/srv/mysite/mongrel2/uploads/upload.XXXXXX"

    def test_in_a_chroot_they_are_named_from_inside(self, chrooted: Site) -> None:
        made = configuration(replace(chrooted, stream_uploads=False))
        [server] = made.servers
        assert server.chroot == "/srv/mysite/mongrel2"
        assert server.pid_file == "/run/mongrel2.pid"
        assert server.control_port == "ipc://run/control"
        assert server.handlers()[0].send_spec == "ipc://run/requests"
        assert made.settings["upload.temp_store"] == "/uploads/upload.XXXXXX"
        directories = {route.target for _, route in server.routes() if isinstance(route.target, Directory)}
        assert [each.base for each in directories] == ["/static/"]

    def test_certificates_as_well_which_are_read_before_it_goes_there(self, chrooted: Site) -> None:
        """Mongrel2 1.12.2 puts the chroot in front by itself."""
        assert configuration(chrooted).settings["certdir"] == "/certificates/"

    def test_what_lies_outside_of_the_chroot_cannot_be_served(self, chrooted: Site) -> None:
        outside = StaticFiles("/media/", PurePosixPath("/srv/media"))
        with pytest.raises(ValueError, match="/srv/media lies outside of /srv/mysite/mongrel2"):
            configuration(replace(chrooted, static=(outside,)))

    def test_tcp_is_the_same_everywhere(self, chrooted: Site) -> None:
        there = replace(chrooted, recv="tcp://192.0.2.1:7101", send="tcp://192.0.2.1:7102")
        [handler] = configuration(there).servers[0].handlers()
        assert (handler.send_spec, handler.recv_spec) == (there.recv, there.send)

    def test_uploads_in_parts(self, chrooted: Site) -> None:
        settings = configuration(chrooted).settings
        assert settings["upload.stream"] == "1"
        assert "upload.temp_store" not in settings

    def test_each_host_has_all_routes_and_the_first_is_the_default(self, site: Site) -> None:
        [server] = configuration(site).servers
        assert [(host.name, host.matching) for host in server.hosts] == [(each, each) for each in site.hosts]
        assert server.default_host == "example.org"
        assert server.hosts[0].routes == server.hosts[1].routes

    def test_a_buffer_that_is_larger_than_a_message_would_stall_uploads(self) -> None:
        assert BUFFER_SIZE <= CONTENT_LENGTH

    def test_the_reaper_stays_on(self, site: Site) -> None:
        assert not {"limits.min_ping", "limits.kill_limit"} & configuration(site).settings.keys()

    def test_styles_and_scripts_have_their_types(self, site: Site) -> None:
        types = configuration(site).mime_types
        assert (types[".css"], types[".js"], types[".woff2"]) == ("text/css", "text/javascript", "font/woff2")


class TestRoutes:
    def test_prefixes_of_static_routes_are_the_applications(self, site: Site) -> None:
        routes = {route.path: type(route.target) for route in configuration(site).servers[0].hosts[0].routes}
        assert routes == {"/": Handler, "/st/": Directory, "/s()(.*)": Handler, "/st()(.*)": Handler}

    @pytest.mark.parametrize("route", guards(["/static/"]))
    def test_they_are_no_script_names(self, route: str) -> None:
        assert split_path(route, "/s/x") == ("", "/s/x")

    def test_a_route_is_not_guarded_from_another_static_one(self, site: Site) -> None:
        files = site.static[0].path
        two = replace(site, static=(StaticFiles("/s/", files), StaticFiles("/s/x/", files)))
        paths = [route.path for route in configuration(two).servers[0].hosts[0].routes]
        assert paths == ["/", "/s/", "/s/x/", "/s()(.*)", "/s/x()(.*)"]

    def test_an_application_below_a_path_has_that_route_only(self, site: Site) -> None:
        routes = configuration(replace(site, script_name="/shop")).servers[0].hosts[0].routes
        assert [route.path for route in routes] == ["/shop", "/st/"]


class TestWithSite:
    def test_it_has_hosts_of_its_own_on_the_same_server(self, site: Site) -> None:
        before = configuration(site)
        second = replace(site, name="second", hosts=("second.example",), recv="tcp://a:1", send="tcp://a:2")
        [server] = with_site(before, before.servers[0], second).servers
        assert [host.name for host in server.hosts] == ["example.org", "www.example.net", "second.example"]
        assert [each.send_spec for each in server.handlers()] == [site.recv, "tcp://a:1"]
        assert server.default_host == "example.org"

    def test_hosts_of_the_same_name_are_replaced(self, site: Site) -> None:
        before = configuration(site)
        second = replace(site, name="second", hosts=("example.org",), recv="tcp://a:1", send="tcp://a:2", static=())
        [server] = with_site(before, before.servers[0], second).servers
        assert [host.name for host in server.hosts] == ["www.example.net", "example.org"]
        assert [route.path for route in server.hosts[1].routes] == ["/"]


@pytest.mark.parametrize(
    ("taken", "name"),
    [([], "shop"), (["blog"], "shop"), (["shop"], "2-shop"), (["shop-admin"], "2-shop"), (["sho", "2-shop"], "3-shop")],
)
def test_idents_do_not_begin_with_each_other(taken: list[str], name: str) -> None:
    handlers = [Handler("tcp://a:1", each, "tcp://a:2", each) for each in taken]
    assert free_ident("shop", handlers) == name


@pytest.mark.parametrize(
    ("text", "name"), [("mysite", "mysite"), ("my_site 2", "my-site-2"), ("Ümläut", "ml-ut"), ("...", "wsgid")]
)
def test_ident(text: str, name: str) -> None:
    assert ident(text) == name
