"""Which static files a Django project has collected, and where they belong: STATIC_URL and STATIC_ROOT.

A program of its own, for whoever asks must not have the project's code in its process:
``python -m wsgid.loaders.django_static FOLDER`` prints one line of JSON: an object of both, as Django's settings have
them; ``null`` for what is no Django project; a text, which says why that cannot be told.
"""

import json
import os
import sys
from pathlib import Path

from wsgid.loaders.django import DjangoLoader, add_settings, settle_settings
from wsgid.loaders.django_settings import read_extra_settings
from wsgid.loaders.failure import LoadError, summary
from wsgid.loaders.importing import put_first


def static_files(app_path: Path) -> dict[str, str | None] | None:
    """``url`` and ``root``; None when this is no Django project. Raises LoadError, and whatever the settings raise."""
    put_first(app_path / "app")
    if DjangoLoader().why_not(str(app_path)):
        return None
    name = settle_settings(app_path)
    if extra := read_extra_settings(app_path):
        add_settings(name, extra)
    from django.conf import settings

    root = settings.STATIC_ROOT
    return {"url": settings.STATIC_URL, "root": str(root) if root else None}


def main(app_path: Path) -> None:
    # What the settings print belongs to people: ours is the one line on the standard output.
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)
        try:
            told: object = static_files(app_path)
        except LoadError as error:
            told = str(error)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the project's own code has run
            told = summary(error, app_path)
        print(json.dumps(told), file=output)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
