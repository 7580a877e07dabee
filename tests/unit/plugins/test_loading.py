import importlib
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from tests.deadlines import seconds, wait_for
from tests.unit.plugins import greetings
from tests.unit.plugins.conftest import WriteFiles
from tests.unit.plugins.greetings import HEAD, IGreeting, file, greeters, plugin
from wsgid.plugins import LoadReport, isolated, load_plugins, registered, set_plugin_dirs


def load(*folders: Path) -> LoadReport:
    set_plugin_dirs(folders)
    return load_plugins()


def loaded(report: LoadReport) -> dict[str, list[str]]:
    return {each.source.name: [one.plugin.__name__ for one in each.plugins] for each in report.loaded}


def failed(report: LoadReport) -> dict[str, str]:
    return {each.source.name: each.reason for each in report.failed}


class TestFolders:
    def test_are_taken_one_by_one_or_in_lists(self, write: WriteFiles, monkeypatch: pytest.MonkeyPatch) -> None:
        root = write({"x/a.py": file("A"), "y/b.py": file("B"), "z/c.py": file("C")})
        monkeypatch.chdir(root)
        set_plugin_dirs("x", [root / "y", "z"])
        monkeypatch.chdir("/")
        load_plugins()
        assert greeters() == ["A", "B", "C"]

    def test_replace_those_set_before(self, write: WriteFiles) -> None:
        root = write({"x/a.py": file("A"), "y/b.py": file("B")})
        set_plugin_dirs(root / "x")
        load(root / "y")
        assert greeters() == ["B"]

    def test_may_be_none(self) -> None:
        set_plugin_dirs()
        assert load_plugins() == LoadReport((), ())

    def test_that_are_missing_are_reported_and_the_rest_loaded(self, write: WriteFiles) -> None:
        root = write({"x/a.py": file("A")})
        report = load(root / "none", root / "x", root / "x" / "a.py")
        assert loaded(report) == {"a": ["A"]}
        assert failed(report) == {
            "none": f"{root}/none: FileNotFoundError: [Errno 2] No such file or directory: '{root}/none'",
            "a.py": f"{root}/x/a.py: NotADirectoryError: [Errno 20] Not a directory: '{root}/x/a.py'",
        }

    def test_of_one_name_do_not_shadow_each_other(self, write: WriteFiles) -> None:
        root = write(
            {"x/plugins/a.py": file("A1"), "y/plugins/a.py": file("A2"), "y/plugins/_b.py": "", "x/json.py": ""}
        )
        load(root / "x" / "plugins", root / "y" / "plugins", root / "x")
        assert greeters() == ["A1", "A2"]
        assert [each.source.name for each in registered() if each.source] == ["a", "a"]
        assert str(root) not in sys.path
        assert importlib.import_module("json").loads("1") == 1

    def test_are_packages_or_not(self, write: WriteFiles) -> None:
        root = write(
            {
                "x/__init__.py": file("Init") + "NAME = 'x'\n",
                "x/b.py": "from . import NAME\n" + file("B"),
                "y/a.py": "from ._shared import NAME\n" + file("A"),
                "y/_shared.py": "NAME = 'y'\n",
            }
        )
        report = load(root / "x", root / "y")
        assert greeters() == ["Init", "A", "B"]
        assert loaded(report) == {"x": ["Init"], "a": ["A"], "b": ["B"]}

    def test_whose_code_fails_have_their_files_loaded(self, write: WriteFiles) -> None:
        root = write({"x/__init__.py": file("Lost") + "1 / 0\n", "x/a.py": file("A")})
        for _ in range(2):
            report = load(root / "x")
            assert greeters() == ["A"]
            assert failed(report) == {"x": f"{root}/x/__init__.py, line 6: ZeroDivisionError: division by zero"}

    def test_whose_plug_in_cannot_be_constructed_too(self, write: WriteFiles) -> None:
        init = HEAD + plugin("Lost") + "    def __init__(self): 1 / 0\n"
        report = load(write({"x/__init__.py": init, "x/a.py": file("A")}) / "x")
        assert greeters() == ["A"]
        assert list(failed(report)) == ["x"]

    def test_given_twice_are_loaded_once(self, write: WriteFiles) -> None:
        root = write({"x/__init__.py": file("Init"), "x/a.py": file("A")})
        (root / "y").symlink_to("x")
        report = load(root / "x", root / "y", root / "x" / ".." / "x")
        assert loaded(report) == {"x": ["Init"], "a": ["A"]}
        assert greeters() == ["Init", "A"]


