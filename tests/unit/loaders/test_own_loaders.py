"""Loaders that are plug-ins: when they are asked, and what is said when they fail."""

import sys
from collections.abc import Mapping
from pathlib import Path
from wsgiref.simple_server import demo_app
from wsgiref.types import WSGIApplication

import pytest

from tests.unit.loaders.fresh import lay_out, load
from wsgid.loaders import IAppLoader, load_application
from wsgid.plugins import Plugin, isolated

PLAIN = 'def app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"plain"]\n'

OWN = """
from wsgid.core import Plugin
from wsgid.loaders import IAppLoader


class Own(Plugin):
    implements = [IAppLoader]

    def can_load(self, folder):
        return {can_load}

    def load_app(self, folder, name):
        {body}

    def serve(self, text):
        def application(environ, start_response):
            start_response("200 OK", [])
            return [text.encode()]

        return application
"""


def own(body: str = "return self.serve(name or 'own')", can_load: str = "True") -> str:
    return OWN.format(body=body, can_load=can_load)


def folder_with(tmp_path: Path, files: Mapping[str, str]) -> Path:
    """Paths are those in the app folder."""
    return lay_out(tmp_path, {f"../{name}": text for name, text in files.items()})


def test_a_loader_in_plugins_is_asked_before_ours(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"plugins/own.py": own(), "app/wsgi.py": PLAIN})
    assert load(folder).body == "own"


def test_it_is_asked_before_the_name_counts_and_gets_it(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"plugins/own.py": own(), "app/wsgi.py": PLAIN})
    assert load(folder, "wsgi:app").body == "wsgi:app"


def test_one_that_does_not_know_the_code_is_passed_over(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"plugins/own.py": own(can_load="False"), "app/wsgi.py": PLAIN})
    assert load(folder).body == "plain"
    assert load(folder, "wsgi:app").body == "plain"


def test_it_is_not_asked_when_django_is_asked_for(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"plugins/own.py": own()})
    assert load(folder, django=True).headline.startswith("Django: no folder in app/")


def test_a_loader_dir_counts_as_much(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "site", {"app/wsgi.py": PLAIN})
    (tmp_path / "loaders").mkdir()
    (tmp_path / "loaders" / "own.py").write_text(own())
    assert load(folder, loader_dirs=[tmp_path / "loaders"]).body == "own"


def test_their_order_can_be_told(tmp_path: Path) -> None:
    first = own("return self.serve('first')")
    second = own("return self.serve('second')").replace("implements =", "order = -1\n    implements =")
    folder = folder_with(tmp_path, {"plugins/a.py": first, "plugins/b.py": second})
    assert load(folder).body == "second"


def test_one_that_is_derived_from_ours_is_asked_before_it(tmp_path: Path) -> None:
    derived = """
from wsgid.loaders.plain import PlainLoader

class Own(PlainLoader):
    def load_app(self, folder, name):
        inner = super().load_app(folder, name)
        return lambda environ, start_response: [b"wrapped ", *inner(environ, start_response)]
"""
    folder = folder_with(tmp_path, {"plugins/own.py": derived, "app/wsgi.py": PLAIN})
    assert load(folder).body == "wrapped plain"


def test_one_that_cannot_say_whether_it_can_is_told_and_passed_over(tmp_path: Path) -> None:
    broken = own(can_load="{}['key']")
    folder = folder_with(tmp_path, {"plugins/own.py": broken, "app/wsgi.py": PLAIN})
    assert load(folder).body == "plain"
    (folder / "app/wsgi.py").unlink()
    assert (
        f"\n  Own ({folder}/plugins/own.py, line 6) cannot say whether it can load the application: "
        f"{folder}/plugins/own.py, line 10: KeyError: 'key'\n  Django: "
    ) in load(folder).failure


@pytest.mark.parametrize(
    ("body", "headline"),
    [
        ("raise ValueError('no')", "plugins/own.py, line 13: ValueError: no"),
        ("raise SystemExit('gone')", "plugins/own.py, line 13: SystemExit: gone"),
        ("import shop", "plugins/own.py, line 13: app/shop.py, line 2: ZeroDivisionError: division by zero"),
        (
            "from wsgid.loaders import LoadError; raise LoadError('no pages in app/')",
            "plugins/own.py, line 13: no pages in app/",
        ),
        (
            "pass",
            "plugins/own.py, line 6: what Own ({folder}/plugins/own.py, line 6) returned is no application: it is of "
            "type NoneType and cannot be called",
        ),
    ],
)
def test_one_that_fails_says_where(tmp_path: Path, body: str, headline: str) -> None:
    folder = folder_with(tmp_path, {"plugins/own.py": own(body), "app/shop.py": "\n1 / 0"})
    assert load(folder).headline == headline.format(folder=folder)


def test_one_that_lies_elsewhere_says_where(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path / "site", {"app/shop.py": "\n1 / 0", "../loaders/own.py": own("raise ValueError('no')")}
    )
    place = f"{tmp_path}/loaders/own.py, line 13"
    assert load(folder, loader_dirs=[tmp_path / "loaders"]).headline == f"{place}: ValueError: no"
    (tmp_path / "loaders" / "own.py").write_text(own("import shop"))
    assert load(folder, loader_dirs=[tmp_path / "loaders"]).headline == (
        f"{place}: app/shop.py, line 2: ZeroDivisionError: division by zero"
    )


def test_when_nothing_is_found_those_that_said_no_and_those_that_are_broken_are_named(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"plugins/own.py": own(can_load="False"), "plugins/broken.py": "import\n"})
    told = load(folder).failure
    assert f"\n  Own ({folder}/plugins/own.py, line 6): its can_load() says no\n  Django: " in told
    assert (
        f"\nPlug-ins that cannot be loaded\n  {folder}/plugins/broken.py, line 1: SyntaxError: invalid syntax\nName it "
    ) in told


def test_one_that_is_passed_over_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = folder_with(tmp_path, {"app/empty.py": ""})
    with isolated():

        class Broken(Plugin, IAppLoader):
            def can_load(self, app_path: str) -> bool:
                return bool(1 / 0)

            def load_app(self, app_path: str, app_full_name: str) -> WSGIApplication:
                raise AssertionError

        class Whole(Plugin, IAppLoader):
            def can_load(self, app_path: str) -> bool:
                return True

            def load_app(self, app_path: str, app_full_name: str) -> WSGIApplication:
                return demo_app

        assert load_application(folder, wsgi_app=None, django=False) is demo_app
    [record] = [each for each in caplog.records if each.levelname == "WARNING"]
    place = f"{__file__}, line {Broken.can_load.__code__.co_firstlineno + 1}"
    assert record.getMessage().endswith(
        f"cannot say whether it can load the application: {place}: ZeroDivisionError: division by zero; "
        "it is passed over"
    )
    assert record.exc_info is not None
