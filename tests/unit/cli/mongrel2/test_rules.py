from collections.abc import Mapping
from dataclasses import replace

import pytest

from wsgid.cli.checks.findings import Finding, Severity
from wsgid.cli.mongrel2.rules import DEFAULTS, KNOWN, findings
from wsgid.mongrel2_config.site import OWN_SETTINGS
from wsgid.mongrel2_config.values import Configuration, Directory, Handler, Host, Module, Proxy, Route

WRONG, DOUBTFUL = Severity.ERROR, Severity.WARNING

FIRST = Handler("tcp://127.0.0.1:7101", "one", "tcp://127.0.0.1:7102", "one", "tnetstring")
SECOND = Handler("tcp://127.0.0.1:7103", "two", "tcp://127.0.0.1:7104", "two", "tnetstring")


def found(configuration: Configuration) -> list[Finding]:
    return list(findings(configuration, configuration.servers[0]))


def only(configuration: Configuration) -> Finding:
    """The one that is there. Raises AssertionError."""
    [finding] = found(configuration)
    assert finding.remedy or "knows no setting" in finding.text
    return finding


def with_settings(made: Configuration, changes: Mapping[str, str | None]) -> Configuration:
    settings = {**made.settings, **{key: value for key, value in changes.items() if value is not None}}
    return replace(made, settings={key: value for key, value in settings.items() if changes.get(key, "") is not None})


def with_server(made: Configuration, **changes: object) -> Configuration:
    return replace(made, servers=(replace(made.servers[0], **changes),))  # type: ignore[arg-type]


def with_routes(made: Configuration, *routes: Route) -> Configuration:
    return with_server(made, hosts=(Host("localhost", "localhost", routes),))


def test_what_init_makes_is_right(made: Configuration) -> None:
    assert found(made) == []


def test_what_it_sets_is_known() -> None:
    assert set(KNOWN) > OWN_SETTINGS.keys() | DEFAULTS.keys()


@pytest.mark.parametrize(
    ("changes", "severity", "told"),
    [
        ({"limits.content_length": "0"}, WRONG, "hangs at the first upload"),
        ({"limits.buffer_size": "65536"}, WRONG, "limits.buffer_size (65536) is above limits.content_length (20480)"),
        ({"limits.buffer_size": None}, DOUBTFUL, "more than 4096 bytes of headers gets 400"),
        ({"limits.client_read_retries": None}, DOUBTFUL, "comes in more than 3 pieces"),
        ({"limits.kill_limit": "0"}, WRONG, "the reaper ends every connection"),
        ({"limits.kill_limit": "3"}, DOUBTFUL, "the reaper is off (limits.kill_limit=3)"),
        ({"limits.min_ping": "0"}, DOUBTFUL, "the reaper is off (limits.min_ping=0)"),
        ({"limits.min_write_rate": "0"}, DOUBTFUL, "the reaper is off (limits.min_write_rate=0)"),
        ({"limits.min_ping": "5"}, DOUBTFUL, "ends requests after 5 s"),
        ({"upload.temp_store": None}, DOUBTFUL, "bodies above 20480 bytes, and all chunked ones, get 413"),
        ({"upload.temp_store": "/srv/uploads/"}, WRONG, "does not end in XXXXXX"),
        ({"upload.stream": "1"}, DOUBTFUL, "upload.temp_store has no effect beside upload.stream"),
        ({"upload.temp_store_mode": "640"}, WRONG, "without a zero in front it is a decimal number"),
        ({"download.flow_control": "0"}, DOUBTFUL, "download.flow_control is off"),
        ({"download.flow_control": "yes"}, WRONG, "download.flow_control is 'yes', which Mongrel2 takes for 0"),
        ({"no_clobber_xff": "--5"}, WRONG, "no_clobber_xff is '--5', which Mongrel2 takes for 0"),
        ({"no_clobber_xff": "\N{SUPERSCRIPT TWO}"}, WRONG, "which Mongrel2 takes for 0"),
        ({"no_clobber_xff": "1"}, DOUBTFUL, "clients choose their own X-Forwarded-For"),
        ({"server.daemonize": None}, DOUBTFUL, "it may detach"),
        ({"limits.bufer_size": "1"}, DOUBTFUL, "no setting limits.bufer_size, and ignores it, did you mean limits.buf"),
        ({"upload.temp_store_mode": "00000000000000640"}, WRONG, "takes upload.temp_store_mode for upload.temp_store"),
    ],
)
def test_settings(made: Configuration, changes: dict[str, str | None], severity: Severity, told: str) -> None:
    spoiled = [each for each in found(with_settings(made, changes)) if told in each.text]
    assert [each.severity for each in spoiled] == [severity]


