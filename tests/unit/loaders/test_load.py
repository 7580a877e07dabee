import os
import sys
from pathlib import Path

import pytest

from tests.apps.django_project import make_django_project
from tests.unit.loaders.fresh import APPS, lay_out, load
from wsgid.loaders import LoadError, load_application

PLAIN = 'def app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"plain"]\n'


@pytest.mark.parametrize(
    ("app", "greeting"),
    [
        ("flask", "Hello from Flask"),
        ("bottle", "Hello from Bottle"),
        ("falcon", "Hello from Falcon"),
        ("plain", "Hello, World!\n"),
        ("validated", "Hello, World!\n"),
    ],
)
def test_applications_are_found_without_options(app: str, greeting: str) -> None:
    result = load(APPS / app)
    assert (result.status, result.body) == ("200 OK", greeting), result.failure
    assert result.added == [str(APPS / app / "app")]


def test_an_application_whose_framework_warns_is_found_too() -> None:
    # WebOb, which Pyramid is built on, imports the standard library's cgi, which warns.
    assert load(APPS / "pyramid", warnings="ignore").body == "Hello from Pyramid"


def test_a_project_of_django_admin_startproject_is_found(tmp_path: Path) -> None:
    make_django_project(tmp_path / "site", sys.executable)
    result = load(tmp_path / "site")
    assert (result.status, result.body) == ("200 OK", "Hello from Django; notes: "), result.failure


def test_the_application_that_is_named_wins_over_everything(tmp_path: Path) -> None:
    files = {"blog/manage.py": "", "blog/inner/settings.py": "raise AssertionError", "wsgi.py": "raise AssertionError"}
    folder = lay_out(tmp_path, files | {"other.py": PLAIN})
    assert load(folder, "other:app").body == "plain"
    assert load(folder, "other.app", django=True).body == "plain"
    assert load(folder).headline == "app/blog/inner/settings.py, line 1: AssertionError"


def test_an_empty_name_is_none(tmp_path: Path) -> None:
    assert load(lay_out(tmp_path, {"wsgi.py": PLAIN}), "").body == "plain"


def test_django_when_asked_for_is_not_replaced_by_another(tmp_path: Path) -> None:
    assert load(lay_out(tmp_path, {"wsgi.py": PLAIN}), django=True).headline.startswith("Django: no folder in app/")


def test_a_relative_folder_becomes_absolute_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path / "blog", {"nothing.py": ""})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(LoadError):
        load_application(Path("blog"), wsgi_app=None, django=False)
    assert sys.path[0] == str(tmp_path / "blog/app")


def test_the_code_of_the_application_comes_before_what_is_installed(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"wsgi.py": "from flask import app", "flask.py": PLAIN})
    assert load(folder).body == "plain"


def test_nothing_found_lists_what_was_looked_for_and_where() -> None:
    result = load(APPS / "empty")
    assert result.failure == (
        f"cannot load the application: none was found in {APPS}/empty/app. Looked for\n"
        "  Django: no folder in app/ has a settings.py, or a manage.py and a package with one\n"
        "  pyroutes: no app/handler.py\n"
        "  app/wsgi.py: not there\n"
        "  app/app.py: not there\n"
        "  app/main.py: not there\n"
        "Name it with --wsgi-app=package.module:object, or write an app/wsgi.py that defines application."
    )


def test_a_folder_without_app_is_told(tmp_path: Path) -> None:
    text = f"{tmp_path} has no folder app/ for the application's code: is --app-path right?"
    assert load(tmp_path).failure == f"cannot load the application: {text}"


def test_a_syntax_error() -> None:
    result = load(APPS / "broken_syntax")
    assert result.headline == "app/wsgi.py, line 4: SyntaxError: 'return' outside function"
    assert result.cause == "SyntaxError"


def test_a_missing_import() -> None:
    result = load(APPS / "broken_import")
    assert result.headline == (
        "app/shop/orders.py, line 1: ModuleNotFoundError: No module named 'no_such_payment_library'"
    )
    assert result.failure.splitlines()[1].startswith("It is neither in app/ nor installed")
    assert "Traceback (most recent call last):" in result.failure
    assert f'File "{APPS}/broken_import/app/wsgi.py", line 3' in result.failure


def test_an_application_that_leaves_by_system_exit(tmp_path: Path) -> None:
    result = load(lay_out(tmp_path, {"wsgi.py": "import sys\napp = 1\nsys.exit('no database')"}))
    assert result.headline == "app/wsgi.py, line 3: SystemExit: no database"
    assert result.cause == "SystemExit"


def test_a_factory_that_fails(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"wsgi.py": "def create_app():\n    return {}['key']"})
    assert load(folder).headline == "app/wsgi.py, line 2: KeyError: 'key'"


def test_an_interruption_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = lay_out(tmp_path, {"interrupted.py": "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        load_application(folder, wsgi_app="interrupted:app", django=False)


def test_code_that_came_after_the_folder_was_looked_into_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = lay_out(tmp_path, {})
    with pytest.raises(LoadError):
        load_application(folder, wsgi_app="came_later:app", django=False)
    before = (folder / "app").stat()
    lay_out(tmp_path, {"came_later.py": PLAIN})
    # A file system whose clock is coarse shows no difference; then only being told helps the import system.
    os.utime(folder / "app", ns=(before.st_atime_ns, before.st_mtime_ns))
    application = load_application(folder, wsgi_app="came_later:app", django=False)
    assert application is sys.modules["came_later"].app
    del sys.modules["came_later"]
