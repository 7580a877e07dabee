from typing import Any

import pytest

from wsgid.core.parser import CommandLineArgument, CommandLineOption


@pytest.mark.parametrize("name", ["dry-run", "--dry-run", "dry_run", "--dry_run"])
def test_an_option_has_one_name_however_it_is_written(name: str) -> None:
    option = CommandLineOption(name)
    assert (option.flag, option.attribute, option.short_flag) == ("--dry-run", "dry_run", None)


def test_what_else_it_may_be_called() -> None:
    option = CommandLineOption(name="dry-run", shortname="n", dest="rehearse")
    assert (option.flag, option.attribute, option.short_flag) == ("--dry-run", "rehearse", "-n")
    assert CommandLineOption("x", shortname="-X").short_flag == "-X"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": "dry run"}, "'dry run' cannot be the name of an option"),
        ({"name": ""}, "'' cannot be the name of an option"),
        ({"name": "x=1"}, "'x=1' cannot be the name of an option"),
        ({"name": "x", "shortname": "xy"}, "--x: 'xy' is not one letter"),
        ({"name": "x", "type": "int"}, "--x: its type is 'int', and must be one of str, int, float, bool, list"),
        ({"name": "x", "type": list, "choices": ("a",)}, "--x: only a str can have choices"),
        ({"name": "x", "dest": "a b"}, "--x: 'a b' cannot be the name of an attribute"),
    ],
)
def test_what_cannot_be_an_option(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}"):
        CommandLineOption(**options)


def test_what_cannot_be_an_argument() -> None:
    for name, told in (("--id", "'--id' cannot be the name of an argument"), ("", "''"), ("a_b", "'a_b'")):
        with pytest.raises(ValueError, match=f"^{told}"):
            CommandLineArgument(name)
    assert CommandLineArgument("request-id").attribute == "request_id"
