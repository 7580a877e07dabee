"""Chooses the loader and has it load the application."""

import importlib
import logging
from collections.abc import Sequence
from pathlib import Path
from wsgiref.types import WSGIApplication

from wsgid.loaders.callables import check_callable
from wsgid.loaders.django import DjangoLoader
from wsgid.loaders.dotted import NamedLoader
from wsgid.loaders.failure import LoadError, shown, summary
from wsgid.loaders.importing import put_first
from wsgid.loaders.interface import IAppLoader, IExplainingLoader
from wsgid.loaders.plain import PlainLoader
from wsgid.loaders.pyroutes import PyroutesLoader
from wsgid.plugin_faults import fault, named, place_of

OURS: tuple[type[IAppLoader], ...] = (NamedLoader, DjangoLoader, PyroutesLoader, PlainLoader)
"""In the order in which they are asked, behind those of other people: a Django project may have a ``wsgi.py``, and
would miss its ``django.json``."""

log = logging.getLogger("wsgid")


def load_application(
    app_path: Path, *, wsgi_app: str | None, django: bool, unusable: Sequence[str] = ()
) -> WSGIApplication:
    """The application in this app folder; ``app/`` becomes the first folder on ``sys.path``.

    Loaders that are plug-ins are asked first. Otherwise ``wsgi_app`` names the application, and that wins over all
    else; ``django`` says that it is a Django project, and then only its loader is asked; else it is found. ``unusable``
    says of plug-ins that could not be loaded why: one of them may be the loader. To be called once in a process:
    modules that are loaded stay loaded.

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
        loader = _choose(str(folder), candidates(wsgi_app, django), unusable)
        log.debug("the application is loaded by %s", named(loader))
        if _is_ours(loader):
            return loader.load_app(str(folder), wsgi_app or "")
        return _load_by(loader, folder, wsgi_app or "")
    except LoadError:
        raise
    # Any code of the application may have run: whatever comes is its failure, to be told in words.
    except (Exception, SystemExit) as error:
        raise LoadError(summary(error, folder)) from error


def loaders() -> list[IAppLoader]:
    """All of them, in the order in which they are asked."""
    found = IAppLoader.implementors()
    # By the class itself: one of other people's that is derived from ours is asked before it.
    return [each for each in found if not _is_ours(each)] + sorted(filter(_is_ours, found), key=_place_among_ours)


def candidates(wsgi_app: str | None, django: bool) -> list[IAppLoader]:
    """Those that these options leave."""
    if django and not wsgi_app:
        return IAppLoader.implementors(lambda each: type(each) is DjangoLoader)
    return [each for each in loaders() if not _is_ours(each) or (type(each) is NamedLoader) == bool(wsgi_app)]


def _is_ours(loader: IAppLoader) -> bool:
    return type(loader) in OURS


def _place_among_ours(loader: IAppLoader) -> int:
    return OURS.index(type(loader))


def _choose(path: str, asked: Sequence[IAppLoader], unusable: Sequence[str]) -> IAppLoader:
    if len(asked) == 1:  # so there is nothing to choose: it says itself what it does not find
        return asked[0]
    reasons: list[str] = []
    for loader in asked:
        refusal = _refusal(loader, path)
        if refusal is None:
            return loader
        reasons += refusal
    looked = "\n".join(f"  {each}" for each in reasons)
    broken = "\n".join(f"  {each}" for each in unusable)
    raise LoadError(
        f"none was found in {path}/app. Looked for\n{looked}\n"
        + (f"Plug-ins that cannot be loaded\n{broken}\n" if broken else "")
        + "Name it with --wsgi-app=package.module:object, or write an app/wsgi.py that defines application."
    )


def _refusal(loader: IAppLoader, path: str) -> list[str] | None:
    """Why this one does not load the application; None when it does."""
    try:
        if loader.can_load(path):
            return None
        if isinstance(loader, IExplainingLoader):
            return loader.why_not(path)
    except (Exception, SystemExit) as error:
        if _is_ours(loader):
            raise
        text = f"{named(loader)} cannot say whether it can load the application: {fault(loader, error)}"
        log.warning("%s; it is passed over", text, exc_info=error)
        return [text]
    return [f"{named(loader)}: its can_load() says no"]


def _load_by(loader: IAppLoader, folder: Path, wsgi_app: str) -> WSGIApplication:
    """By one of other people's, with its own place in what is said of a failure."""
    try:
        application = loader.load_app(str(folder), wsgi_app)
        check_callable(application, f"what {named(loader)} returned")
    except LoadError as error:
        raise LoadError(f"{_place(loader, error, folder)}: {error}") from error.__cause__
    except (Exception, SystemExit) as error:
        said, place = summary(error, folder), _place(loader, error, folder)
        # What failed may be the loader, or the application that it loads.
        raise LoadError(said if place in said else f"{place}: {said}") from error
    return application


def _place(loader: IAppLoader, error: BaseException, folder: Path) -> str:
    place = place_of(loader, error)
    return f"{shown(Path(place.file), folder)}, line {place.line}"
