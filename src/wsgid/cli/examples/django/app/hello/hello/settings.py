"""Settings of the project: https://docs.djangoproject.com/en/stable/ref/settings/

What belongs to this machine and not to the project lies outside of app/: the key in secret-key, the database in data/,
and in django.json whatever is to be otherwise here, such as {"DEBUG": true}, {"ALLOWED_HOSTS": ["www.example.org"]}.
"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).absolute().parent.parent
"""The folder of manage.py."""
SITE = BASE_DIR.parent.parent
"""The app folder."""

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or (SITE / "secret-key").read_text().strip()
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "hello.urls"
WSGI_APPLICATION = "hello.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Its tables are made by `python manage.py migrate`, as the user that the daemon runs as.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": SITE / "data" / "db.sqlite3",
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# `python manage.py collectstatic` gathers the files there, for a web server to serve.
STATIC_URL = "static/"
STATIC_ROOT = SITE / "static"