def test_streams_need_no_store(made: Configuration) -> None:
    assert found(with_settings(made, {"upload.stream": "1", "upload.temp_store": None})) == []


def test_a_mode_in_octal_is_right(made: Configuration) -> None:
    assert found(with_settings(made, {"upload.temp_store_mode": "0640"})) == []


def test_the_default_host(made: Configuration) -> None:
    finding = only(with_server(made, default_host="example.org"))
    assert finding.severity is WRONG
    assert "default_host is 'example.org', and no host has that name" in finding.text


@pytest.mark.parametrize(("certdir", "told"), [(None, "is not set"), ("/srv/certs", "does not end with a slash")])
def test_tls(made: Configuration, certdir: str | None, told: str) -> None:
    finding = only(with_settings(with_server(made, use_ssl=True), {"certdir": certdir}))
    assert finding.severity is WRONG
    assert told in finding.text


def test_the_plug_in_that_cannot_be_loaded(made: Configuration) -> None:
    module = Module("/usr/lib/mongrel2/filters/sendfile.so", "0:}")
    assert "sendfile.so cannot be loaded" in only(with_server(made, xrequests=(module,))).text


@pytest.mark.parametrize(
    ("handler", "severity", "told"),
    [
        (replace(FIRST, send_ident=""), WRONG, "empty send_ident"),
        (replace(FIRST, send_ident="my site"), WRONG, "the send_ident 'my site' has other characters"),
        (replace(FIRST, recv_ident="my_site"), WRONG, "the recv_ident 'my_site' has other characters"),
        (replace(FIRST, recv_ident=""), DOUBTFUL, "empty recv_ident: it takes everybody's answers"),
        (replace(FIRST, protocol="json"), DOUBTFUL, "speaks JSON"),
        (replace(FIRST, protocol="tnet"), WRONG, "'tnet' is no protocol"),
        (replace(FIRST, recv_spec=FIRST.send_spec), WRONG, "send_spec and recv_spec are the same"),
    ],
)
def test_a_handler(made: Configuration, handler: Handler, severity: Severity, told: str) -> None:
    finding = only(with_routes(made, Route("/", handler)))
    assert (finding.severity, told in finding.text) == (severity, True)


@pytest.mark.parametrize(
    ("other", "severity", "told"),
    [
        (replace(FIRST, send_ident="x"), WRONG, "the idents and the protocol of the first count for both"),
        (replace(SECOND, recv_spec=FIRST.send_spec), WRONG, "two handlers open tcp://127.0.0.1:7101"),
        (replace(SECOND, send_ident="one"), WRONG, "two handlers have the send_ident 'one'"),
        (replace(SECOND, recv_ident="one-more"), DOUBTFUL, "the recv_ident 'one-more' begins with another one, 'one'"),
    ],
)
def test_two_handlers(made: Configuration, other: Handler, severity: Severity, told: str) -> None:
    finding = only(with_routes(made, Route("/", FIRST), Route("@other", other)))
    assert (finding.severity, told in finding.text) == (severity, True)


def test_two_handlers_that_get_along(made: Configuration) -> None:
    assert found(with_routes(made, Route("/", FIRST), Route("@other", SECOND))) == []


class TestRoutes:
    def test_prefixes_of_static_files(self, made: Configuration) -> None:
        files = Directory("/srv/static/", "index.html", "text/plain")
        finding = only(with_routes(made, Route("/", FIRST), Route("/static/", files)))
        assert finding.severity is DOUBTFUL
        assert "the route /static/ also gets requests for /s to /static, which begin it" in finding.text
        assert "/s()(.*)" in finding.remedy

    def test_those_of_a_route_below_another(self, made: Configuration) -> None:
        routes = (Route("/", FIRST), Route("/a", FIRST), Route("/ab", Proxy("127.0.0.1", 80)))
        assert found(with_routes(made, *routes)) == []

    def test_a_folder_without_its_slash(self, made: Configuration) -> None:
        files = Directory("/srv/static", "index.html", "text/plain")
        finding = only(with_routes(made, Route("/", files)))
        assert "/srv/static, does not end with a slash" in finding.text
