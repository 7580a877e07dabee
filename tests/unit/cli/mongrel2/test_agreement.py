from dataclasses import replace
from pathlib import Path

import pytest

from wsgid.cli.checks.findings import Finding, Severity
from wsgid.cli.mongrel2.agreement import findings
from wsgid.config import Config
from wsgid.mongrel2_config.values import Configuration, Handler, Host, Route
from wsgid.mongrel2_config.whereabouts import Whereabouts

RECV, SEND = "ipc:///srv/mysite/mongrel2/run/requests", "ipc:///srv/mysite/mongrel2/run/answers"
OURS = Config(recv=(RECV,), send=(SEND,))


def found(made: Configuration, config: Config, chroot: str = "") -> list[Finding]:
    server = replace(made.servers[0], chroot=chroot)
    where = Whereabouts(server, Path("/srv/mysite/mongrel2"))
    every = findings(server, made.settings, config, where)
    return [each for each in every if each.severity is not Severity.OK]


def at(made: Configuration, send_spec: str, recv_spec: str) -> Configuration:
    handler = Handler(send_spec, "mysite", recv_spec, "mysite", "tnetstring")
    hosts = (Host("localhost", "localhost", (Route("/", handler),)),)
    return replace(made, servers=(replace(made.servers[0], hosts=hosts),))


def test_they_agree(made: Configuration) -> None:
    assert found(made, OURS) == []


@pytest.mark.parametrize(
    ("send_spec", "recv_spec"),
    [
        ("tcp://127.0.0.1:7101", "tcp://localhost:7102"),
        ("tcp://*:7101", "tcp://0.0.0.0:7102"),
    ],
)
def test_what_is_opened_everywhere_is_reached_somewhere(made: Configuration, send_spec: str, recv_spec: str) -> None:
    config = Config(recv=("tcp://127.0.0.1:7101",), send=("tcp://127.0.0.1:7102",))
    assert found(at(made, send_spec, recv_spec), config) == []


@pytest.mark.parametrize(
    ("config", "told", "remedy"),
    [
        (Config(), "wsgid has no --recv and --send", f"wsgid config --recv {RECV} --send {SEND}"),
        (
            Config(recv=(SEND,), send=(RECV,)),
            "--recv and --send are swapped",
            f"wsgid config --recv {RECV} --send {SEND}",
        ),
        (
            Config(recv=(RECV,), send=("tcp://127.0.0.1:7102",)),
            f"answers go to tcp://127.0.0.1:7102, and the handler takes them at {SEND}",
            f"wsgid config --recv {RECV} --send {SEND}",
        ),
        (
            Config(recv=("tcp://127.0.0.1:7101",), send=(SEND,)),
            "no handler of Mongrel2 sends to tcp://127.0.0.1:7101",
            f"there is: --recv {RECV} --send {SEND}",
        ),
    ],
)
def test_addresses(made: Configuration, config: Config, told: str, remedy: str) -> None:
    first = found(made, config)[0]
    assert first.severity is Severity.ERROR
    assert told in first.text
    assert first.remedy == remedy


def test_a_handler_of_others(made: Configuration) -> None:
    pair = Config(recv=(RECV, "tcp://127.0.0.1:1"), send=(SEND, "tcp://127.0.0.1:2"))
    assert [each.text for each in found(made, pair)] == ["no handler of Mongrel2 sends to tcp://127.0.0.1:1"]
    two = at(made, "tcp://127.0.0.1:1", "tcp://127.0.0.1:2").servers[0].hosts[0].routes[0]
    host = replace(made.servers[0].hosts[0], routes=(*made.servers[0].hosts[0].routes, replace(two, path="/other")))
    more = replace(made, servers=(replace(made.servers[0], hosts=(host,)),))
    [finding] = found(more, OURS)
    assert (finding.severity, "does not serve the handler mysite" in finding.text) == (Severity.WARNING, True)


class TestChroot:
    def test_known_to_both(self, made: Configuration) -> None:
        inside = at(made, "ipc://run/requests", "ipc://run/answers")
        config = replace(OURS, mongrel2_chroot=Path("/srv/mysite/mongrel2"))
        assert found(inside, config, chroot="/srv/mysite/mongrel2") == []

    @pytest.mark.parametrize(
        ("theirs", "ours", "remedy"),
        [
            ("/srv/m2", None, "wsgid config --mongrel2-chroot /srv/m2"),
            ("/srv/m2", Path("/srv/other"), "wsgid config --mongrel2-chroot /srv/m2"),
            ("", Path("/srv/other"), "wsgid config --unset mongrel2_chroot"),
        ],
    )
    def test_known_to_one(self, made: Configuration, theirs: str, ours: Path | None, remedy: str) -> None:
        there = at(made, "tcp://127.0.0.1:1", "tcp://127.0.0.1:2")
        config = Config(recv=("tcp://127.0.0.1:1",), send=("tcp://127.0.0.1:2",), mongrel2_chroot=ours)
        [finding] = found(there, config, chroot=theirs)
        assert (finding.severity, finding.remedy) == (Severity.ERROR, remedy)

    def test_it_means_nothing_where_uploads_are_streamed(self, made: Configuration) -> None:
        streamed = replace(made, settings={**made.settings, "upload.stream": "1"})
        assert found(streamed, replace(OURS, mongrel2_chroot=Path("/srv/other"))) == []


def test_a_shared_handler_gets_along_with_neither(made: Configuration) -> None:
    [finding] = found(made, replace(OURS, shared_handler=True))
    assert "nobody gets along with download.flow_control" in finding.text


def test_a_script_name_is_a_route_here(made: Configuration) -> None:
    [finding] = found(made, replace(OURS, script_name="/shop"))
    assert finding.severity is Severity.WARNING
    assert "here the application lies at /" in finding.text
