"""The request filters that come with wsgid, each a module that is only imported when ``--filter`` names it."""

from importlib import import_module
from pathlib import Path
from typing import Final

from wsgid.options import nearest

SHIPPED: Final = {
    "worker-pid": "wsgid.filters.worker_pid",
    "elapsed-time": "wsgid.filters.elapsed_time",
    "log-headers": "wsgid.filters.log_headers",
}
"""Their names, as `--filter` takes them, and their modules."""


def shipped_filter(name: str, base: Path) -> str:
    """The name, if there is such a filter. Raises ValueError."""
    if name not in SHIPPED:
        raise ValueError(f"there is no filter {name!r}{nearest(name, SHIPPED)}; there are {', '.join(SHIPPED)}")
    return name


def import_shipped(names: tuple[str, ...]) -> None:
    """Which registers them."""
    for name in names:
        import_module(SHIPPED[name])
