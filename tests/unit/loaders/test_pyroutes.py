from pathlib import Path

import pytest

from tests.unit.loaders.fresh import APPS, lay_out, load
from wsgid.loaders.pyroutes import PyroutesLoader

LOADER = PyroutesLoader()

QUIET = "ignore"
"""pyroutes imports the standard library's cgi, which warns."""

ROUTES = """
from pyroutes import application, route
@route("/")
def index(request):
    return "routed"
"""


@pytest.mark.parametrize(
    "files",
    [
        {"handler.py": "from pyroutes import application\nfrom shop import *"},
        {"handler.py": "from shop import *", "pyroutes_settings.py": ""},
    ],
)
def test_a_project_is_known_by_its_handler(tmp_path: Path, files: dict[str, str]) -> None:
    assert LOADER.can_load(str(lay_out(tmp_path, files)))


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "pyroutes: no app/handler.py"),
        ({"pyroutes_settings.py": ""}, "pyroutes: no app/handler.py"),
        (
            {"handler.py": "def handle(): ..."},
            "pyroutes: app/handler.py does not mention pyroutes, and there is no app/pyroutes_settings.py",
        ),
    ],
)
def test_anything_else_is_not(tmp_path: Path, files: dict[str, str], why: str) -> None:
    folder = str(lay_out(tmp_path, files))
    assert not LOADER.can_load(folder)
    assert LOADER.why_not(folder) == [why]


def test_a_project_as_its_admin_command_lays_it_out_is_loaded() -> None:
    result = load(APPS / "pyroutes", warnings=QUIET)
    assert (result.status, result.body) == ("200 OK", "Hello from pyroutes")


def test_the_settings_of_the_project_are_used(tmp_path: Path) -> None:
    settings = "MIDDLEWARE = ('shop.Shout', 'pyroutes.middleware.responsify.Responsify')"
    middleware = """
class Shout:
    def __init__(self, inner, route):
        self.inner = inner
    def __call__(self, request):
        response = self.inner(request)
        response.content = response.content.upper()
        return response
"""
    files = {"handler.py": ROUTES, "pyroutes_settings.py": settings, "shop.py": middleware}
    assert load(lay_out(tmp_path, files), warnings=QUIET).body == "ROUTED"


def test_a_handler_may_wrap_the_application(tmp_path: Path) -> None:
    wrapped = """
import shop
from pyroutes import application as inner
def application(environ, start_response):
    return [b"wrapped ", *inner(environ, start_response)]
"""
    assert load(lay_out(tmp_path, {"handler.py": wrapped, "shop.py": ROUTES}), warnings=QUIET).body == "wrapped routed"


def test_a_handler_may_leave_the_application_unnamed(tmp_path: Path) -> None:
    files = {"handler.py": "import shop", "shop.py": ROUTES, "pyroutes_settings.py": ""}
    assert load(lay_out(tmp_path, files), warnings=QUIET).body == "routed"


def test_a_failure_is_told_with_its_line(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"handler.py": "from pyroutes import application\nimport shop", "shop.py": "1 / 0"})
    assert load(folder, warnings=QUIET).headline == "app/shop.py, line 1: ZeroDivisionError: division by zero"
