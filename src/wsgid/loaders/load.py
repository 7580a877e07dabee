"""Chooses the loader and has it load the application."""

import importlib
import logging
from pathlib import Path
from typing import Protocol
from wsgiref.types import WSGIApplication

from wsgid.loaders.django import DjangoLoader
from wsgid.loaders.dotted import load_named
from wsgid.loaders.failure import LoadError, summary
from wsgid.loaders.importing import put_first
from wsgid.loaders.interface import IAppLoader
from wsgid.loaders.plain import PlainLoader
from wsgid.loaders.pyroutes import PyroutesLoader

log = logging.getLogger("wsgid")


class OwnLoader(IAppLoader, Protocol):
    """One of ours: it can also say why it does not know the code."""

    def why_not(self, app_path: str) -> list[str]:
        """Lines for people; none when it does."""


AUTOMATIC: tuple[OwnLoader, ...] = (DjangoLoader(), PyroutesLoader(), PlainLoader())
"""In the order in which they are asked: a Django project may have a ``wsgi.py``, and would miss its ``django.json``."""


def load_application(app_path: Path, *, wsgi_app: str | None, django: bool) -> WSGIApplication:
    """The application in this app folder; ``app/`` becomes the first folder on ``sys.path``.

    ``wsgi_app`` names it and wins over everything else; ``django`` says that it is a Django project; otherwise it is
    found. To be called once in a process: modules that are loaded stay loaded.

    Raises LoadError for every reason why there is no application, also when its code leaves by SystemExit.
    KeyboardInterrupt passes.
    """
    folder = app_path.absolute()
    app = folder / "app"
    if not app.is_dir():
        raise LoadError(f"{folder} has no folder app/ for the application's code: is --app-path right?")
    # This process may have been forked from one that looked into the folder before the new code came.
    importlib.invalidate_caches()
    put_first(app)
    try:
        return _load(folder, wsgi_app, django)
    except LoadError:
        raise
    # Any code of the application may have run: whatever comes is its failure, to be told in words.
    except (Exception, SystemExit) as error:
        raise LoadError(summary(error, folder)) from error


def _load(folder: Path, wsgi_app: str | None, django: bool) -> WSGIApplication:
    if wsgi_app:
        return load_named(wsgi_app)
    path = str(folder)
    loader = DjangoLoader() if django else _choose(path)
    log.debug("the application is loaded by %s", type(loader).__name__)
    return loader.load_app(path, "")


def _choose(path: str) -> OwnLoader:
    for loader in AUTOMATIC:
        if loader.can_load(path):
            return loader
    tried = [f"  {line}" for loader in AUTOMATIC for line in loader.why_not(path)]
    looked = "\n".join(tried)
    raise LoadError(
        f"none was found in {path}/app. Looked for\n{looked}\n"
        "Name it with --wsgi-app=package.module:object, or write an app/wsgi.py that defines application."
    )
