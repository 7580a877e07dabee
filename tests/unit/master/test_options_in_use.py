import logging
import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.master.histories import TWO
from wsgid.config import Config
from wsgid.config_sources import ConfigError, Loaded
from wsgid.master.facts import OptionsRead, OptionsWrong
from wsgid.master.options_in_use import OptionsInUse, without_the_fixed

OLD = Config(workers=2, bind=("127.0.0.1:8000",))


class Sources:
    """What the options are by now."""

    def __init__(self, config: Config = OLD, *warnings: str) -> None:
        self.config, self.warnings = config, warnings

    def read(self) -> Loaded:
        return Loaded(self.config, {}, list(self.warnings))


def test_at_first_all_go_by_the_same() -> None:
    options = OptionsInUse(OLD, Sources().read)
    assert options.config is options.for_workers is OLD


def test_workers_try_what_was_read_first() -> None:
    sources = Sources(replace(OLD, workers=4, start_timeout=7.0))
    options = OptionsInUse(OLD, sources.read)
    read = options.read(replace(TWO, watchdog=5.0))
    assert read == OptionsRead(replace(TWO, workers=4, start_timeout=7.0, watchdog=5.0), ())
    assert options.for_workers == sources.config
    assert options.config == OLD
    assert options.adopt() == sources.config
    assert options.config == options.for_workers == sources.config


def test_what_was_read_can_be_dropped() -> None:
    options = OptionsInUse(OLD, Sources(replace(OLD, threads=3)).read)
    options.read(TWO)
    options.drop()
    assert options.for_workers == options.config == OLD


def test_nothing_to_drop_after_it_was_adopted() -> None:
    new = replace(OLD, threads=3)
    options = OptionsInUse(OLD, Sources(new).read)
    options.read(TWO)
    options.adopt()
    options.drop()
    assert options.for_workers == options.config == new


def test_wrong_options_change_nothing() -> None:
    def read() -> Loaded:
        raise ConfigError(["--workers: 'many' is not a whole number", "--threads: 0 is not, either"])

    options = OptionsInUse(OLD, read)
    assert options.read(TWO) == OptionsWrong(("--workers: 'many' is not a whole number", "--threads: 0 is not, either"))
    assert options.for_workers == OLD


def test_warnings_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        OptionsInUse(OLD, Sources(OLD, "WSGID_WROKERS is no option").read).read(TWO)
    assert "WSGID_WROKERS is no option" in caplog.text


def test_fixed_options_stay_and_are_named() -> None:
    fresh = replace(OLD, bind=("127.0.0.1:9000", "[::1]:80"), user="www", threads=3, mongrel2_chroot=Path("/m"))
    config, notes = without_the_fixed(fresh, OLD)
    assert config == replace(OLD, threads=3)
    assert notes == (
        "--bind stays 127.0.0.1:8000 until wsgid is stopped and started: no restart can make it "
        "127.0.0.1:9000, [::1]:80",
        "--mongrel2-chroot stays unset until wsgid is stopped and started: no restart can make it /m",
        "--user stays unset until wsgid is stopped and started: no restart can make it www",
    )


def test_the_plan_goes_by_the_same_options() -> None:
    config = Config(workers=7, keep_alive=False, graceful_timeout=1, start_timeout=2, max_rss=3, reload=True)
    settings = TWO.by(config)
    assert (settings.workers, settings.keep_alive, settings.graceful_timeout) == (7, False, 1)
    assert (settings.start_timeout, settings.max_rss, settings.reload) == (2, 3, True)
    assert (settings.pid, settings.log_file, settings.watchdog) == (TWO.pid, TWO.log_file, math.inf)
