"""nginx as its users have it in front of a server: the text of its configuration, and a running one.

What Debian's own nginx.conf and proxy_params say is kept: a worker process for each core, ``sendfile``, ``tcp_nopush``,
the access log, the headers. Beside that it may take large bodies (its own limit is 1 MiB), and it keeps its connections
to servers that do.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.functional.load import Address
from tests.functional.mongrel2 import free_port

from bench.contender import NotMeasured
from bench.contenders.process import process

KEPT = 32
"""Idle connections to the server that each worker process keeps."""

KEPT_FOR = "1s"
"""Less than any server keeps an idle one (gunicorn 2 s, wsgid 5 s): the upload for which nginx takes a connection that
the server is just closing gets 502."""

LARGEST_BODY = "1g"

CONFIGURATION = """\
daemon off;
{user}
worker_processes auto;
pid nginx.pid;
error_log error.log;

events {{
    worker_connections 768;
}}

http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    access_log access.log;
    client_max_body_size {largest};
    client_body_temp_path temporary/body;
    proxy_temp_path temporary/proxy;
    fastcgi_temp_path temporary/fastcgi;
    uwsgi_temp_path temporary/uwsgi;
    scgi_temp_path temporary/scgi;

{upstream}
    server {{
        listen 127.0.0.1:{port};

        location / {{
{location}
        }}
    }}
}}
"""

HEADERS = (
    "proxy_set_header Host $host",
    "proxy_set_header X-Real-IP $remote_addr",
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for",
    "proxy_set_header X-Forwarded-Proto $scheme",
)

KEEPING = ("proxy_http_version 1.1", 'proxy_set_header Connection ""')

UWSGI_PARAMETERS = {
    "QUERY_STRING": "$query_string",
    "REQUEST_METHOD": "$request_method",
    "CONTENT_TYPE": "$content_type",
    "CONTENT_LENGTH": "$content_length",
    "REQUEST_URI": "$request_uri",
    "PATH_INFO": "$document_uri",
    "DOCUMENT_ROOT": "$document_root",
    "SERVER_PROTOCOL": "$server_protocol",
    "REQUEST_SCHEME": "$scheme",
    "HTTPS": "$https if_not_empty",
    "REMOTE_ADDR": "$remote_addr",
    "REMOTE_PORT": "$remote_port",
    "SERVER_PORT": "$server_port",
    "SERVER_NAME": "$server_name",
    "HTTP_HOST": "$host",
}
"""What nginx's package has in uwsgi_params."""


@dataclass(frozen=True)
class Site:
    """What nginx does with every request."""

    location: tuple[str, ...]
    """Directives."""
    upstream: tuple[str, ...] = ()


def proxied(socket: Path, *, kept_alive: bool = True) -> Site:
    """To a server of HTTP. ``kept_alive``: the connections between the two, which takes a server that keeps them."""
    kept = (f"keepalive {KEPT}", f"keepalive_timeout {KEPT_FOR}") if kept_alive else ()
    location = ("proxy_pass http://application", *HEADERS, *(KEEPING if kept_alive else ()))
    return Site(location, (f"server unix:{socket}", *kept))


def uwsgi_passed(socket: Path) -> Site:
    """To a server of the uwsgi protocol, which has one request for each connection."""
    parameters = (f"uwsgi_param {name} {value}" for name, value in UWSGI_PARAMETERS.items())
    return Site(("uwsgi_pass application", *parameters), (f"server unix:{socket}",))


def files(folder: Path) -> Site:
    return Site((f"root {folder}",))


def configuration(site: Site, port: int, *, as_root: bool) -> str:
    """``as_root``: its workers, too, or they could not open the sockets and files of a benchmark that root runs."""
    return CONFIGURATION.format(
        user="user root root;" if as_root else "",
        largest=LARGEST_BODY,
        upstream=_block("upstream application", site.upstream) if site.upstream else "",
        port=port,
        location=_directives(site.location, 12),
    )


def _block(name: str, directives: tuple[str, ...]) -> str:
    return f"    {name} {{\n{_directives(directives, 8)}\n    }}\n"


def _directives(directives: tuple[str, ...], indent: int) -> str:
    return "\n".join(f"{' ' * indent}{each};" for each in directives)


@contextmanager
def nginx(folder: Path, site: Site) -> Iterator[tuple[Address, subprocess.Popen[bytes]]]:
    """Its address, before it listens there. Raises NotMeasured."""
    (folder / "temporary").mkdir(parents=True)
    port, file = free_port(), folder / "nginx.conf"
    file.write_text(configuration(site, port, as_root=os.geteuid() == 0))
    with process((program(), "-p", str(folder), "-c", str(file)), folder, folder) as started:
        yield ("127.0.0.1", port), started


def program() -> str:
    """Raises NotMeasured."""
    unpacked = f"{sys.prefix}/debian/usr/sbin"
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:{unpacked}")
    if found is None:
        raise NotMeasured("there is no nginx: scripts/bench gets it")
    return found


def version() -> str:
    """As it tells it: ``1.22.1``. Raises NotMeasured."""
    told = subprocess.run((program(), "-v"), check=True, capture_output=True, text=True).stderr
    return told.strip().rpartition("/")[2]
