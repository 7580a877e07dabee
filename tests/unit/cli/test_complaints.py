import pytest

from wsgid.cli.complaints import complain


def test_each_line_says_who_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    complain(["no", "never"])
    assert capsys.readouterr() == ("", "wsgid: no\nwsgid: never\n")
