"""A Django project somewhere below ``app/``.

========================================================= ========================= =====================
layout                                                    settings                  first on ``sys.path``
========================================================= ========================= =====================
``app/NAME/settings.py``                                  ``NAME.settings``         ``app/``
``app/NAME/manage.py``, ``app/NAME/INNER/settings.py``    ``INNER.settings``        ``app/NAME/``
``app/manage.py``, ``app/NAME/settings.py``               ``NAME.settings``         ``app/``
========================================================= ========================= =====================

``settings`` may be a package in each of them. Many a project on another framework has a ``settings.py`` too, so it is
taken for Django's without being asked for only if more speaks for it.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from wsgiref.types import WSGIApplication

from wsgid.loaders.callables import as_application
from wsgid.loaders.django_settings import FILE_NAME, merge_settings, read_extra_settings
from wsgid.loaders.failure import LoadError
from wsgid.loaders.importing import is_missing, missing_text, put_first
from wsgid.loaders.interface import IExplainingLoader
from wsgid.plugins import Plugin

VARIABLE = "DJANGO_SETTINGS_MODULE"

SIGNS = (b"django", b"ROOT_URLCONF", b"INSTALLED_APPS", b"import *")
"""One of these is in every settings file of Django's; the last one in those that only gather others."""


@dataclass(frozen=True, slots=True)
class Project:
    settings: str
    """The settings' module: ``mysite.settings``."""
    file: Path
    """The file of that module."""
    root: Path
    """The folder that must be first on ``sys.path``."""
    has_manage: bool

    @property
    def is_certain(self) -> bool:
        return self.has_manage or any(sign in self.file.read_bytes() for sign in SIGNS)


class DjangoLoader(Plugin, IExplainingLoader):
    """The first project in alphabetical order, hidden folders skipped; ``DJANGO_SETTINGS_MODULE`` wins when set."""

    def can_load(self, app_path: str) -> bool:
        return not self.why_not(app_path)

    def load_app(self, app_path: str, app_full_name: str) -> WSGIApplication:
        if not _is_installed("django"):
            raise LoadError(f"Django is not installed for {sys.executable}: install it there")
        name = settle_settings(Path(app_path))
        if not name:
            raise LoadError("\n".join(self.why_not(app_path)))
        return _start_django(name, read_extra_settings(Path(app_path)))

    def why_not(self, app_path: str) -> list[str]:
        """The reason why this is no Django project; empty when it is one."""
        if not _is_installed("django"):
            return [f"Django: not installed for {sys.executable}"]
        project = _find(Path(app_path))
        if project is not None and project.is_certain:
            return []
        named = os.environ.get(VARIABLE, "")
        if named:
            top = named.partition(".")[0]
            return [] if top and _is_installed(top) else [f"Django: {VARIABLE}={named}, and there is no module {top!r}"]
        if project is not None:
            file = project.file.relative_to(app_path)
            return [
                f"Django: {file} is hardly Django's: it mentions neither Django nor ROOT_URLCONF; --django takes it"
            ]
        return [f"Django: no folder in app/ has a settings.py, or a manage.py and a package with one{_seen(app_path)}"]


def has_project(app_path: Path) -> bool:
    """Told by the look of its files; nothing of it is imported."""
    project = _find(app_path)
    return bool(os.environ.get(VARIABLE)) or (project is not None and project.is_certain)


def settle_settings(app_path: Path) -> str:
    """The name of the settings, which Django will find by it; empty when there are none."""
    project = _find(app_path)
    if project is not None:
        put_first(project.root)
    name = os.environ.get(VARIABLE) or (project.settings if project else "")
    if name:
        os.environ[VARIABLE] = name
    return name


def _start_django(name: str, extra: dict[str, object]) -> WSGIApplication:
    # Imported here: Django is not one of our dependencies.
    from django.core.servers.basehttp import get_internal_wsgi_application

    try:
        # Without django.json the import is left to Django: settings that use django.conf while they are being
        # imported work only then.
        if extra:
            add_settings(name, extra)
        # It respects WSGI_APPLICATION, as `manage.py runserver` does.
        application = get_internal_wsgi_application()
    except ModuleNotFoundError as error:
        if not is_missing(name, error):
            raise
        raise LoadError(missing_text(name, VARIABLE, error)) from None
    return as_application(application, "WSGI_APPLICATION")


def add_settings(name: str, extra: dict[str, object]) -> None:
    """Puts them into the module before Django reads it. Raises LoadError."""
    from django.conf import settings

    module = importlib.import_module(name)
    if settings.configured:
        raise LoadError(f"{name} made Django read its settings while it was being imported: too early for {FILE_NAME}")
    vars(module).update(merge_settings(vars(module), extra))


def _find(app_path: Path) -> Project | None:
    """The first project that is certain, else the first that may be one."""
    found = list(_projects(app_path / "app"))
    return next((project for project in found if project.is_certain), found[0] if found else None)


def _projects(app: Path) -> Iterator[Project]:
    app_has_manage = (app / "manage.py").is_file()
    for folder in _folders(app):
        has_manage = (folder / "manage.py").is_file()
        file = _settings_file(folder)
        if file is not None:
            # Flat projects, with manage.py beside the settings, import their own modules from this folder too.
            yield Project(f"{folder.name}.settings", file, folder if has_manage else app, has_manage or app_has_manage)
        elif has_manage:
            inner = ((package, _settings_file(package)) for package in _folders(folder))
            yield from (Project(f"{package.name}.settings", file, folder, True) for package, file in inner if file)


def _folders(parent: Path) -> list[Path]:
    folders = (entry for entry in parent.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return sorted(folders, key=lambda folder: folder.name)


def _settings_file(package: Path) -> Path | None:
    return next((f for f in (package / "settings" / "__init__.py", package / "settings.py") if f.is_file()), None)


def _seen(app_path: str) -> str:
    names = ", ".join(folder.name for folder in _folders(Path(app_path, "app")))
    return f" (folders there: {names})" if names else ""


def _is_installed(module: str) -> bool:
    """Also when it lies in ``app/``; nothing is imported."""
    return module in sys.modules or importlib.util.find_spec(module) is not None
