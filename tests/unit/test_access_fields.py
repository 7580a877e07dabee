import pytest

from wsgid.access_fields import FIELDS, access_log_format, pieces


@pytest.mark.parametrize(
    "text", ["combined", "json", "none", "{status}", '{remote_addr} "{request}" {{}} {header:X-A}']
)
def test_formats(text: str) -> None:
    assert access_log_format(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{statsu}", "there is no field {statsu}, did you mean status?; there are time, "),
        ("{request_time}", "there is no field {request_time}, did you mean"),
        ("{}", "there is no field {}"),
        ("{0}", "there is no field {0}"),
        ("{status.real}", "there is no field {status.real}"),
        ("{status[0]}", "there is no field {status[0]}"),
        ("{status:>5}", "there is no field {status:>5}"),
        ("{header}", "there is no field {header}"),
        ("{header:}", "there is no field {header}"),
        ("{header:a b}", "'a b' is not the name of a header"),
        ("{header:{status}}", "is not the name of a header"),
        ("{status!r}", "{status!r} is no field: its name is all that stands in braces"),
        ("{status", "a brace that is no field's is written twice"),
        ("status}", "a brace that is no field's is written twice"),
        ("{status}\n", "neither printable ASCII nor tabs"),
        ("{status} \xe9", "neither printable ASCII nor tabs"),
        ("combind", "it is none of combined, json and none, did you mean combined?, and names no field"),
        ("%h %l", "it is none of combined, json and none, and names no field"),
    ],
)
def test_what_is_no_format_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="is no format of the access log") as raised:
        access_log_format(text)
    assert told in str(raised.value)


def test_quotes_are_those_of_the_whole_text() -> None:
    found = [each.quoted for each in pieces('{status} "{request}" {{"{method}}}" {bytes}') if not isinstance(each, str)]
    assert found == [False, True, True, False]


def test_every_field_is_told_of() -> None:
    assert all(field.words.endswith(".") for field in FIELDS.values())
