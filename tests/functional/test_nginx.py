"""The lines for nginx in docs/front-ends.md, taken from the page, in a real nginx before a real daemon."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.deadlines import seconds, wait_for
from tests.functional.conftest import MakeDaemon
from tests.functional.page_steps import DOCS, PORTS

ROOT = Path(__file__).parents[2]
PORT = PORTS["8000"]
CLIENT = "127.0.0.5"
"""Of this machine, and not where the daemon's own clients would come from."""

UNPACKED = ROOT / ".venv/debian/usr/sbin/nginx"
"""scripts/test puts it there where there is none."""

AROUND = """\
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log info;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
{page}
}}
"""


def program() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or (UNPACKED.exists() and str(UNPACKED))
    assert found, "there is no nginx: scripts/test gets it"
    return found


def configuration(folder: Path, to: Path) -> str:
    """The page's first block, with our addresses in place of its."""
    [block, *_] = re.findall(r"^```nginx\n(.*?)^```$", (DOCS / "front-ends.md").read_text(), re.MULTILINE | re.DOTALL)
    for theirs, ours in {"/run/mysite/http.sock": str(to), "listen 443 ssl;": f"listen 127.0.0.1:{PORT} ssl;"}.items():
        assert theirs in block
        block = block.replace(theirs, ours)
    return AROUND.format(folder=folder, page=block, user="user root root;" if os.geteuid() == 0 else "")


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[None]:
    """On `PORT`, in front of ``http.sock`` beside it."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=shop.example", "-days", "2"]
    names = ["-keyout", "key.pem", "-out", "cert.pem", "-addext", "subjectAltName=DNS:shop.example"]
    subprocess.run([*made, *names], cwd=tmp_path, capture_output=True, timeout=seconds(), check=True)
    (tmp_path / "nginx.conf").write_text(configuration(tmp_path, tmp_path / "http.sock"))
    process = subprocess.Popen([program(), "-p", tmp_path, "-c", tmp_path / "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: process.poll() is not None or _listens(), "nginx")
        assert process.poll() is None, (tmp_path / "error.log").read_text()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(seconds())


def _listens() -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", PORT)) == 0


def connect(folder: Path) -> http.client.HTTPSConnection:
    trusted = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    plain = socket.create_connection(("127.0.0.1", PORT), seconds(), (CLIENT, 0))
    connection = http.client.HTTPSConnection("shop.example", timeout=seconds())
    connection.sock = trusted.wrap_socket(plain, server_hostname="shop.example")
    return connection


def told(connection: http.client.HTTPSConnection, headers: Mapping[str, str]) -> tuple[dict[str, Any], str | None]:
    """The environ that the application was given, and X-Request-Id of the answer."""
    connection.request("GET", "/a?b=1", headers=dict(headers))
    answer = connection.getresponse()
    assert answer.status == 200
    environ: dict[str, Any] = json.loads(answer.read())["environ"]
    return environ, answer.getheader("X-Request-Id")


def test_the_application_sees_the_client(nginx: None, serve: MakeDaemon, tmp_path: Path) -> None:
    serve("mirror", "--bind", f"unix:{tmp_path / 'http.sock'}")
    forged = {"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Host": "evil.example", "X-Request-Id": "forged"}
    with closing(connect(tmp_path)) as connection:
        for headers in ({}, forged):
            environ, request_id = told(connection, headers)
            assert environ["REMOTE_ADDR"] == CLIENT
            assert environ["wsgi.url_scheme"] == "https"
            assert (environ["HTTP_HOST"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == (
                "shop.example",
                "shop.example",
                "443",
            )
            assert (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["QUERY_STRING"]) == ("", "/a", "b=1")
            assert request_id == environ["wsgid.request_id"]
            assert re.fullmatch("[0-9a-f]{32}", str(request_id))
