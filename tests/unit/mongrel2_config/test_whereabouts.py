from dataclasses import replace
from pathlib import Path

import pytest

from wsgid.mongrel2_config.site import Site, configuration
from wsgid.mongrel2_config.values import Server
from wsgid.mongrel2_config.whereabouts import Whereabouts

START = Path("/etc/m2")


@pytest.fixture
def inside(chrooted: Site) -> Server:
    return configuration(chrooted).servers[0]


def test_without_a_chroot_paths_are_what_they_are(site: Site) -> None:
    made = configuration(site)
    [server] = made.servers
    where = Whereabouts(server, START)
    assert where.pid_file == Path(server.pid_file)
    assert where.error_log == Path(server.error_log)
    assert where.path("/srv/x") == Path("/srv/x")
    assert where.path("x") == Path("/etc/m2/x")
    assert where.control_port(made) == server.control_port


def test_in_it_they_lie_below_it(inside: Server, chrooted: Site) -> None:
    where = Whereabouts(inside, START)
    assert where.cwd == Path("/srv/mysite/mongrel2")
    assert where.pid_file == Path("/srv/mysite/mongrel2/run/mongrel2.pid")
    assert where.error_log == Path("/srv/mysite/mongrel2/logs/error.log")
    assert where.access_log == Path("/srv/mysite/mongrel2/logs/access.log")
    assert where.endpoint("ipc://run/requests") == chrooted.recv
    assert where.endpoint("ipc:///run/requests") == chrooted.recv
    assert where.control_port(configuration(chrooted)) == "ipc:///srv/mysite/mongrel2/run/control"


def test_a_chroot_may_be_named_from_where_it_is_started(inside: Server) -> None:
    assert Whereabouts(replace(inside, chroot="./"), START).pid_file == Path("/etc/m2/run/mongrel2.pid")


def test_the_control_port_has_three_places(site: Site) -> None:
    made = configuration(site)
    where = Whereabouts(replace(made.servers[0], control_port=""), START)
    assert where.control_port(made) == "ipc:///etc/m2/run/control"
    assert where.control_port(replace(made, settings={"control_port": "tcp://127.0.0.1:9"})) == "tcp://127.0.0.1:9"


def test_names_without_folders_stay(site: Site) -> None:
    where = Whereabouts(configuration(site).servers[0], START)
    assert where.endpoint("ipc://@abstract") == "ipc://@abstract"
