from dataclasses import replace
from pathlib import Path

from wsgid.config import Config
from wsgid.config_sources import Loaded
from wsgid.master.confined import Confined, confine

OUTSIDE = Config(app_path=Path("/srv/site"), chroot=True, run_dir=Path("/srv/site/sockets"))
JAILED = Confined(OUTSIDE, replace(OUTSIDE, app_path=Path("/"), run_dir=Path("/sockets")))


def loaded(config: Config) -> Loaded:
    return Loaded(config, {"workers": "command line"}, ["a warning"])


def test_without_user_and_chroot_nothing_changes(tmp_path: Path) -> None:
    config = Config(app_path=tmp_path)
    own = confine(config, None, "/")
    assert own.config is own.outside is config
    again = loaded(replace(config, workers=7))
    assert own.again(again) is again


def test_options_read_again_in_a_jail_are_as_those_of_the_start() -> None:
    """Else a restart would find that fixed options differ."""
    again = JAILED.again(loaded(replace(OUTSIDE, workers=7)))
    assert again == loaded(replace(JAILED.config, workers=7))


def test_another_run_dir_is_still_seen_to_be_another() -> None:
    again = JAILED.again(loaded(replace(OUTSIDE, run_dir=Path("/srv/site/other"))))
    assert again.config.run_dir == Path("/srv/site/other")
