import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.loaders.conftest import WriteModules
from wsgid.loaders import LoadError, describe_failure
from wsgid.loaders.failure import shown, summary
from wsgid.loaders.importing import import_named


def failure(name: str) -> BaseException:
    with pytest.raises(BaseException) as caught:
        import_named(name, "--wsgi-app")
    return below_the_test(caught.value)


def below_the_test(error: BaseException) -> BaseException:
    """Without the test's own line, which no worker has."""
    assert error.__traceback__ is not None
    return error.with_traceback(error.__traceback__.tb_next)


def first_line(error: BaseException, folder: Path) -> str:
    return summary(error, folder).splitlines()[0]


def test_the_innermost_line_of_the_application_is_named(modules: WriteModules) -> None:
    folder = modules(
        {"failing_a.py": "import json\n\nimport failing_b", "failing_b.py": "import json\njson.loads('{')"}
    )
    error = failure("failing_a")
    # The innermost frame of all is one of json's.
    assert "json" in traceback.extract_tb(error.__traceback__)[-1].filename
    assert first_line(error, folder).startswith("app/failing_b.py, line 2: JSONDecodeError: Expecting property name")


def test_an_installed_package_inside_the_app_folder_is_not_the_application(modules: WriteModules) -> None:
    folder = modules({"failing_c.py": "import inner_c", "venv/lib/site-packages/inner_c.py": "1 / 0"})
    sys.path.insert(1, str(folder / "app/venv/lib/site-packages"))
    assert first_line(failure("failing_c"), folder) == "app/failing_c.py, line 1: ZeroDivisionError: division by zero"


def test_a_linked_app_folder_is_recognised(modules: WriteModules, tmp_path: Path) -> None:
    modules({"failing_d.py": "1 / 0"})
    linked = tmp_path / "current"
    linked.symlink_to(tmp_path)
    assert first_line(failure("failing_d"), linked) == "app/failing_d.py, line 1: ZeroDivisionError: division by zero"


def test_a_relative_app_folder_is_recognised(
    modules: WriteModules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules({"failing_e.py": "1 / 0"})
    (tmp_path / "current").symlink_to(tmp_path)
    # As load_application does it: absolute, and the link is kept.
    sys.path.insert(0, str(tmp_path / "current/app"))
    monkeypatch.chdir(tmp_path)
    text = "app/failing_e.py, line 1: ZeroDivisionError: division by zero"
    assert first_line(failure("failing_e"), Path("current")) == text


def test_a_syntax_error_has_its_own_file_and_line(modules: WriteModules) -> None:
    folder = modules({"failing_f.py": "import failing_g", "failing_g.py": "a = (\n\nb = 1"})
    assert first_line(failure("failing_f"), folder) == "app/failing_g.py, line 1: SyntaxError: '(' was never closed"


def test_a_syntax_error_in_an_installed_package_is_named_there(modules: WriteModules, tmp_path: Path) -> None:
    folder = modules({"failing_h.py": "import installed_h"})
    (tmp_path / "elsewhere/site-packages").mkdir(parents=True)
    (tmp_path / "elsewhere/site-packages/installed_h.py").write_text("a = =")
    sys.path.insert(1, str(tmp_path / "elsewhere/site-packages"))
    text = f"{tmp_path}/elsewhere/site-packages/installed_h.py, line 1: SyntaxError: invalid syntax"
    assert first_line(failure("failing_h"), folder) == text


def test_a_syntax_error_in_a_text_is_where_the_text_was_compiled(modules: WriteModules) -> None:
    folder = modules({"failing_i.py": "\n\ncompile('=', '<template>', 'exec')"})
    assert first_line(failure("failing_i"), folder) == "app/failing_i.py, line 3: SyntaxError: invalid syntax"


def test_an_exception_that_a_framework_wrapped_is_found(modules: WriteModules) -> None:
    folder = modules({"failing_j.py": "1 / 0"})
    inner = failure("failing_j")
    for wrap in (_raise_from, _raise_while_handling):
        with pytest.raises(LookupError) as caught:
            wrap(inner)
        assert first_line(caught.value, folder) == "app/failing_j.py, line 1: ZeroDivisionError: division by zero"


def test_an_exception_that_hides_its_context_is_taken_at_its_word(modules: WriteModules) -> None:
    folder = modules({"failing_j.py": "1 / 0"})
    inner = failure("failing_j")
    with pytest.raises(LookupError) as caught:
        _raise_from_none(inner)
    assert first_line(caught.value, folder) == "LookupError: wrapped"


def _raise_from(inner: BaseException) -> None:
    raise LookupError("wrapped") from inner


def _raise_while_handling(inner: BaseException) -> None:
    try:
        raise inner
    except ZeroDivisionError:
        raise LookupError("wrapped")  # noqa: B904 (the context is what is tested)


def _raise_from_none(inner: BaseException) -> None:
    try:
        raise inner
    except ZeroDivisionError:
        raise LookupError("wrapped") from None


def test_a_ring_of_causes_ends(tmp_path: Path) -> None:
    first, second = LookupError("first"), LookupError("second")
    first.__cause__, second.__cause__ = second, first
    assert summary(first, tmp_path) == "LookupError: first"


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        ("raise ValueError", "ValueError"),
        ("raise ValueError('one\\ntwo')", "ValueError: one"),
        ("class Own(Exception): ...\nraise Own(1, 2)", "Own: (1, 2)"),
    ],
)
def test_the_first_line_is_one_line(modules: WriteModules, raised: str, words: str) -> None:
    folder = modules({"failing_k.py": raised})
    assert summary(failure("failing_k"), folder).partition(": ")[2] == words


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        ("import no_such_library", f"It is neither in app/ nor installed for {sys.executable}: install it there"),
        ("import sys\nsys.exit(1)", "The application ended the process while it was being loaded."),
        ("a = =", f"This is Python {sys.version_info.major}.{sys.version_info.minor}; correct that line."),
    ],
)
def test_the_second_line_says_what_to_do(modules: WriteModules, source: str, advice: str) -> None:
    folder = modules({"failing_l.py": source})
    lines = summary(failure("failing_l"), folder).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(advice)


