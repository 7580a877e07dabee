"""With distributions as pip leaves them on sys.path."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.plugins.conftest import WriteFiles
from tests.unit.plugins.greetings import HEAD, file, greeters, plugin
from wsgid.plugins import LoadReport, load_plugins, registered, set_plugin_dirs
from wsgid.plugins.entry_points import installed

GROUP = "plugnplay_tests.greetings"

METADATA = "Metadata-Version: 2.1\nName: pnp-greetings\nVersion: 1.2\n"

Install = Callable[..., Path]


@pytest.fixture
def install(write: WriteFiles, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A distribution with these modules and entry points."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def done(modules: dict[str, str], **points: str) -> Path:
        listed = "".join(f"{name} = {value}\n" for name, value in points.items())
        folder = write(
            {
                **{f"site/{name}": text for name, text in modules.items()},
                "site/pnp_greetings-1.2.dist-info/METADATA": METADATA,
                "site/pnp_greetings-1.2.dist-info/entry_points.txt": f"[{GROUP}]\n{listed}",
            }
        )
        sys.path.append(str(folder / "site"))
        return folder

    yield done
    for name in {each for each in set(sys.modules) - before if each.startswith("pnp_")}:
        del sys.modules[name]


def load() -> LoadReport:
    return load_plugins(entry_point_group=GROUP)


def test_a_module_registers_all_that_is_in_it(install: Install) -> None:
    install({"pnp_one/__init__.py": "", "pnp_one/greetings.py": file("A", "B")}, one="pnp_one.greetings")
    [loaded] = load().loaded
    assert greeters() == ["A", "B"]
    assert str(loaded.source) == "entry point one = pnp_one.greetings of pnp-greetings 1.2"
    assert [each.plugin.__name__ for each in loaded.plugins] == ["A", "B"]
    assert {each.source for each in registered()} == {loaded.source}


def test_a_class_is_told_apart_from_others_of_its_module(install: Install) -> None:
    install({"pnp_two.py": file("A", "B", "C")}, b="pnp_two:B [extra]", c="pnp_two:C")
    report = load()
    told = {each.source.name: [one.plugin.__name__ for one in each.plugins] for each in report.loaded}
    assert told == {"b": ["A", "B"], "c": ["C"]}  # the import of the first one has brought A


def test_they_are_in_one_alphabet_with_files(install: Install) -> None:
    folder = install({"pnp_three.py": file("B"), "pnp_four.py": file("D")}, b="pnp_three", d="pnp_four")
    (folder / "plugins").mkdir()
    for name in ("A", "C", "E"):
        (folder / "plugins" / f"{name.lower()}.py").write_text(file(name))
    set_plugin_dirs(folder / "plugins")
    load()
    assert greeters() == ["A", "B", "C", "D", "E"]


def test_one_that_fails_registers_nothing_and_the_rest_do(install: Install) -> None:
    install(
        {
            "pnp_broken.py": f"{file('Lost')}\nimport no_such_module\n",
            "pnp_package/__init__.py": "",
            "pnp_package/broken.py": "\n\n1 / 0\n",
            "pnp_short.py": file("AlsoLost"),
            "pnp_good.py": file("Good"),
        },
        broken="pnp_broken",
        deep="pnp_package.broken",
        missing="pnp_none",
        nameless="pnp_short:Other",
        strange="?",
        good="pnp_good",
    )
    report = load()
    reasons = {each.source.name: each.reason for each in report.failed}
    assert greeters() == ["Good"]
    assert list(reasons) == ["broken", "deep", "missing", "nameless", "strange"]
    assert reasons["broken"].endswith(
        "site/pnp_broken.py, line 7: ModuleNotFoundError: No module named 'no_such_module'"
    )
    assert reasons["deep"].endswith("site/pnp_package/broken.py, line 3: ZeroDivisionError: division by zero")
    assert reasons["missing"] == (
        "entry point missing = pnp_none of pnp-greetings 1.2: ModuleNotFoundError: No module named 'pnp_none'"
    )
    assert reasons["nameless"].endswith("AttributeError: module 'pnp_short' has no attribute 'Other'")
    assert reasons["strange"].startswith("entry point strange = ? of pnp-greetings 1.2: ")


def test_one_that_has_failed_is_tried_again(install: Install) -> None:
    needs_argument = "    def __init__(self, argument): pass\n"
    folder = install({"pnp_again.py": HEAD + plugin("A") + needs_argument}, again="pnp_again")
    [failed] = load().failed
    assert "raised TypeError" in failed.reason
    (folder / "site" / "pnp_again.py").write_text(file("A"))
    assert not load().failed
    assert greeters() == ["A"]


def test_a_module_that_the_program_has_imported_is_left_alone(install: Install) -> None:
    install({"pnp_mine.py": file("A")}, mine="pnp_mine:Other")
    module = __import__("pnp_mine")
    assert len(load().failed) == 1
    assert sys.modules["pnp_mine"] is module
    assert greeters() == ["A"]


def test_no_group_no_entry_points(install: Install) -> None:
    install({"pnp_five.py": file("A")}, five="pnp_five")
    assert load_plugins() == LoadReport((), ())
    assert [each.name for each in installed(GROUP)] == ["five"]
    assert installed("plugnplay_tests.nothing") == []
