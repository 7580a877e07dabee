"""The configuration that `wsgid mongrel2 init` makes, to be spoiled."""

from pathlib import PurePosixPath

import pytest

from wsgid.mongrel2_config.site import Site, StaticFiles, configuration
from wsgid.mongrel2_config.values import Configuration

FOLDER = PurePosixPath("/srv/mysite/mongrel2")


@pytest.fixture
def made() -> Configuration:
    return configuration(
        Site(
            name="mysite",
            folder=FOLDER,
            chroot=False,
            bind_addr="0.0.0.0",
            port=6767,
            hosts=("localhost",),
            recv=f"ipc://{FOLDER}/run/requests",
            send=f"ipc://{FOLDER}/run/answers",
            static=(StaticFiles("/static/", PurePosixPath("/srv/mysite/static")),),
        )
    )