def test_what_the_application_raised_is_described_with_its_traceback(modules: WriteModules) -> None:
    folder = modules({"failing_m.py": "1 / 0"})
    error = failure("failing_m")
    lines = describe_failure(error, folder).splitlines()
    assert lines[0] == "cannot load the application: app/failing_m.py, line 1: ZeroDivisionError: division by zero"
    assert lines[1:3] == ["", "Traceback (most recent call last):"]
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_the_text_of_a_load_error_is_kept_and_the_traceback_is_of_its_cause(modules: WriteModules) -> None:
    folder = modules({"failing_n.py": "1 / 0"})
    try:
        raise LoadError("in words\nand more of them") from failure("failing_n")
    except LoadError as error:
        lines = describe_failure(error, folder).splitlines()
    assert lines[:4] == [
        "cannot load the application: in words",
        "and more of them",
        "",
        "Traceback (most recent call last):",
    ]
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "LoadError" not in "\n".join(lines)


def test_a_load_error_without_a_cause_has_no_traceback(tmp_path: Path) -> None:
    assert describe_failure(LoadError("in words"), tmp_path) == "cannot load the application: in words"


@pytest.mark.parametrize("call", [lambda p: p, Path.resolve])
def test_a_file_is_shown_as_people_call_it(tmp_path: Path, call: Callable[[Path], Path]) -> None:
    assert shown(call(tmp_path) / "app/wsgi.py", tmp_path) == "app/wsgi.py"
    assert shown(Path("/usr/lib/python3/x.py"), tmp_path) == "/usr/lib/python3/x.py"


# The traceback.


def files_of(error: BaseException, folder: Path) -> list[str]:
    """The files of the lines of the traceback, in order."""
    return [
        Path(line.split('"')[1]).name
        for line in describe_failure(error, folder).splitlines()
        if line.startswith('  File "')
    ]


def test_the_traceback_begins_in_the_application(modules: WriteModules) -> None:
    folder = modules(
        {"failing_o.py": "import json\n\nimport failing_p", "failing_p.py": "import json\njson.loads('{')"}
    )
    files = files_of(failure("failing_o"), folder)
    assert files[0] == "failing_o.py"
    assert "failing_p.py" in files
    assert files[-1] == "decoder.py"  # json's: what comes behind the application's lines stays


def test_the_traceback_of_each_exception_in_a_chain_begins_in_the_application(modules: WriteModules) -> None:
    code = "try:\n    import failing_r\nexcept ZeroDivisionError as error:\n    raise LookupError from error"
    folder = modules({"failing_q.py": code, "failing_r.py": "1 / 0"})
    error = failure("failing_q")
    text = describe_failure(error, folder)
    assert text.count("Traceback (most recent call last)") == 2
    assert "importing.py" not in text
    first, _, second = text.partition("direct cause")
    assert [part.split('File "')[1].split('"')[0] for part in (first, second)] == [f"{folder}/app/failing_q.py"] * 2


def test_a_file_that_does_not_compile_has_no_line_above_it(modules: WriteModules) -> None:
    folder = modules({"failing_s.py": "a = ="})
    assert files_of(failure("failing_s"), folder) == ["failing_s.py"]


def test_a_traceback_that_never_came_to_the_application_begins_below_our_lines(
    modules: WriteModules, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/installed_t.py").write_text("1 / 0")
    sys.path.insert(1, str(tmp_path / "elsewhere"))
    assert files_of(failure("installed_t"), modules({})) == ["installed_t.py"]


def test_a_traceback_that_is_all_ours_stays(tmp_path: Path) -> None:
    """It is a fault of ours, then."""
    with pytest.raises(AttributeError) as caught:
        import_named(None, "--wsgi-app")  # type: ignore[arg-type]
    assert files_of(below_the_test(caught.value), tmp_path)[0] == "importing.py"


def test_an_app_folder_that_is_the_root_does_not_make_everything_the_application() -> None:
    """So it is with --chroot."""
    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads("{")
    assert first_line(below_the_test(caught.value), Path("/")).startswith("JSONDecodeError: ")
    assert shown(Path("/app/wsgi.py"), Path("/")) == "app/wsgi.py"
    assert shown(Path("/usr/lib/python3/x.py"), Path("/")) == "/usr/lib/python3/x.py"
