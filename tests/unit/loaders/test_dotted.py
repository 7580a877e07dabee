import pytest

from tests.unit.loaders.conftest import WriteModules
from wsgid.loaders import LoadError
from wsgid.loaders.dotted import load_named

APPLICATION = "def application(environ, start_response): ...\n"

SITE = {
    "site_a/__init__.py": "",
    "site_a/wsgi.py": APPLICATION
    + """
class Container:
    app = application
    def create_app(self, name, *, debug=False):
        def made(environ, start_response): ...
        made.made_for = name, debug
        return made
container = Container()
def factory(): return container.create_app('none')
text = 'text'
class Strict:
    def __getattr__(self, name):
        raise RuntimeError(name)
strict = Strict()
""",
}


@pytest.mark.parametrize(
    "name",
    [
        "site_a.wsgi.application",
        "site_a.wsgi:application",
        "site_a.wsgi:Container.app",
        "site_a.wsgi:container.__class__.app",
        "site_a.wsgi.Container.app",
    ],
)
def test_the_object_that_is_named(modules: WriteModules, name: str) -> None:
    modules(SITE)
    assert load_named(name).__name__ == "application"


@pytest.mark.parametrize(
    ("name", "made_for"),
    [
        ("site_a.wsgi:factory", ("none", False)),
        ("site_a.wsgi.factory", ("none", False)),
        ("site_a.wsgi:factory()", ("none", False)),
        ("site_a.wsgi.factory()", ("none", False)),
        ("site_a.wsgi:container.create_app('prod', debug=True)", ("prod", True)),
        ("site_a.wsgi.container.create_app('a:b')", ("a:b", False)),
    ],
)
def test_the_factory_that_is_named_is_called(modules: WriteModules, name: str, made_for: tuple[str, bool]) -> None:
    modules(SITE)
    assert load_named(name).made_for == made_for  # type: ignore[attr-defined]


def test_a_module_comes_before_an_attribute_of_the_same_name(modules: WriteModules) -> None:
    modules({"site_b/__init__.py": "app = 'an attribute'", "site_b/app.py": APPLICATION})
    assert load_named("site_b.app.application").__name__ == "application"


def test_the_last_name_is_an_attribute_also_when_there_is_a_module_of_that_name(modules: WriteModules) -> None:
    modules({"site_c/__init__.py": "def app(environ, start_response): ...", "site_c/app.py": "raise AssertionError"})
    assert load_named("site_c.app").__name__ == "app"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("sight_a.wsgi:application", "--wsgi-app names the module 'sight_a.wsgi', and there is no 'sight_a'"),
        ("site_a.wsgy:application", "--wsgi-app names the module 'site_a.wsgy', and there is no 'site_a.wsgy'"),
        ("sight_a.wsgi.application", "--wsgi-app names the module 'sight_a', and there is no 'sight_a'"),
        ("site_a.wsgy.application", "/app/site_a/__init__.py) has no 'wsgy'; did you mean 'wsgi'?"),
        ("site_a.wsgi:aplication", "/app/site_a/wsgi.py) has no 'aplication'; did you mean 'application'?"),
        ("site_a.wsgi:zzz", "/app/site_a/wsgi.py) has no 'zzz'"),
        ("site_a.wsgi:container.create_ap", "site_a.wsgi:container has no attribute 'create_ap'; did you mean"),
        ("site_a.wsgi", "site_a.wsgi is a module: name the application in it, for example site_a.wsgi:application"),
        ("site_a:wsgi", "site_a.wsgi is a module: name the application in it, for example site_a.wsgi:application"),
        ("site_a.wsgi:text", "site_a.wsgi:text is no application: it is of type str"),
        ("site_a.wsgi:text()", "site_a.wsgi:text is no application: it is of type str"),
        ("site_a.wsgi:factory(1)", "site_a.wsgi:factory cannot be called like this: too many positional arguments"),
        ("sys:application", "the module sys (without a file) has no 'application'"),
        ("site_a.wsgi:", "--wsgi-app=site_a.wsgi:: it cannot be read"),
    ],
)
def test_a_name_that_leads_nowhere_says_where_it_ends(modules: WriteModules, name: str, why: str) -> None:
    modules(SITE)
    with pytest.raises(LoadError) as caught:
        load_named(name)
    assert why in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_module_that_was_imported_by_its_package_is_a_module_too(modules: WriteModules) -> None:
    modules({"site_d/__init__.py": "from site_d import wsgi", "site_d/wsgi.py": APPLICATION})
    with pytest.raises(LoadError, match="site_d:wsgi is a module: name the application in it"):
        load_named("site_d.wsgi")


@pytest.mark.parametrize("name", ["site_e.wsgi:application", "site_e.wsgi.application"])
def test_what_a_module_raises_passes(modules: WriteModules, name: str) -> None:
    modules({"site_e/__init__.py": "", "site_e/wsgi.py": "import no_such_library"})
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_library'"):
        load_named(name)


def test_what_an_attribute_raises_passes(modules: WriteModules) -> None:
    modules(SITE)
    with pytest.raises(RuntimeError, match="application"):
        load_named("site_a.wsgi:strict.application")
