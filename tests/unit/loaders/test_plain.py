from pathlib import Path

import pytest

from tests.unit.loaders.fresh import lay_out, load
from wsgid.loaders import LoadError
from wsgid.loaders.plain import PlainLoader

LOADER = PlainLoader()


def answering(word: str, name: str = "application") -> str:
    return f"""
def {name}(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{word}"]
"""


@pytest.mark.parametrize(
    "source",
    [
        "def application(environ, start_response): ...",
        "class app: ...",
        "app = None",
        "app: object = None",
        "a, *app = [1]",
        "from project import app",
        "from project import site as application",
        "import project.site as app",
        "from project import *",
        "if True:\n    app = 1",
        "try:\n    from a import app\nexcept ImportError:\n    pass",
        "with open('x') as app: ...",
        "def create_app(): ...",
        "def make_app(): ...",
        "async def app(scope, receive, send): ...",
    ],
)
def test_a_file_that_defines_one_of_the_names_is_known(tmp_path: Path, source: str) -> None:
    assert LOADER.can_load(str(lay_out(tmp_path, {"main.py": source})))


@pytest.mark.parametrize(
    "source",
    [
        "",
        "print(app)",
        "def run():\n    app = 1",
        "import project.app",
        "site.app = 1",
        "'app'",
        "def other(app): ...",
        "class A:\n    app = 1",
    ],
)
def test_a_file_that_defines_none_is_not(tmp_path: Path, source: str) -> None:
    folder = lay_out(tmp_path, {"main.py": source})
    assert not LOADER.can_load(str(folder))
    assert LOADER.why_not(str(folder)) == [
        "app/wsgi.py: not there",
        "app/app.py: not there",
        "app/main.py: defines none of application, app, create_app, make_app",
    ]


def test_to_find_out_nothing_is_run(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"wsgi.py": "raise AssertionError('run')\napp = 1"})
    assert LOADER.can_load(str(folder))


@pytest.mark.parametrize("source", [b"app = (", b"nonlocal a", b"# coding: nonsense\n", b"\xff = 1", b"a = 1\0"])
def test_a_file_that_cannot_be_compiled_is_known_so_that_loading_tells_why(tmp_path: Path, source: bytes) -> None:
    folder = lay_out(tmp_path, {})
    (folder / "app/wsgi.py").write_bytes(source)
    assert LOADER.can_load(str(folder))


def test_a_file_in_another_encoding_is_read_as_python_does(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {})
    (folder / "app/wsgi.py").write_bytes(b"# coding: latin-1\nname = '\xe9'\napp = 1\n")
    (folder / "app/app.py").write_bytes(b"# coding: latin-1\nname = '\xe9'\n")
    assert LOADER.why_not(str(folder))[1] == "app/app.py: defines none of application, app, create_app, make_app"
    assert LOADER.can_load(str(folder))


def test_asked_to_load_what_it_does_not_know_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"app/wsgi.py: not there\napp/app.py: not there\napp/main.py: not there"):
        LOADER.load_app(str(lay_out(tmp_path, {})), "")


def test_wsgi_py_comes_before_app_py_before_main_py(tmp_path: Path) -> None:
    files = {f"{name}.py": answering(name) for name in ("main", "app", "wsgi")}
    folder = lay_out(tmp_path, files)
    for expected in ("wsgi", "app", "main"):
        assert load(folder).body == expected
        (folder / "app" / f"{expected}.py").unlink()


def test_a_file_without_the_names_is_passed_over_and_not_run(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"wsgi.py": "raise SystemExit", "app.py": answering("second")})
    assert load(folder).body == "second"


def test_a_package_of_the_name_will_do(tmp_path: Path) -> None:
    assert load(lay_out(tmp_path, {"app/__init__.py": answering("package", "app")})).body == "package"


def test_within_a_file_application_comes_first_and_what_cannot_be_called_is_passed_over(tmp_path: Path) -> None:
    first = answering("app", "app") + answering("application") + "def create_app(): raise AssertionError"
    assert load(lay_out(tmp_path / "a", {"wsgi.py": first})).body == "application"
    second = "import json as app\napplication = None\n" + answering("made", "made") + "def create_app(): return made"
    assert load(lay_out(tmp_path / "b", {"wsgi.py": second})).body == "made"


def test_a_factory_with_options_is_called(tmp_path: Path) -> None:
    source = answering("made", "made") + "def create_app(config=None, testing=False): return made"
    assert load(lay_out(tmp_path, {"wsgi.py": source})).body == "made"


def test_when_none_of_the_names_can_be_called_it_says_so(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"wsgi.py": "app = 1"})
    text = "nothing that can be called under any of the names application, app, create_app, make_app"
    assert load(folder).headline == f"{folder}/app/wsgi.py has {text}"


def test_a_failure_is_told_with_its_line(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, {"wsgi.py": "app = 1\nimport no_such_library"})
    assert load(folder).headline == "app/wsgi.py, line 2: ModuleNotFoundError: No module named 'no_such_library'"