class TestOrder:
    def test_is_alphabetical_across_folders(self, write: WriteFiles) -> None:
        root = write(
            {
                "x/c.py": file("XC"),
                "x/a.py": file("XA2", "XA1"),
                "x/a-b.py": file("XAB"),
                "y/b/__init__.py": file("YB"),
                "y/c.py": file("YC"),
                "y/10-first.py": file("Y10"),
                "y/d.py": HEAD + plugin("YD", order=-1),
            }
        )
        load(root / "x", root / "y")
        assert greeters() == ["YD", "Y10", "XA2", "XA1", "XAB", "YB", "XC", "YC"]

    def test_is_not_changed_by_who_imports_whom(self, write: WriteFiles) -> None:
        report = load(write({"a.py": "from . import z\n" + file("A"), "m.py": file("M"), "z.py": file("Z")}))
        assert greeters() == ["A", "M", "Z"]
        assert loaded(report) == {"a": ["A"], "m": ["M"], "z": ["Z"]}


class TestFailures:
    def test_do_not_keep_the_rest_from_loading(self, write: WriteFiles) -> None:
        report = load(
            write(
                {
                    "a.py": "def f(:\n",
                    "b.py": "import no_such_module\n",
                    "c.py": file("Lost") + plugin("Bad", method="greet(self)"),
                    "d.py": HEAD + plugin("AlsoLost") + "raise SystemExit(3)\n",
                    "e.py": file("First") + plugin("Costly") + "    def __init__(self, price): pass\n",
                    "f.py": file("Good"),
                    "g.h.py": file("Dotted"),
                }
            )
        )
        assert greeters() == ["Good"]
        assert [each.plugin.__name__ for each in registered()] == ["Good"]
        assert list(failed(report)) == ["a", "b", "c", "d", "e", "g.h"]

    def test_take_back_what_modules_register_that_came_with_the_file(self, write: WriteFiles) -> None:
        """Here ``_shared``; ``b`` has it run again."""
        root = write({"a.py": "from . import _shared\n1 / 0\n", "_shared.py": file("Shared")})
        assert list(failed(load(root))) == ["a"]
        assert greeters() == []
        (root / "b.py").write_text("from . import _shared\n")
        assert loaded(load(root)) == {"b": ["Shared"]}
        assert greeters() == ["Shared"]

    def test_leave_alone_modules_that_were_there_before(self, write: WriteFiles) -> None:
        """A function elsewhere may define plug-ins for those who call it."""
        text = f"from {__name__} import make_plugin\nmake_plugin()\n1 / 0\n"
        module = sys.modules[__name__]
        assert list(failed(load(write({"a.py": text})))) == ["a"]
        assert greeters() == []
        assert sys.modules[__name__] is module

    def test_of_an_import_that_is_caught_register_nothing(self, write: WriteFiles) -> None:
        broken = file("Lost") + "1 / 0\n"
        caught = "try:\n    from . import _broken, z\nexcept ZeroDivisionError:\n    pass\n"
        report = load(write({"a.py": caught + file("A"), "_broken.py": broken}))
        assert loaded(report) == {"a": ["A"]}
        assert greeters() == ["A"]

    def test_of_a_file_that_another_one_has_imported_are_its_own(self, write: WriteFiles) -> None:
        caught = "try:\n    from . import b\nexcept ZeroDivisionError:\n    pass\n"
        report = load(write({"a.py": caught + file("A"), "b.py": file("Lost") + "1 / 0\n"}))
        assert loaded(report) == {"a": ["A"]}
        assert list(failed(report)) == ["b"]
        assert greeters() == ["A"]

    def test_do_not_touch_what_the_file_has_imported_of_others(self, write: WriteFiles) -> None:
        report = load(write({"a.py": "from . import b\n1 / 0\n", "b.py": file("B")}))
        assert list(failed(report)) == ["a"]
        assert loaded(report) == {"b": ["B"]}
        assert greeters() == ["B"]

    def test_pass_on_ctrl_c_and_register_nothing(self, write: WriteFiles) -> None:
        root = write({"a.py": file("A"), "b.py": file("Lost") + "raise KeyboardInterrupt\n", "c.py": file("C")})
        with pytest.raises(KeyboardInterrupt):
            load(root)
        assert greeters() == ["A"]

    def test_pass_on_ctrl_c_in_a_constructor(self, write: WriteFiles) -> None:
        interrupted = HEAD + plugin("A") + "    def __init__(self): raise KeyboardInterrupt\n"
        root = write({"a.py": interrupted})
        with pytest.raises(KeyboardInterrupt):
            load(root)
        write({"a.py": file("A") + "# another size\n"})
        assert loaded(load(root)) == {"a": ["A"]}


