"""The targets: each a module with a function `check`, from bytes to nothing, that raises only on a finding.

One that needs something around it has a context manager `opened` instead, which gives the function.
"""

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

CORPUS = Path(__file__).parent.parent / "corpus"

Check = Callable[[bytes], object]


@dataclass(frozen=True)
class Target:
    name: str
    longest: int
    """Bytes of an input, at most."""
    short: int
    """Inputs in the gate, besides those that are known: a second or two."""
    packages: tuple[str, ...] = ("wsgid",)
    """Whose code is instrumented: a judge's grammar guides as well."""
    folder: Path = CORPUS
    """Where the corpora are."""

    @property
    def corpus(self) -> Path:
        return self.folder / self.name

    def _module(self) -> ModuleType:
        return importlib.import_module(f"{__name__}.{self.name}")

    def opened(self) -> AbstractContextManager[Check]:
        """Imports the target, and with it what it tries."""
        module = self._module()
        return module.opened() if hasattr(module, "opened") else nullcontext(module.check)

    def seeds(self) -> list[bytes]:
        """Inputs to begin with."""
        found: list[bytes] = self._module().seeds()
        return found


TARGETS = {
    target.name: target
    for target in (
        Target("mongrel2", 2048, 5000),
        Target("mongrel2_fields", 512, 3000),
        Target("tnetstrings", 256, 10_000),
        Target("frames", 1024, 2000),
        Target("orders", 512, 5000),
        Target("http_requests", 1024, 2000, ("wsgid", "h11")),
        Target("forwarded", 512, 3000),
        Target("answers", 2048, 50),
    )
}

PLANTED = Target("planted", 16, 0, ("tests",))
"""None of these: it has a finding."""


def known(name: str) -> Target:
    return PLANTED if name == PLANTED.name else TARGETS[name]
