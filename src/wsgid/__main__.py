"""``python -m wsgid`` is the command ``wsgid``."""

from wsgid.cli import main

main()
