"""The example in docs/bodies.md does what the text says of it."""

import re
from pathlib import Path
from typing import Any

import pytest

from wsgid.plugins import isolated
from wsgid.testing import fake_message
from wsgid.worker.filters.verdict import refusal

PAGE = (Path(__file__).parents[2] / "docs/bodies.md").read_text()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, "403 Forbidden"),
        ({"Authorization": "x", "Content-Length": "100000001"}, "413 Content Too Large"),
        ({"Authorization": "x", "Content-Length": "100000000"}, None),
        ({"Authorization": "x"}, None),
    ],
)
def test_the_quota(headers: dict[str, str], status: str | None) -> None:
    [code] = [each for each in re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S) if "IUploadFilter" in each]
    found: dict[str, Any] = {"__name__": "page"}
    with isolated():
        exec(compile(code, "docs/bodies.md", "exec"), found)
        message = fake_message("/up", method="POST", headers=headers, upload_start=True)
        refused = refusal(found["Quota"]().accept(message))
    assert message.is_upload_start()
    assert (refused and refused[0].status) == status
