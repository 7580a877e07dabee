import collections
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.loaders import LoadError
from wsgid.loaders.django_settings import merge_settings, read_extra_settings

MERGED = [
    # A new key is created.
    ({}, {"A": 1}, {"A": 1}),
    # The same type, and not one that can be joined.
    ({"A": "old"}, {"A": "new"}, {"A": "new"}),
    ({"A": True}, {"A": False}, {"A": False}),
    # A different type is replaced.
    ({"A": "old"}, {"A": 1}, {"A": 1}),
    ({"A": ["old"]}, {"A": "new"}, {"A": "new"}),
    ({"A": {"old": 1}}, {"A": ["new"]}, {"A": ["new"]}),
    ({"A": {"old"}}, {"A": ["new"]}, {"A": ["new"]}),
    ({"A": None}, {"A": {"new": 1}}, {"A": {"new": 1}}),
    ({"A": [1]}, {"A": None}, {"A": None}),
    # Joined: appended to a list or a tuple, which keeps its type.
    ({"A": [1, 2]}, {"A": [2, 3]}, {"A": [1, 2, 2, 3]}),
    ({"A": (1, 2)}, {"A": [3]}, {"A": (1, 2, 3)}),
    # Joined: the file's values win inside a dict, one level deep.
    ({"A": {"x": 1, "y": 2}}, {"A": {"y": 3, "z": 4}}, {"A": {"x": 1, "y": 3, "z": 4}}),
    ({"A": {"x": {"deep": 1}, "l": [1]}}, {"A": {"x": {"other": 2}, "l": [2]}}, {"A": {"x": {"other": 2}, "l": [2]}}),
    # Only the keys of the file come back.
    ({"A": 1, "B": 2}, {"B": 3}, {"B": 3}),
    ({"A": 1}, {}, {}),
]


@pytest.mark.parametrize(("current", "extra", "merged"), MERGED)
def test_merging(current: dict[str, object], extra: dict[str, object], merged: dict[str, object]) -> None:
    result = merge_settings(current, extra)
    assert result == merged
    assert {key: type(value) for key, value in result.items()} == {key: type(value) for key, value in merged.items()}


def test_a_dict_keeps_its_type() -> None:
    current = {"A": collections.OrderedDict(x=1)}
    assert merge_settings(current, {"A": {"y": 2}}) == {"A": collections.OrderedDict(x=1, y=2)}
    assert isinstance(merge_settings(current, {"A": {}})["A"], collections.OrderedDict)


scalars = st.sampled_from([None, True, 0, "text"])
values = (
    scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.sampled_from("xyz"), st.lists(scalars, max_size=2))
)
settings = st.dictionaries(st.sampled_from("ABC"), values | st.tuples(values))


@given(settings, settings)
def test_neither_side_is_changed_and_all_keys_of_the_file_come_back(
    current: dict[str, object], extra: dict[str, object]
) -> None:
    before = repr((current, extra))
    merged = merge_settings(current, extra)
    assert repr((current, extra)) == before
    assert merged.keys() == extra.keys()


def read(folder: Path, text: str | bytes) -> dict[str, object]:
    (folder / "django.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_extra_settings(folder)


def test_no_file_is_no_settings(tmp_path: Path) -> None:
    assert read_extra_settings(tmp_path) == {}


def test_the_file_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, '{"DEBUG": false, "NAME_2": ["ä"]}') == {"DEBUG": False, "NAME_2": ["ä"]}


REFUSED = [
    ('{\n  "DEBUG": false,\n  "A": tru\n}', "django.json, line 3, column 8: Expecting value"),
    ("", "django.json, line 1, column 1: Expecting value"),
    (b'{"A": "\xff"}', "django.json: byte 8 is not UTF-8; save the file as UTF-8"),
    ("[1]", 'django.json: an object is wanted, as in {"DEBUG": false}, and it holds a list'),
    ('"x"', 'django.json: an object is wanted, as in {"DEBUG": false}, and it holds a string'),
    ("true", 'django.json: an object is wanted, as in {"DEBUG": false}, and it holds true or false'),
    ("null", 'django.json: an object is wanted, as in {"DEBUG": false}, and it holds null'),
    ("1.5", 'django.json: an object is wanted, as in {"DEBUG": false}, and it holds a number'),
    (
        '{"DEBUG": true, "Allowed_Hosts": []}',
        "django.json: Django ignores settings that are not in upper case; 'Allowed_Hosts': write 'ALLOWED_HOSTS'",
    ),
    ('{"_": 1}', "django.json: Django ignores settings that are not in upper case; '_': remove it"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_cannot_be_understood_is_told_with_its_place(tmp_path: Path, text: str | bytes, why: str) -> None:
    with pytest.raises(LoadError) as caught:
        read(tmp_path, text)
    assert str(caught.value) == why
