"""The options that the daemon goes by, and those that a restart has read and is trying out."""

import logging
from collections.abc import Callable
from dataclasses import replace

from wsgid.config import OPTIONS, Config
from wsgid.config_sources import ConfigError, Loaded
from wsgid.master.facts import OptionsRead, OptionsWrong
from wsgid.master.state import Settings
from wsgid.options import Option

log = logging.getLogger("wsgid.master")


class OptionsInUse:
    def __init__(self, config: Config, reread: Callable[[], Loaded]) -> None:
        """``reread`` gives the options by all their sources as they are now; raises ConfigError."""
        self.config = config
        self._reread = reread
        self._tried: Config | None = None

    @property
    def for_workers(self) -> Config:
        """What a worker forked now is given."""
        return self._tried or self.config

    def read(self, settings: Settings) -> OptionsRead | OptionsWrong:
        """The plan's own settings by what is read; from now on workers are given that."""
        try:
            loaded = self._reread()
        except ConfigError as error:
            return OptionsWrong(error.errors)
        for warning in loaded.warnings:
            log.warning("%s", warning)
        self._tried, notes = without_the_fixed(loaded.config, self.config)
        return OptionsRead(settings.by(self._tried), notes)

    def adopt(self) -> Config:
        self.config, self._tried = self.for_workers, None
        return self.config

    def drop(self) -> None:
        self._tried = None


def without_the_fixed(fresh: Config, in_use: Config) -> tuple[Config, tuple[str, ...]]:
    """The fresh options, but for those that are set for the daemon's life; and words about each that differs."""
    fixed = [each for each in OPTIONS if each.fixed]
    kept = {each.name: getattr(in_use, each.name) for each in fixed}
    notes = [
        f"{each.flag} stays {_shown(each, kept[each.name])} until wsgid is stopped and started: no restart can make it "
        f"{_shown(each, getattr(fresh, each.name))}"
        for each in fixed
        if getattr(fresh, each.name) != kept[each.name]
    ]
    return replace(fresh, **kept), tuple(notes)


def _shown(option: Option, value: object) -> str:
    return "unset" if value in (None, ()) else option.kind.show(value)
