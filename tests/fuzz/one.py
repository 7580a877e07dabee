"""Runs one target under atheris: ``python -m tests.fuzz.one TARGET [options and corpus folders of libFuzzer]``.

A process of its own, as libFuzzer ends the one it runs in. Code is instrumented as it is imported, so that wsgid must
not have been before.
"""

import contextlib
import io
import logging
import sys

from tests.fuzz.targets import known

NO_WHEEL = (
    "atheris is not installed: requirements/dev.txt has it for Linux on x86-64 only, as there are no wheels for other "
    "machines. Fuzz there (CONTRIBUTING.md)"
)


def main() -> None:
    name, *options = sys.argv[1:]
    target = known(name)
    try:
        import atheris
    except ImportError:
        sys.exit(NO_WHEEL)
    with contextlib.ExitStack() as stack:
        # It tells of each module.
        with contextlib.redirect_stderr(io.StringIO()), atheris.instrument_imports(include=list(target.packages)):
            check = stack.enter_context(target.opened())
        _silence()
        # libFuzzer starts itself again, by a shell, to merge corpora.
        atheris.Setup([f"{sys.executable} -m {__spec__.name} {name}", *options], check)
        atheris.Fuzz()


def _silence() -> None:
    logger = logging.getLogger("wsgid")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False


if __name__ == "__main__":
    main()
