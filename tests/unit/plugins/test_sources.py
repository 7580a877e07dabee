import sys
from pathlib import Path

import pytest

from tests.unit.plugins.conftest import WriteFiles
from tests.unit.plugins.greetings import IGreeting
from wsgid.plugins import Place, PluginError
from wsgid.plugins.registry import Registration
from wsgid.plugins.sources import File, Folder, folder_at


def of_module(name: str) -> Registration:
    return Registration(type("A", (), {"__module__": name}), (IGreeting,), 0, Place("a.py", 1))


class TestNames:
    def test_differ_for_folders_of_one_name(self, tmp_path: Path) -> None:
        one, two = folder_at(tmp_path / "a" / "my.plugins"), folder_at(tmp_path / "b" / "my.plugins")
        assert [one.package.partition("@")[0], two.package.partition("@")[0]] == ["my_plugins"] * 2
        assert one.package != two.package
        assert {one.package, two.package} <= set(sys.modules)

    def test_are_what_people_call_them(self, tmp_path: Path) -> None:
        folder = folder_at(tmp_path)
        assert (str(folder), folder.name) == (str(tmp_path), tmp_path.name)
        assert str(File(folder, "a", tmp_path / "a.py")) == str(tmp_path / "a.py")


class TestFiles:
    def test_are_modules_and_packages(self, write: WriteFiles) -> None:
        folder = folder_at(
            write(
                {
                    "b.py": "",
                    "a/__init__.py": "",
                    "10-first.py": "",
                    "__init__.py": "",
                    "_shared.py": "",
                    ".#b.py": "",
                    "notes.txt": "",
                    "data/numbers.csv": "",
                    "c.pyc": "",
                }
            )
        )
        (folder.path / "dangling.py").symlink_to("nowhere")
        found = {each.name: each.path.relative_to(folder.path).as_posix() for each in folder.files()}
        assert found == {
            "10-first": "10-first.py",
            "a": "a/__init__.py",
            "b": "b.py",
            "dangling": "dangling.py",
        }

    def test_of_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            list(folder_at(tmp_path / "none").files())
        (tmp_path / "file").touch()
        with pytest.raises(NotADirectoryError):
            list(folder_at(tmp_path / "file").files())


class TestLoading:
    def test_imports_a_file_once(self, write: WriteFiles) -> None:
        folder = folder_at(write({"10-first.py": "import sys\nRUN = object()"}))
        [file] = folder.files()
        file.load()
        run = sys.modules[file.module].RUN
        file.load()
        assert sys.modules[file.module].RUN is run

    def test_lets_files_import_each_other(self, write: WriteFiles) -> None:
        files = {"a.py": "from . import _b, c\nfrom ._b import VALUE", "_b.py": "VALUE = 3", "c/__init__.py": ""}
        for file in folder_at(write(files)).files():
            file.load()

    def test_runs_the_code_of_the_folder(self, write: WriteFiles) -> None:
        folder = folder_at(write({"__init__.py": "from . import a\nVALUE = a.VALUE", "a.py": "VALUE = 3"}))
        folder.load()
        module = sys.modules[folder.package]
        assert module.VALUE == 3
        folder.load()
        assert sys.modules[folder.package] is module

    def test_leaves_an_empty_package_where_that_code_fails(self, write: WriteFiles) -> None:
        folder = folder_at(write({"__init__.py": "VALUE = 3\nraise LookupError", "a.py": ""}))
        [file] = folder.files()
        for _ in range(2):
            with pytest.raises(LookupError):
                folder.load()
            file.load()
            assert not hasattr(sys.modules[folder.package], "VALUE")

    def test_refuses_a_name_with_a_dot(self, write: WriteFiles) -> None:
        [file] = folder_at(write({"a.b.py": ""})).files()
        with pytest.raises(PluginError, match=r"/a\.b\.py: .* rename the file"):
            file.load()

    def test_refuses_a_file_that_a_package_hides(self, write: WriteFiles) -> None:
        package, file = folder_at(write({"a/__init__.py": "", "a.py": ""})).files()
        package.load()
        with pytest.raises(PluginError, match=r"/a\.py: .*/a/__init__\.py has the same name and hides it"):
            file.load()


class TestOwnership:
    def test_of_plug_ins(self, tmp_path: Path) -> None:
        folder = Folder("plugins", tmp_path, "plugins@1")
        file = File(folder, "a", tmp_path / "a.py")
        owned = [("plugins@1", folder), ("plugins@1.a", file), ("plugins@1.a.b", file)]
        for module, owner in owned:
            assert [each for each in (folder, file) if each.owns(of_module(module))] == [owner]
        for module in ("plugins@1.ab", "plugins@10.a", "a"):
            assert not folder.owns(of_module(module))
            assert not file.owns(of_module(module))

    def test_of_files(self, tmp_path: Path) -> None:
        folder = Folder("plugins", tmp_path, "plugins@1")
        assert folder.has_file(str(tmp_path / "__init__.py"))
        assert not folder.has_file(str(tmp_path / "a.py"))
        assert File(folder, "a", tmp_path / "a.py").has_file(str(tmp_path / "a.py"))
        assert not File(folder, "a", tmp_path / "a.py").has_file(str(tmp_path / "b.py"))
        package = File(folder, "b", tmp_path / "b" / "__init__.py")
        assert package.has_file(str(tmp_path / "b" / "deep" / "c.py"))
        assert not package.has_file(str(tmp_path / "a.py"))
