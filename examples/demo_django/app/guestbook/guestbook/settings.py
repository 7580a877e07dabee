"""Settings of the guest book.

What differs from one machine to another goes into ``django.json`` in the app folder; wsgid merges it into these
settings. To be reachable under a name of its own, for example: ``{"ALLOWED_HOSTS": ["guests.example.org"]}``.
"""

import os
import secrets
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

APP_FOLDER = BASE_DIR.parent.parent
"""The folder that ``--app-path`` names: this project lies in its ``app/guestbook/``."""


def secret_key(file: Path) -> str:
    """The key in the file, which is made when it is first needed: ``manage.py migrate`` does, before any worker."""
    try:
        with open(file, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as new:
            new.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return file.read_text()


SECRET_KEY = secret_key(APP_FOLDER / "secret_key.txt")

DEBUG = False

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = ["visitors"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "guestbook.urls"
WSGI_APPLICATION = "guestbook.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "visitors.context.worker"],
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": APP_FOLDER / "guestbook.sqlite3",
        # Several workers write: each takes the lock when it begins, and waits for it, rather than fail in the middle.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "WARNING"}},
}
"""With DEBUG off Django would say nothing of an exception but by mail. What goes to stderr, wsgid logs."""
