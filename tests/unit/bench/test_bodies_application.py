"""The application of the benchmark of large bodies: its answers are as long as is asked for, uploads are read."""

import io
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from bench.apps.bodies.app.wsgi import AT_ONCE, PART, application

Write = Callable[[bytes], object]


def call(environ: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Headers and body."""
    told = dict[str, str]()

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        assert status == "200 OK"
        told.update(headers)
        return told.__setitem__  # type: ignore[return-value]  # nobody calls it

    return told, b"".join(application(environ, start_response))


@pytest.mark.parametrize("size", [0, 1, len(PART), AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_an_answer_is_as_long_as_is_asked_for(size: int) -> None:
    headers, body = call({"REQUEST_METHOD": "GET", "PATH_INFO": f"/{size}"})
    assert len(body) == int(headers["Content-Length"]) == size
    assert body == (PART * (size // len(PART) + 1))[:size]


@pytest.mark.parametrize("size", [0, 1, 3 * len(PART) + 1])
def test_an_upload_is_answered_with_its_length_and_checksum(size: int) -> None:
    uploaded = b"u" * size
    _, body = call({"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": io.BytesIO(uploaded)})
    assert body == f"{size} {zlib.crc32(uploaded)}\n".encode()
