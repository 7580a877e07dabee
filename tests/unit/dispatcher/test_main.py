import resource

import pytest

from wsgid.dispatcher.main import _allow_open_files

MORE_THAN_ANY = 2**40
"""Above fs.nr_open, whatever that is."""


def test_a_limit_of_open_files_that_cannot_be_raised_stays(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with monkeypatch.context() as patch:
        patch.setattr(resource, "getrlimit", lambda what: (before[0], MORE_THAN_ANY))
        _allow_open_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
    [told] = caplog.messages
    assert told.startswith(f"the limit of open files stays as it was, it cannot be raised to {MORE_THAN_ANY}: ")
