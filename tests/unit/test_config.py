from pathlib import Path

from wsgid.config import OPTIONS


def test_defaults_are_within_their_own_limits() -> None:
    for option in OPTIONS:
        if option.limits and option.default is not None:
            assert option.read(option.default, Path("/")) == option.default
