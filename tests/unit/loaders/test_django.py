import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.loaders.fresh import Result, lay_out, load
from wsgid.loaders import LoadError
from wsgid.loaders.django import VARIABLE, DjangoLoader

LOADER = DjangoLoader()

URLS = """
import json
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
def index(request):
    return HttpResponse(json.dumps([settings.WHO, getattr(settings, 'EXTRA', None)]))
urlpatterns = [path('', index)]
"""


def settings(who: str, urls: str, more: str = "") -> str:
    return f"ROOT_URLCONF = {urls!r}\nALLOWED_HOSTS = ['*']\nSECRET_KEY = 'x'\nWHO = {who!r}\n{more}\n"


def flat(name: str, more: str = "", where: str = "settings.py") -> dict[str, str]:
    """``app/NAME/settings.py``"""
    return {f"{name}/{where}": settings(name, f"{name}.urls", more), f"{name}/urls.py": URLS}


def nested(name: str, inner: str, where: str = "settings.py") -> dict[str, str]:
    """``app/NAME/manage.py`` and ``app/NAME/INNER/settings.py``"""
    return {
        f"{name}/manage.py": "",
        f"{name}/{inner}/{where}": settings(f"{name}/{inner}", f"{inner}.urls"),
        f"{name}/{inner}/__init__.py": "",
        f"{name}/{inner}/urls.py": URLS,
    }


def who(result: Result) -> object:
    assert result.status == "200 OK", result.failure
    return json.loads(result.body)[0]


def extra(result: Result) -> object:
    assert result.status == "200 OK", result.failure
    return json.loads(result.body)[1]


# Which project


@pytest.mark.parametrize(
    ("files", "expected", "path"),
    [
        (flat("blog"), "blog", [""]),
        (flat("blog", where="settings/__init__.py"), "blog", [""]),
        (nested("blog", "inner"), "blog/inner", ["blog", ""]),
        (nested("blog", "blog"), "blog/blog", ["blog", ""]),
        (nested("blog", "inner", "settings/__init__.py"), "blog/inner", ["blog", ""]),
        (flat("blog") | {"manage.py": ""}, "blog", [""]),
        (flat("blog") | {"blog/manage.py": ""}, "blog", ["blog", ""]),
        (flat("b") | flat("a") | flat("c"), "a", [""]),
        (flat("b") | nested("a", "z"), "a/z", ["a", ""]),
        (flat("B") | flat("a"), "B", [""]),
        (flat("blog") | flat(".a"), "blog", [""]),
        (nested("blog", "b") | nested("blog", "a"), "blog/a", ["blog", ""]),
        (nested("blog", "inner") | nested("blog", ".a"), "blog/inner", ["blog", ""]),
        (flat("blog") | {"a/views.py": "", "a/manage.py": "", "a/b/views.py": "", "a.py": ""}, "blog", [""]),
        # Another framework's settings.py does not stand in the way.
        (flat("blog") | {"a/settings.py": "PORT = 1"}, "blog", [""]),
        # Django is asked for before anything else.
        (flat("blog") | {"wsgi.py": "application = 1", "handler.py": "import pyroutes"}, "blog", [""]),
    ],
)
def test_the_first_project_is_loaded(tmp_path: Path, files: dict[str, str], expected: str, path: list[str]) -> None:
    folder = lay_out(tmp_path, files)
    assert LOADER.can_load(str(folder))
    result = load(folder)
    assert who(result) == expected
    assert result.path == [str(folder / "app" / part) for part in path]


@pytest.mark.parametrize("files", [{}, {"blog/manage.py": ""}, {"blog/manage.py": "", "blog/inner/models.py": ""}])
def test_no_project(tmp_path: Path, files: dict[str, str]) -> None:
    folder = lay_out(tmp_path, files)
    seen = " (folders there: blog)" if files else ""
    text = f"Django: no folder in app/ has a settings.py, or a manage.py and a package with one{seen}"
    assert not LOADER.can_load(str(folder))
    assert LOADER.why_not(str(folder)) == [text]
    assert load(folder, django=True).headline == text


