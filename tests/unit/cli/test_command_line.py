from collections.abc import Mapping, Sequence

import click
import pytest

from wsgid import __version__
from wsgid.cli.command_line import build
from wsgid.cli.help_text import COMMON
from wsgid.config import OPTIONS
from wsgid.options import Option

WIDTH = 80


class Started:
    """Stands where the daemon would be started, and remembers with what."""

    def __init__(self) -> None:
        self.options: Mapping[str, object] | None = None

    def __call__(self, options: Mapping[str, object]) -> int:
        self.options = options
        return 7


def run(*arguments: str) -> Mapping[str, object] | None:
    started = Started()
    code = build(started).main(arguments, standalone_mode=False)
    assert code == 7
    return started.options


def refused(*arguments: str, command: click.Group | None = None) -> str:
    with pytest.raises(click.UsageError) as caught:
        (command or build(Started())).main(arguments, standalone_mode=False)
    assert caught.value.exit_code == 2
    return caught.value.format_message()


def with_commands(*names: str) -> click.Group:
    group = build(Started())
    for name in names:
        group.add_command(click.Command(name, callback=lambda: 3, help=f"The {name}."))
    return group


# Options


def test_only_what_was_written_is_passed_on() -> None:
    assert run() == {}
    assert run("--workers", "4") == {"workers": "4"}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_there(option: Option) -> None:
    if option.is_boolean:
        assert run(option.flag) == {option.name: True}
        assert run(option.opposite) == {option.name: False}
    elif option.is_repeatable:
        assert run(option.flag, "a", f"{option.flag}=b,c") == {option.name: ("a", "b,c")}
    else:
        assert run(option.flag, "a b") == {option.name: "a b"}
        assert run(f"{option.flag}=a", f"{option.flag}=b") == {option.name: "b"}


def test_values_are_not_judged_here() -> None:
    assert run("--workers", "many", "--bind", "", "--app-path", "/no") == {
        "workers": "many",
        "bind": ("",),
        "app_path": "/no",
    }


def test_the_daemon_can_be_asked_for_against_the_file() -> None:
    assert run("--daemon") == {"no_daemon": False}


def test_environment_variables_are_not_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGID_WORKERS", "4")
    assert run() == {}


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stauts"], "there is no command 'stauts', did you mean status?"),
        (["STOP"], "there is no command 'STOP', did you mean stop?"),
        (["worker"], "there is no command 'worker', did you mean --workers?"),
        (["graceful_timeout"], "there is no command 'graceful_timeout', did you mean --graceful-timeout?"),
        (["blog.wsgi"], "there is no command 'blog.wsgi', did you mean --wsgi-app=blog.wsgi?"),
        (["blog:app"], "there is no command 'blog:app', did you mean --wsgi-app=blog:app?"),
        (["/usr"], "there is no command '/usr', did you mean --app-path=/usr?"),
        (["xyzzy"], "there is no command 'xyzzy'"),
        (["--debug", "xyzzy", "--workers", "2"], "there is no command 'xyzzy'"),
        ([""], "there is no command ''"),
    ],
)
def test_an_unknown_command_is_told(arguments: Sequence[str], message: str) -> None:
    assert refused(*arguments, command=with_commands("status", "stop")) == message


def test_an_unknown_option_is_told() -> None:
    message = refused("--wrokers", "2")
    assert "--wrokers" in message
    assert "--workers" in message


def test_an_option_without_its_value_is_told() -> None:
    assert "--workers" in refused("--workers")


# Commands


def test_a_command_runs_instead_of_the_daemon() -> None:
    started = Started()
    group = build(started)
    group.add_command(click.Command("status", callback=lambda: 3))
    assert group.main(["status"], standalone_mode=False) == 3
    assert started.options is None


# Help


def shown(capsys: pytest.CaptureFixture[str], command: click.Group, *arguments: str) -> str:
    assert command.main(arguments, prog_name="wsgid", standalone_mode=False) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--help", "--help-all"])
def test_help_fits_a_terminal(flag: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    text = shown(capsys, build(Started()), flag)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.startswith("Usage: wsgid [options]\n")


def test_help_shows_the_options_in_their_groups(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, build(Started()), "--help-all")
    wanted = [place for each in OPTIONS for place in (f"\n{each.group}:\n", f"\n  {each.flag} ")]
    positions = [text.index(place) for place in dict.fromkeys(wanted)]
    assert positions == sorted(positions)
    assert text.index("\nOther options:\n  --help-all") > positions[-1]


def test_help_shows_the_common_options_first_and_says_where_the_others_are(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, build(Started()), "--help")
    flags = [each.flag for each in OPTIONS if f"\n  {each.flag} " in text]
    assert sorted(flags) == sorted("--" + name.replace("_", "-") for name in COMMON)
    assert text.index("Common options:") < text.index("Other options:") < text.index("Examples:")
    assert f"  --help-all  Show all {len(OPTIONS)} options and exit.\n" in text


def test_help_is_no_wider_than_can_be_read(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert 80 < max(map(len, shown(capsys, build(Started()), "--help-all").splitlines())) <= 100


def test_help_tells_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(shown(capsys, build(Started()), "--help-all").split())
    assert "Worker processes. [default: 1]" in text
    assert "Replace workers that die. [default: on]" in text
    assert "Stay in the foreground. --stdout" in text


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, with_commands("status"), "--help")
    assert text.startswith("Usage: wsgid [options] [command ...]\n")
    assert "\nOperate:\n  status  The status.\n" in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, build(Started()), "--version") == f"wsgid {__version__}\n"
