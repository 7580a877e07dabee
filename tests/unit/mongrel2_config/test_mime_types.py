import mimetypes

import pytest

from wsgid.mongrel2_config.mime_types import OF_THE_WEB, mime_types


def test_they_are_the_same_whatever_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    before = mime_types()
    monkeypatch.setattr(mimetypes, "knownfiles", [])
    mimetypes.add_type("text/odd", ".odd-one")
    assert mime_types() == before
    assert ".odd-one" not in before


def test_mongrel2_takes_them() -> None:
    """No empty one, a dot in front, at most limits.mime_ext_len (128)."""
    types = mime_types()
    assert types.items() >= OF_THE_WEB.items()
    assert all(kind and extension.startswith(".") and 1 < len(extension) < 128 for extension, kind in types.items())