def test_settings_of_another_framework_are_taken_only_when_asked_for(tmp_path: Path) -> None:
    app = 'def app(e, s):\n    s("200 OK", [])\n    return [b"flask"]'
    folder = lay_out(tmp_path, {"shop/settings.py": "PORT = 1", "shop/urls.py": URLS, "app.py": app})
    assert LOADER.why_not(str(folder)) == [
        "Django: app/shop/settings.py is hardly Django's: "
        "it mentions neither Django nor ROOT_URLCONF; --django takes it"
    ]
    assert load(folder).body == "flask"
    (folder / "django.json").write_text(
        '{"ROOT_URLCONF": "shop.urls", "ALLOWED_HOSTS": ["*"], "SECRET_KEY": "x", "WHO": "forced"}'
    )
    assert who(load(folder, django=True)) == "forced"


@pytest.mark.parametrize("more", ["from .base import *", "from django.utils import x", "INSTALLED_APPS = []"])
def test_what_speaks_for_settings_of_django(tmp_path: Path, more: str) -> None:
    assert LOADER.can_load(str(lay_out(tmp_path, {"blog/settings.py": more})))


@pytest.mark.parametrize("manage", ["manage.py", "blog/manage.py"])
def test_a_manage_py_speaks_for_it_too(tmp_path: Path, manage: str) -> None:
    assert LOADER.can_load(str(lay_out(tmp_path, {"blog/settings.py": "PORT = 1", manage: ""})))


def test_without_django_nothing_is_one(tmp_path: Path) -> None:
    lay_out(tmp_path, flat("blog"))
    script = """
import sys
sys.path[:] = [entry for entry in sys.path if "-packages" not in entry]
from wsgid.loaders.django import DjangoLoader
print(DjangoLoader().why_not(sys.argv[1]))
DjangoLoader().load_app(sys.argv[1], "")
"""
    asked = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.stdout == f"['Django: not installed for {sys.executable}']\n"
    assert f"LoadError: Django is not installed for {sys.executable}: install it there" in done.stderr


# DJANGO_SETTINGS_MODULE


@pytest.mark.parametrize(
    ("files", "module", "expected"),
    [
        (flat("a") | flat("b"), "b.settings", "b"),
        (nested("a", "inner") | {"a/inner/prod.py": settings("prod", "inner.urls")}, "inner.prod", "prod"),
        ({"config/prod.py": settings("prod", "config.urls"), "config/urls.py": URLS}, "config.prod", "prod"),
    ],
)
def test_the_environment_wins(tmp_path: Path, files: dict[str, str], module: str, expected: str) -> None:
    assert who(load(lay_out(tmp_path, files), env={VARIABLE: module})) == expected


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    assert who(load(lay_out(tmp_path, flat("blog")), env={VARIABLE: ""})) == "blog"


@pytest.mark.parametrize("django_json", ["{}", '{"WHO": 1}'])
def test_a_module_that_does_not_exist_is_told(tmp_path: Path, django_json: str) -> None:
    folder = lay_out(tmp_path, flat("blog"))
    (folder / "django.json").write_text(django_json)
    result = load(folder, env={VARIABLE: "blog.prod"})
    assert result.headline == (
        "DJANGO_SETTINGS_MODULE names the module 'blog.prod', "
        "and there is no 'blog.prod', neither in app/ nor installed"
    )


def test_a_variable_left_over_from_elsewhere_does_not_make_django_of_another_application(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"wsgi.py": 'def app(e, s):\n    s("200 OK", [])\n    return [b"flask"]'})
    assert load(folder, env={VARIABLE: "elsewhere.settings"}).body == "flask"
    (folder / "app/wsgi.py").unlink()
    text = "Django: DJANGO_SETTINGS_MODULE=elsewhere.settings, and there is no module 'elsewhere'"
    assert text in load(folder, env={VARIABLE: "elsewhere.settings"}).failure


# django.json


