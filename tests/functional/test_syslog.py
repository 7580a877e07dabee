"""``--syslog``: both logs reach the real rsyslogd, which may come, go and come again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional import clients
from tests.functional.conftest import MakeDaemon, MakeFolder
from tests.functional.syslogd import Syslogd

HTTP = ("--bind", "127.0.0.1:0", "--no-stdout")
ERROR, WARNING, INFO = "3", "4", "6"

APPLICATION = """
import sys

print("printed at the start")

def application(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise LookupError("nothing")
    print("printed by", environ["PATH_INFO"], file=sys.stderr)
    start_response("200 OK", [])
    return [b"done"]
"""


@pytest.fixture
def syslogd(tmp_path: Path) -> Iterator[Syslogd]:
    made = Syslogd(tmp_path / "syslogd")
    yield made
    made.stop()


@pytest.fixture
def folder(app_folder: MakeFolder) -> Path:
    return app_folder("printing", {"app/wsgi.py": APPLICATION})


def test_records_and_lines(serve: MakeDaemon, folder: Path, syslogd: Syslogd) -> None:
    syslogd.start()
    options = ("--syslog", syslogd.unix, "--syslog-facility", "local3", "--syslog-tag", "shop")
    daemon = serve(folder, *HTTP, *options)
    assert clients.request(f"{daemon.url}/fail", headers={"X-Request-Id": "mine"}).status == 500

    failed = syslogd.wait_for("the application failed")
    assert failed["msg"].startswith(" ERROR worker: GET /fail (request mine): the application failed#012    Traceback")
    assert failed["msg"].endswith("LookupError: nothing")
    assert (failed["syslogseverity"], failed["programname"]) == (ERROR, "shop")
    assert int(failed["procid"]) in daemon.worker_pids
    line = syslogd.wait_for('"GET /fail HTTP/1.1" 500')
    assert line["msg"].startswith(" 127.0.0.1 - - [")
    assert (line["syslogseverity"], int(line["procid"])) == (INFO, daemon.dispatcher_pid)
    daemon.stop()
    syslogd.wait_for(f"INFO master: wsgid {daemon.pid} has ended")
    assert {each["syslogfacility"] for each in syslogd.told()} == {"19"}
    assert not list((folder / "logs").iterdir()), "in the foreground nothing is left to write there"
    assert daemon.output.count("printed") == 1, "what the application prints is not syslogd's"


def test_json_by_udp(serve: MakeDaemon, folder: Path, syslogd: Syslogd) -> None:
    syslogd.start()
    both = ("--log-format", "json", "--access-log-format", "json")
    daemon = serve(folder, *HTTP, "--syslog", syslogd.udp, *both)
    assert clients.request(f"{daemon.url}/?here").status == 200
    line = syslogd.wait_for("/?here")
    assert json.loads(line["msg"])["target"] == "/?here"
    assert (line["protocol-version"], line["programname"]) == ("1", "wsgid")
    record = syslogd.wait_for("the application is loaded")
    assert json.loads(record["msg"])["worker"] == int(record["procid"])
    daemon.stop()


def test_it_may_be_away(serve: MakeDaemon, folder: Path, syslogd: Syslogd) -> None:
    """At the start, and again later; what has detached says so in the file for what is printed."""
    daemon = serve(folder, "--bind", "127.0.0.1:0", "--syslog", syslogd.unix, start=False)
    assert daemon.start_detached().code == 0
    assert clients.request(f"{daemon.url}/first").status == 200
    syslogd.start()
    syslogd.wait_for('"GET /first HTTP/1.1" 200')
    syslogd.stop()
    assert clients.request(f"{daemon.url}/second").status == 200
    syslogd.start()
    syslogd.wait_for('"GET /second HTTP/1.1" 200')
    daemon.stop()
    told = syslogd.wait_for(f"INFO master: wsgid {daemon.pid} has ended")
    assert "records before this one could not be written" in "".join(each["msg"] for each in syslogd.told()), told

    printed = (folder / "logs/wsgid.log").read_text().splitlines()
    assert printed[0] == (
        f"wsgid: --syslog: {syslogd.unix.removeprefix('unix:')}: No such file or directory; what is logged until "
        "syslogd is there is lost"
    )
    assert printed[1:] == ["printed at the start", "printed by /first", "printed by /second"]
    assert not (folder / "logs/access.log").exists()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (
            "localhost",
            "--syslog: 'localhost' has no port number after a ':'; write unix:/dev/log, or 192.0.2.1:514",
        ),
        ("a..b:514", "--syslog: a..b:514: not the name of a host"),
    ],
)
def test_a_wrong_address_is_told(serve: MakeDaemon, folder: Path, address: str, told: str) -> None:
    outcome = serve(folder, *HTTP, "--syslog", address, start=False).start_and_end()
    assert outcome.code != 0
    assert told in outcome.output
