"""Sites to make configurations for."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from wsgid.mongrel2_config.site import Site, StaticFiles


@pytest.fixture
def site() -> Site:
    folder = PurePosixPath("/srv/mysite/mongrel2")
    return Site(
        name="mysite",
        folder=folder,
        chroot=False,
        bind_addr="0.0.0.0",
        port=6767,
        hosts=("example.org", "www.example.net"),
        recv=f"ipc://{folder}/run/requests",
        send=f"ipc://{folder}/run/answers",
        static=(StaticFiles("/st/", PurePosixPath("/srv/mysite/static")),),
    )


@pytest.fixture
def chrooted(site: Site) -> Site:
    inside = StaticFiles("/st/", site.folder / "static")
    return replace(site, chroot=True, static=(inside,), tls=True, stream_uploads=True)