@pytest.mark.parametrize(
    ("current", "extra_settings", "expected"),
    [
        ("", {"EXTRA": "new"}, "new"),
        ("EXTRA = 'old'", {"EXTRA": 1}, 1),
        ("EXTRA = ('old',)", {"EXTRA": ["new"]}, ["old", "new"]),
        ("EXTRA = {'a': {'deep': 1}, 'b': 2}", {"EXTRA": {"a": {}}}, {"a": {}, "b": 2}),
        ("EXTRA = 'old'", {}, "old"),
    ],
)
def test_django_json_is_merged_before_django_reads_the_settings(
    tmp_path: Path, current: str, extra_settings: Mapping[str, object], expected: object
) -> None:
    folder = lay_out(tmp_path, flat("blog", current))
    (folder / "django.json").write_text(json.dumps(extra_settings))
    assert extra(load(folder)) == expected


def test_django_json_reaches_what_django_reads_at_its_setup(tmp_path: Path) -> None:
    model = "from django.apps import apps\nEXTRA = None\nassert not apps.ready\n"
    folder = lay_out(tmp_path, flat("blog") | {"shop/__init__.py": model, "shop/models.py": "LOADED = True"})
    (folder / "django.json").write_text('{"INSTALLED_APPS": ["shop"], "EXTRA": "x"}')
    urls = URLS.replace("settings.WHO", "__import__('sys').modules['shop.models'].LOADED")
    (folder / "app/blog/urls.py").write_text(urls)
    assert json.loads(load(folder).body) == [True, "x"]


def test_a_mistake_in_django_json_is_told_before_any_code_runs(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"blog/manage.py": "", "blog/inner/settings.py": "raise AssertionError"})
    (folder / "django.json").write_text('{"debug": true}')
    assert load(folder).failure == (
        "cannot load the application: "
        "django.json: Django ignores settings that are not in upper case; 'debug': write 'DEBUG'"
    )


EARLY = "from django.conf import settings\nsettings.TIME_ZONE"


def test_settings_that_use_django_while_they_are_imported_work(tmp_path: Path) -> None:
    files = flat("blog")
    files["blog/settings.py"] = f"SECRET_KEY = 'x'\n{EARLY}\n{files['blog/settings.py']}"
    assert who(load(lay_out(tmp_path, files))) == "blog"


def test_settings_that_make_django_read_them_too_early_for_django_json_are_told(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, flat("blog", EARLY))
    (folder / "django.json").write_text('{"WHO": "extra"}')
    text = "blog.settings made Django read its settings while it was being imported: too early for django.json"
    assert load(folder).headline == text


# WSGI_APPLICATION


def test_the_application_of_the_settings_is_used(tmp_path: Path) -> None:
    wsgi = """
from django.core.wsgi import get_wsgi_application
inner = get_wsgi_application()
def application(environ, start_response):
    return [b"wrapped ", *inner(environ, start_response)]
"""
    files = flat("blog", "WSGI_APPLICATION = 'blog.wsgi.application'") | {"blog/wsgi.py": wsgi}
    assert load(lay_out(tmp_path, files)).body == 'wrapped ["blog", null]'


def test_what_is_missing_in_its_module_is_told_with_its_line(tmp_path: Path) -> None:
    files = flat("blog", "WSGI_APPLICATION = 'blog.wsgi.application'")
    folder = lay_out(tmp_path, files | {"blog/wsgi.py": "import no_such_library"})
    result = load(folder)
    assert result.headline == "app/blog/wsgi.py, line 1: ModuleNotFoundError: No module named 'no_such_library'"
    assert result.cause == "ImproperlyConfigured"


def test_an_application_that_cannot_be_called_is_told(tmp_path: Path) -> None:
    files = flat("blog", "WSGI_APPLICATION = 'blog.wsgi.application'") | {"blog/wsgi.py": "application = 1"}
    assert load(lay_out(tmp_path, files)).headline.startswith("WSGI_APPLICATION is no application: it is of type int")


def test_what_is_missing_in_the_settings_is_told_with_its_line(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, flat("blog", "import no_such_library"))
    text = "app/blog/settings.py, line 5: ModuleNotFoundError: No module named 'no_such_library'"
    assert load(folder).headline == text


def test_asked_for_the_settings_are_not_looked_at_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(LoadError, match="no folder in app/"):
        LOADER.load_app(str(lay_out(tmp_path, {})), "")
