import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgid.plugin_faults import fault, named, place_of, short_traceback
from wsgid.plugin_sources import load_all
from wsgid.plugins import Interface, Place, Plugin, isolated

SPEAKER = """
from wsgid.plugins import Plugin
from tests.unit.test_plugin_faults import ISpeaker
import json

class Speaker(Plugin, ISpeaker):
    def say(self, text):
        return read(text)

def read(text):
    return json.loads(text)
"""


class ISpeaker(Interface):
    def say(self, text: str) -> object:
        raise NotImplementedError


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise KeyError("text")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("app", "plugins"):
        (tmp_path / name).mkdir()
    file = tmp_path / "plugins" / "speaker.py"
    file.write_text(SPEAKER)
    with isolated():
        assert not load_all(tmp_path, []).failed
        yield file


def test_a_plug_in_is_named_with_its_place(file: Path) -> None:
    [speaker] = ISpeaker.implementors()
    assert named(speaker) == f"Speaker ({file}, line 6)"


def test_the_innermost_line_of_its_own_is_told(file: Path) -> None:
    [speaker] = ISpeaker.implementors()
    with pytest.raises(ValueError) as caught:
        speaker.say("no json")
    assert fault(speaker, caught.value) == (
        f"{file}, line 11: JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    )


def test_what_was_raised_outside_of_it_is_told_with_its_class(file: Path) -> None:
    [speaker] = ISpeaker.implementors()
    assert place_of(speaker, ValueError()) == Place(str(file), 6)
    assert fault(speaker, ValueError()) == f"{file}, line 6: ValueError"
    assert fault(speaker, ValueError("one\ntwo")) == f"{file}, line 6: ValueError: one"


def test_an_exception_without_a_text(file: Path) -> None:
    [speaker] = ISpeaker.implementors()
    assert fault(speaker, Unspeakable()).endswith(" line 6: Unspeakable: (no text, for its __str__() failed)")


def test_a_plug_in_that_the_program_defines() -> None:
    with isolated():

        class Inline(Plugin, ISpeaker):
            def say(self, text: str) -> object:
                return 1 / 0

        [inline] = ISpeaker.implementors()
        with pytest.raises(ZeroDivisionError) as caught:
            inline.say("")
        line = Inline.say.__code__.co_firstlineno + 1
        assert fault(inline, caught.value) == f"{__file__}, line {line}: ZeroDivisionError: division by zero"


def test_a_traceback_begins_outside_of_wsgid(file: Path) -> None:
    with pytest.raises(ValueError) as caught:
        getattr(ISpeaker, "say")("no json")  # noqa: B009 - a type checker takes the call on an interface for a mistake
    assert caught.value.__traceback__ is not None
    ours = caught.value.with_traceback(caught.value.__traceback__.tb_next)
    assert short_traceback(ours).startswith(f'Traceback (most recent call last):\n  File "{file}", line 8, in say\n')
