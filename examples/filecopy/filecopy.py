"""Copies a file and compares checksums of the copy: each is a plug-in in checks/."""

import shutil
import sys
from pathlib import Path

from interfaces import IChecksum

from wsgid.plugins import load_plugins, set_plugin_dirs


def main(source: Path, target: Path) -> int:
    set_plugin_dirs(Path(__file__).parent / "checks")
    for failure in load_plugins().failed:
        print(f"left out: {failure.reason}", file=sys.stderr)
    shutil.copyfile(source, target)
    return sum(not same(check, source, target) for check in IChecksum.implementors())


def same(check: IChecksum, source: Path, target: Path) -> bool:
    one, other = check.of(source), check.of(target)
    print(f"{type(check).__name__}: {one if one == other else f'{one} has become {other}'}")
    return one == other


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
