"""The access log as other programs read it: GoAccess the combined format, whatever clients send; JSON; others.

And every request has a line, also one that was refused before anybody knew what it was.
"""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.clients import Connection
from tests.functional.conftest import MakeDaemon, MakeSite

HTTP = ("--bind", "127.0.0.1:0", "--no-stdout")
BASIC = "Basic am8gZG9lOnNlY3JldA=="
"""Of ``jo doe``."""

GOACCESS_MOST = 4096
"""Bytes of a line that it reads; what is longer it takes for several."""

AGENT = r'Mozilla/5.0 ("odd" \ agent)'

REFUSED: dict[str, tuple[bytes, int]] = {
    "what is no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 501),
    "a header without a colon": (b"GET /bad HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400),
    "a method that nobody knows": (b"FETCH / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "a version that is not spoken": (b"GET /old HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    "a target too long": (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "too many headers": (b"GET /many HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
    "no Host": (b"GET /nowhere HTTP/1.1\r\n\r\n", 400),
    "a body too large": (b"PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
}


def leave(address: tuple[str, int]) -> None:
    """In the midst of the head."""
    with Connection(address) as client:
        client.send(b"GET /half HTTP/1.1\r\nHost: a\r\n")


def goaccess(log: Path) -> dict[str, Any]:
    """What GoAccess makes of it."""
    report = log.with_name("report.json")
    command = ["goaccess", str(log), "--no-global-config", "--log-format=COMBINED", "-o", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert isinstance(found, dict)
    return found


def test_every_request_has_a_line_that_goaccess_reads(serve: MakeDaemon) -> None:
    daemon = serve("plain", *HTTP)
    headers = {"User-Agent": AGENT, "Referer": "http://a.example/b", "Authorization": BASIC, "X-Request-Id": "mine"}
    assert clients.request(f"{daemon.url}/?one", headers=headers).status == 200
    assert clients.request(f"{daemon.url}/status?code=404").status == 404
    for sent, code in REFUSED.values():
        with Connection(daemon.address) as client:
            client.send(sent)
            assert client.answer().status == code
    leave(daemon.address)
    lines = daemon.wait_for_access(len(REFUSED) + 3)

    codes = Counter(int(line.split('" ')[1][:3]) for line in lines)
    assert codes == Counter([200, 404, 499, *(code for _, code in REFUSED.values())])
    assert lines[0].startswith(r"127.0.0.1 - jo\x20doe [")
    assert re.search(
        r'"GET /\?one HTTP/1\.1" 200 \d+ "http://a\.example/b" "Mozilla/5\.0 \(\\"odd\\" \\\\ agent\)" '
        r"wait=\d+\.\dms service=\d+\.\dms worker=\d+ id=mine$",
        lines[0],
    )
    assert all(line.endswith((" end=refused", " end=left")) and " worker=- " in line for line in lines[2:])

    short = [line for line in lines if len(line) < GOACCESS_MOST]
    assert len(short) == len(lines) - 1
    (daemon.folder / "short.log").write_text("".join(f"{line}\n" for line in short))
    told = goaccess(daemon.folder / "short.log")
    assert (told["general"]["valid_requests"], told["general"]["failed_requests"]) == (len(short), 0)
    targets = {each["data"]: each["method"] for each in told["requests"]["data"] if "method" in each}
    assert targets["/?one"] == "GET"
    assert targets["/big"] == "PUT"
    assert [each["data"] for each in told["hosts"]["data"]] == ["127.0.0.1"]
    assert told["general"]["bandwidth"] == sum(int(line.split('" ')[1].split()[1]) for line in short)


def test_json(site: MakeSite) -> None:
    served = site("plain", "--no-stdout", "--access-log-format", "json")
    headers = {"User-Agent": 'odd "agent" \\ \xe9', "X-Request-Id": "mine"}
    assert served.request("/status?code=404", headers=headers).status == 404
    log = served.daemon.folder / "logs/access.log"
    wait_for(log.read_text, "its line")
    [line] = log.read_text().splitlines()
    told = json.loads(line)
    assert (told["method"], told["target"], told["protocol"]) == ("GET", "/status?code=404", "HTTP/1.1")
    assert (told["status"], told["user_agent"], told["referer"]) == (404, headers["User-Agent"], None)
    assert (told["request_id"], told["end"], told["remote_addr"]) == ("mine", None, "127.0.0.1")
    assert told["worker"] in served.daemon.worker_pids
    assert isinstance(told["wait_ms"], float)


def test_a_format_of_ones_own(serve: MakeDaemon) -> None:
    text = '{status} "{target}" {header:X-Colour} {worker}'
    daemon = serve("plain", *HTTP, "--access-log-format", text)
    clients.request(f"{daemon.url}/?one", headers={"X-Colour": "light blue"})
    log = daemon.folder / "logs/access.log"
    wait_for(log.read_text, "its line")
    assert log.read_text() == f'200 "/?one" light\\x20blue {daemon.worker_pids[0]}\n'


def test_none(serve: MakeDaemon) -> None:
    daemon = serve("plain", *HTTP, "--access-log-format", "none")
    clients.request(daemon.url)
    daemon.stop()
    assert not (daemon.folder / "logs/access.log").exists()


def test_a_wrong_format_is_told_before_anything_starts(serve: MakeDaemon) -> None:
    outcome = serve("plain", "--access-log-format", "{remote_adr}", start=False).start_and_end()
    assert outcome.code == 2
    assert "there is no field {remote_adr}, did you mean remote_addr?" in outcome.output
