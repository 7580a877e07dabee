"""The headers that we add to every answer, the same over both edges."""

from email.utils import parsedate_to_datetime

from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeSite, Site

SERVER = "shop/2 (Unix)"


def test_what_we_add_and_what_the_application_says_itself(site: MakeSite) -> None:
    served = site("plain", "--server-header", SERVER, "--max-body", "10")
    _named_by_us(served)
    _named_by_the_application(served)
    _refused(served)


def _named_by_us(served: Site) -> None:
    answer = served.request("/environ")
    environ = answer.json()
    request_id = answer.header("x-request-id")
    assert request_id == environ["wsgid.request_id"]
    assert f" id={request_id}" in served.daemon.wait_for_access(1)[0]
    assert answer.header("server") == SERVER
    assert environ["SERVER_SOFTWARE"].startswith("wsgid/")
    assert parsedate_to_datetime(answer.header("date") or "").tzinfo is not None
    assert served.request("/environ").header("x-request-id") != request_id


def _named_by_the_application(served: Site) -> None:
    answer = served.request("/headers?x-request-ID=its-own&DATE=never&server=another")
    assert answer.header("x-request-id") == "its-own"
    assert answer.header("date") == "never"
    assert answer.header("server") == "another"


def _refused(served: Site) -> None:
    """By us, and by the worker on the application's behalf."""
    too_large, failed = served.request("/echo", "POST", b"eleven bytes"), served.request("/raise")
    assert [too_large.status, failed.status] == [413, 500]
    lines = served.daemon.wait_for_access(5)
    for answer, line in zip((too_large, failed), lines[-2:], strict=True):
        assert f" id={answer.header('x-request-id')}" in line
        assert answer.header("server") == SERVER


def test_there_may_be_no_server_header(serve: MakeDaemon) -> None:
    daemon = serve("plain", "--bind", "127.0.0.1:0", "--server-header", "", "--max-body", "10")
    with Connection(daemon.address) as client:
        for body, status in ((b"ten bytes!", 200), (b"eleven bytes", 413)):
            client.ask("/echo", "POST", body=body)
            answer = client.answer()
            assert (answer.status, answer.header("server")) == (status, None)
