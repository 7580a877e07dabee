"""Which static files Mongrel2 is to serve: those that were named, and what a Django project has collected."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from wsgid.cli.complaints import EXIT_REFUSED, CannotDo
from wsgid.config import Config
from wsgid.loaders.django import has_project
from wsgid.master.rights import Identity
from wsgid.mongrel2_config.site import StaticFiles

SETTINGS_TIME = 60.0
"""Seconds for importing a project's settings: as long as a worker has for the whole application (--start-timeout)."""


def named(texts: Iterable[str], base: Path) -> list[StaticFiles]:
    """What --static says, ``/URL=DIR``; relative folders are taken from ``base``, and need not be there yet. Raises
    CannotDo."""
    found = [_named(text, base) for text in texts]
    urls = [each.url for each in found]
    for url in urls:
        if urls.count(url) > 1:
            raise CannotDo(f"--static: {url} is named twice", exit_code=EXIT_REFUSED)
    return found


def of_django(config: Config, identity: Identity | None) -> tuple[list[StaticFiles], list[str]]:
    """By the settings of the project, if the app folder has one; and what is to be said of it. Raises CannotDo."""
    told = _settings(config, identity) if has_project(config.app_path) else None
    if told is None:
        return [], []
    if isinstance(told, str):
        raise CannotDo(
            "the settings of the Django project cannot be loaded, so its static files are not known; --no-static does "
            "without them",
            *told.splitlines(),
            exit_code=EXIT_REFUSED,
        )
    url, root = told["url"], told["root"]
    if not root:
        return [], ["Django's STATIC_ROOT is not set: set it, run collectstatic, and do this again with --force"]
    if not url or not url.startswith("/"):
        return [], [f"Django's STATIC_URL is {url}, on another server: nothing to be served here"]
    return [StaticFiles(_url(url), PurePosixPath(root))], []


def missing(files: Iterable[StaticFiles]) -> list[str]:
    """What is to be said of folders that are not there."""
    return [f"{each.path} is not there yet: {each.url} gets 404" for each in files if not os.path.isdir(each.path)]


def _named(text: str, base: Path) -> StaticFiles:
    url, equals, folder = text.partition("=")
    if not (equals and folder and url.startswith("/") and _url(url) != "/") or "(" in url:
        raise CannotDo(f"--static: {text!r} is not /URL=DIR, such as /static=app/static", exit_code=EXIT_REFUSED)
    return StaticFiles(_url(url), PurePosixPath(os.path.normpath(base / folder)))


def _url(url: str) -> str:
    return f"{url.rstrip('/')}/"


def _settings(config: Config, identity: Identity | None) -> dict[str, str] | str | None:
    """What `wsgid.loaders.django_static` says, as the daemon's user."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "wsgid.loaders.django_static", str(config.app_path)],
            env={**os.environ, **config.envs},
            cwd=config.app_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=SETTINGS_TIME,
            check=False,
            user=identity.uid if identity else None,
            group=identity.gid if identity else None,
            extra_groups=identity.groups if identity else None,
        )
    except subprocess.TimeoutExpired:
        return f"importing them takes more than {SETTINGS_TIME:g} s"
    except OSError as error:
        return f"{identity or 'this user'} cannot execute {error.filename}: {error.strerror}"
    try:
        told: dict[str, str] | str | None = json.loads(done.stdout)
    except ValueError:
        return f"the process that imported them ended with {done.returncode}"
    return told
