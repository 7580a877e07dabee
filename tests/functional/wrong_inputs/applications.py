"""Applications that cannot be loaded: the start fails, and says where in the code and why."""

from collections.abc import Mapping

from tests.functional.wrong_inputs.row import Row

FAILED = "cannot load the application: "


def app(name: str, told: str, line: str = "", *, files: Mapping[str, str] | None = None, code: str = "") -> Row:
    """``code`` is that of app/wsgi.py."""
    laid = {"site/app/wsgi.py": code or "-", **(files or {})}
    return Row(name, f"start --bind 127.0.0.1:0 {line}".strip(), FAILED + told, 1, laid)


SETTINGS = "ROOT_URLCONF = 'urls'\nSECRET_KEY = 'x'\n"

ROWS = [
    app(
        "an empty app/",
        "none was found in HERE/site/app. Looked for\n"
        "...Name it with --wsgi-app=package.module:object, or write an app/wsgi.py that defines application.",
        files={"site/app/": ""},
    ),
    app(
        "a module that is missing",
        "app/wsgi.py, line 1: ModuleNotFoundError: No module named 'no_such_payment_library'\n"
        "It is neither in app/ nor installed for ...: install it there, or correct the import.",
        code="import no_such_payment_library\napplication = print\n",
    ),
    app(
        "a mistake of syntax",
        "app/wsgi.py, line 1: SyntaxError: ...\nThis is Python ...; correct that line.",
        code="def application(:\n",
    ),
    app(
        "an exit",
        "app/wsgi.py, line 1: SystemExit: 3\nThe application ended the process while it was being loaded. ...",
        code="raise SystemExit(3)\napplication = print\n",
    ),
    app(
        "a value that is no application",
        "...is no application: it is of type str and cannot be called",
        code="application = 'text'\n",
        line="--wsgi-app wsgi:application",
    ),
    app(
        "a module as the application",
        "... is a module: name the application in it, for example os:application",
        line="--wsgi-app wsgi:os",
        code="import os\n",
    ),
    app(
        "an asynchronous application",
        "...is asynchronous, probably an ASGI application: wsgid serves WSGI applications",
        code="async def application(scope, receive, send): pass\n",
    ),
    app("a callable with other arguments", "...", code="def application(environ): pass\n"),
    app(
        "only values under the usual names",
        "HERE/site/app/wsgi.py has nothing that can be called under any of the names "
        "application, app, create_app, make_app",
        code="application = app = None\n",
    ),
    app("--wsgi-app without a name", "--wsgi-app=wsgi:: ...", line="--wsgi-app wsgi:", code="application = print\n"),
    app(
        "--wsgi-app names a module that there is not",
        "--wsgi-app names the module 'wsgy', and there is no 'wsgy', neither in app/ nor installed...",
        line="--wsgi-app wsgy:application",
        code="application = print\n",
    ),
    app(
        "--wsgi-app names an object that there is not",
        "...",
        line="--wsgi-app wsgi:applicaton",
        code="application = print\n",
    ),
    app(
        "--wsgi-app names a file",
        "...a module is named without .py",
        line="--wsgi-app wsgi.py:application",
        code="application = print\n",
    ),
    app(
        "--django without a project",
        "Django: no folder in app/ has a settings.py, or a manage.py and a package with one",
        line="--django",
        code="application = print\n",
    ),
    app(
        "django.json is not JSON",
        "django.json, line 1, column 2: ...",
        files={"site/app/shop/settings.py": SETTINGS, "site/django.json": "{"},
    ),
    app(
        "django.json is a list",
        'django.json: an object is wanted, as in {"DEBUG": false}, and it holds a list',
        files={"site/app/shop/settings.py": SETTINGS, "site/django.json": "[]"},
    ),
    app(
        "django.json has a small letter",
        "django.json: Django ignores settings that are not in upper case; 'debug': write 'DEBUG'",
        files={"site/app/shop/settings.py": SETTINGS, "site/django.json": '{"debug": true}'},
    ),
    app(
        "django.json is not UTF-8",
        "django.json: byte 3 is not UTF-8; save the file as UTF-8",
        files={"site/app/shop/settings.py": SETTINGS, "site/django.json": '{"\udcff": 1}'},
    ),
    app(
        "settings that read themselves",
        "shop.settings made Django read its settings while it was being imported: too early for django.json",
        files={
            "site/app/shop/settings.py": SETTINGS + "from django.conf import settings\nsettings.DEBUG\n",
            "site/django.json": '{"DEBUG": true}',
        },
    ),
]
