"""Whatever lies in the folders, and whatever of it fails: the good ones are registered, in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.plugins.greetings import HEAD, greeters, plugin
from wsgid.plugins import isolated, load_plugins, registered, set_plugin_dirs

GOOD = ("plain", "derived", "package")

BAD = {
    "syntax": "{head}{good}def f(:\n",
    "import": "{head}{good}import no_such_module\n",
    "raise": "{head}{good}raise LookupError('at the end')\n",
    "exit": "{head}{good}raise SystemExit\n",
    "method": "{head}{good}class {name}Bad(Plugin):\n    implements = [IGreeting]\n",
    "count": "{head}{good}class {name}Bad(Plugin, IGreeting):\n    def greet(self): pass\n",
    "order": "{head}{good}class {name}Bad({name}):\n    order = 'first'\n",
    "construct": "{head}{good}class {name}Bad({name}):\n    def __init__(self, argument): pass\n",
}

KINDS = (*GOOD, *BAD)

FILES = st.dictionaries(
    st.tuples(st.integers(0, 2), st.text("abz01-", min_size=1, max_size=2)),  # folder, name
    st.tuples(st.sampled_from(KINDS), st.integers(-1, 1)),  # what it is, order
    max_size=8,
)


@contextmanager
def written(files: dict[tuple[int, str], tuple[str, int]], packages: set[int]) -> Iterator[list[Path]]:
    with TemporaryDirectory() as root:
        folders = [Path(root, str(number), "plugins") for number in range(3)]
        for number, folder in enumerate(folders):
            folder.mkdir(parents=True)
            if number in packages:
                (folder / "__init__.py").touch()
        for (number, name), (kind, order) in files.items():
            path = folders[number] / f"{name}.py"
            if kind == "package":
                path = folders[number] / name / "__init__.py"
                path.parent.mkdir()
            path.write_text(source(class_name(number, name), kind, order))
        yield folders


def class_name(folder: int, name: str) -> str:
    return f"P{folder}{name.replace('-', '_')}"


def source(name: str, kind: str, order: int) -> str:
    if kind == "derived":
        return f"{HEAD}class {name}(Plugin, IGreeting):\n    order = {order}\n    def greet(self, who): return who\n"
    good = plugin(name, order=order)
    return BAD.get(kind, "{head}{good}").format(head=HEAD, good=good, name=name)


@settings(max_examples=60)
@given(FILES, st.sets(st.integers(0, 2)))
def test_whatever_fails_the_good_ones_are_registered_in_order(
    files: dict[tuple[int, str], tuple[str, int]], packages: set[int]
) -> None:
    with isolated(), written(files, packages) as folders:
        set_plugin_dirs(folders)
        report = load_plugins()
        good = [(order, name, folder) for (folder, name), (kind, order) in files.items() if kind in GOOD]
        assert greeters() == [class_name(folder, name) for _, name, folder in sorted(good)]
        bad = [(name, folder) for (folder, name), (kind, _) in files.items() if kind in BAD]
        assert [each.source.name for each in report.failed] == [name for name, _ in sorted(bad)]
        assert all(str(each.source) in each.reason for each in report.failed)
        again = load_plugins()
        assert [each.source for each in again.failed] == [each.source for each in report.failed]
        assert len(registered()) == len(good)
