import sys
from pathlib import Path

import pytest

from tests.unit.loaders.conftest import WriteModules
from wsgid.loaders import LoadError
from wsgid.loaders.importing import import_named, nearest, put_first


def test_a_folder_comes_first_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/a", "/b", "/a"])
    kept = sys.path
    put_first(Path("/b"))
    assert sys.path == ["/b", "/a", "/a"]
    put_first(Path("/a"))
    assert sys.path == ["/a", "/b"]
    put_first(Path("/c"))
    assert sys.path == ["/c", "/a", "/b"]
    assert sys.path is kept


def test_a_module_is_imported(modules: WriteModules) -> None:
    modules({"shop_a/__init__.py": "", "shop_a/orders.py": "here = True"})
    assert import_named("shop_a.orders", "--wsgi-app").here


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("shop_b", "shop_b"),
        ("shop_b.orders", "shop_b"),
        ("shop_a.customers", "shop_a.customers"),
        ("shop_a.orders.deep.deeper", "shop_a.orders.deep"),
    ],
)
def test_a_missing_module_is_told_from_a_missing_part_of_it(modules: WriteModules, name: str, missing: str) -> None:
    modules({"shop_a/__init__.py": "", "shop_a/orders.py": ""})
    with pytest.raises(LoadError) as caught:
        import_named(name, "--wsgi-app")
    text = f"--wsgi-app names the module '{name}', and there is no '{missing}', neither in app/ nor installed"
    assert str(caught.value).startswith(text)
    assert caught.value.__cause__ is None


def test_a_name_much_like_it_is_offered(modules: WriteModules) -> None:
    modules({"shop_of_mine.py": ""})
    with pytest.raises(LoadError, match="; did you mean 'shop_of_mine'"):
        import_named("shop_of_mien", "--wsgi-app")


def test_the_name_of_a_file_is_not_that_of_a_module(modules: WriteModules) -> None:
    modules({"shop_c.py": ""})
    with pytest.raises(
        LoadError, match=r"no 'shop_c.py', neither in app/ nor installed; a module is named without .py"
    ):
        import_named("shop_c.py", "--wsgi-app")


@pytest.mark.parametrize("missing", ["no_such_module", "shop_d2", "shop"])
def test_what_is_missing_inside_a_module_passes(modules: WriteModules, missing: str) -> None:
    modules({"shop_d.py": f"import {missing}"})
    with pytest.raises(ModuleNotFoundError, match=f"No module named '{missing}'"):
        import_named("shop_d", "--wsgi-app")


def test_an_exception_without_a_module_name_passes(modules: WriteModules) -> None:
    modules({"shop_e.py": "raise ModuleNotFoundError('by hand')"})
    with pytest.raises(ModuleNotFoundError, match="by hand"):
        import_named("shop_e", "--wsgi-app")


def test_nearest() -> None:
    assert nearest("aplication", ["app", "application", "application"]) == "; did you mean 'application'?"
    assert nearest("make", ["maker", "baker", "make_"]) == "; did you mean 'maker' or 'make_' or 'baker'?"
    assert nearest("x", ["application"]) == ""
