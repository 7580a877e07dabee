"""Settings: a database that is given, templates that are cached, and the usual middleware."""

import os

DATABASE = "BENCH_DATABASE"
"""Environment variable: the SQLite file."""

SECRET_KEY = "of a benchmark, which keeps nothing secret"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "books.urls"
INSTALLED_APPS = ["django.contrib.sessions", "django.contrib.messages", "books"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ[DATABASE], "CONN_MAX_AGE": None}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