class TestAgain:
    def test_nothing_is_loaded_twice(self, write: WriteFiles) -> None:
        root = write({"x/a.py": file("A"), "y/b.py": file("B")})
        first = load(root / "x")
        [instance] = IGreeting.implementors()
        assert load(root / "y") != first
        (root / "x" / "c.py").write_text(file("C"))
        assert loaded(load(root / "x", root / "y")) == {"a": ["A"], "b": ["B"], "c": ["C"]}
        assert greeters() == ["A", "B", "C"]
        assert IGreeting.implementors()[0] is instance

    def test_a_file_that_has_come_is_found_though_the_folder_looks_unchanged(self, write: WriteFiles) -> None:
        """Python lists a folder anew when its time has changed, which is no finer than a tick of the kernel."""
        root = write({"a.py": file("A"), "__pycache__/_": ""})
        load(root)
        before = root.stat()
        write({"b.py": file("B")})
        os.utime(root, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert loaded(load(root)) == {"a": ["A"], "b": ["B"]}

    def test_links_to_a_file_are_one_file(self, write: WriteFiles) -> None:
        root = write({"x/a.py": file("A")})
        (root / "x" / "b.py").symlink_to("a.py")
        (root / "y").mkdir()
        (root / "y" / "0.py").symlink_to("../x/a.py")
        assert loaded(load(root / "x", root / "y")) == {"a": ["A"]}

    def test_a_link_to_itself_is_a_file_that_fails(self, write: WriteFiles) -> None:
        root = write({"a.py": file("A")})
        (root / "b.py").symlink_to("b.py")
        report = load(root)
        assert (loaded(report), list(failed(report))) == ({"a": ["A"]}, ["b"])

    def test_a_file_that_has_failed_is_tried_again(self, write: WriteFiles) -> None:
        for text in (
            "def f(:",
            file("Lost") + "1 / 0",
            HEAD + plugin("Lost") + "    def __init__(self, price): pass\n",
        ):
            with isolated():
                root = write({"a.py": text})
                assert list(failed(load(root))) == ["a"]
                write(
                    {"a.py": file("A") + "# another size, for the cache of compiled files goes by time and size\n" * 9}
                )
                assert loaded(load(root)) == {"a": ["A"]}
                assert greeters() == ["A"]

    def test_a_reload_replaces_the_plug_in(self, write: WriteFiles) -> None:
        root = write({"a.py": file("A"), "b.py": file("B")})
        report = load(root)
        write({"a.py": HEAD + plugin("A", method="greet(self, name, sign='?')") + "# another size\n"})
        importlib.reload(sys.modules[report.loaded[0].plugins[0].plugin.__module__])
        assert greeters() == ["A", "B"]
        greet: Any = IGreeting.implementors()[0].greet
        assert greet("Ann", sign="!") == "A"
        assert [each.source for each in registered()] == [each.source for each in report.loaded]

    def test_another_registry_has_modules_of_its_own(self, write: WriteFiles) -> None:
        root = write({"a.py": file("A")})
        load(root)
        with isolated():
            load(root)
            assert greeters() == ["A"]


def make_plugin() -> None:
    exec(HEAD + plugin("Made"), {"__name__": __name__})


def _innermost(thread: threading.Thread) -> str | None:
    frame = sys._current_frames().get(cast(int, thread.ident))
    return frame and frame.f_code.co_name


class TestThreads:
    def test_may_load_at_the_same_time(self, write: WriteFiles) -> None:
        set_plugin_dirs(write({f"{name}.py": file(name.upper()) for name in "abcdefgh"}))
        reports: list[LoadReport] = []
        threads = [threading.Thread(target=lambda: reports.append(load_plugins())) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(seconds())
        assert [len(each.loaded) for each in reports] == [8] * 4
        assert greeters() == list("ABCDEFGH")

    def test_wait_for_each_other(self, write: WriteFiles, monkeypatch: pytest.MonkeyPatch) -> None:
        """So both are told of the plug-in, which one of them is constructing."""
        entered, release = threading.Event(), threading.Event()

        def gate() -> None:
            entered.set()
            release.wait(seconds())

        monkeypatch.setattr(greetings, "gate", gate, raising=False)
        constructor = "    def __init__(self): greetings.gate()\n"
        text = "from tests.unit.plugins import greetings\n" + HEAD + plugin("A") + constructor
        set_plugin_dirs(write({"a.py": text}))
        reports: list[LoadReport] = []
        first, second = (threading.Thread(target=lambda: reports.append(load_plugins())) for _ in range(2))
        first.start()
        assert entered.wait(seconds())
        second.start()
        wait_for(lambda: reports or _innermost(second) == "load_plugins", "the second to wait, or to be done")
        release.set()
        first.join(seconds())
        second.join(seconds())
        assert list(map(loaded, reports)) == [{"a": ["A"]}] * 2

    def test_a_plug_in_may_load_others(self, write: WriteFiles) -> None:
        root = write({"more/b.py": file("B"), "c.py": file("C")})
        nested = "from wsgid.plugins import load_plugins, set_plugin_dirs\n"
        nested += f"set_plugin_dirs({str(root / 'more')!r})\nload_plugins()\n"
        write({"a.py": nested + file("A")})
        assert loaded(load(root)) == {"a": ["A"], "c": ["C"]}
        assert greeters() == ["B", "A", "C"]


class TestLog:
    def test_has_failures_with_tracebacks_and_the_rest_for_debugging(
        self, write: WriteFiles, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = write({"a.py": "x = 1\n1 / 0\n", "b.py": file("B", "C"), "c.py": ""})
        set_plugin_dirs(root)
        with caplog.at_level(logging.DEBUG, "plugnplay"):
            load_plugins(logging.getLogger("plugnplay"))
        assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
            ("DEBUG", f"plug-ins of {root}/b.py: B, C"),
            ("DEBUG", f"plug-ins of {root}/c.py: none"),
            (
                "ERROR",
                f"plug-ins of {root}/a.py cannot be loaded: {root}/a.py, line 2: ZeroDivisionError: division by zero\n"
                f'Traceback (most recent call last):\n  File "{root}/a.py", line 2, in <module>\n    1 / 0\n    ~~^~~\n'
                "ZeroDivisionError: division by zero",
            ),
        ]
