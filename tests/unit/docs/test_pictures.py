"""Pictures drawn from texts: what is in them, and what is refused."""

import xml.etree.ElementTree as ET

import pytest
from docs.made.pictures import FOLDER, Event, read, svg

SVG = "{http://www.w3.org/2000/svg}"

TEXT = """\
title: One & all
columns: a | the other
a -> the other: hello: you
the other . thinks|twice
the other -> a: <yes>
a x leaves
"""


def drawn(text: str) -> ET.Element:
    return ET.fromstring(svg(read(text)))


def test_a_text_is_read() -> None:
    assert read(TEXT).events == [
        Event("a", "->", "the other", "hello: you"),
        Event("the other", ".", "", "thinks|twice"),
        Event("the other", "->", "a", "<yes>"),
        Event("a", "x", "", "leaves"),
    ]


def test_all_of_it_is_in_the_picture() -> None:
    texts = [each.text for each in drawn(TEXT).iter(f"{SVG}text")]
    assert sorted(map(str, texts)) == sorted(
        ["One & all", "a", "the other", "hello: you", "thinks", "twice", "<yes>", "leaves"]
    )


def test_arrows_go_from_one_to_the_other() -> None:
    there, back = (each for each in drawn(TEXT).iter(f"{SVG}line") if each.get("class") == "arrow")
    assert float(there.get("x1", 0)) < float(there.get("x2", 0))
    assert float(back.get("x1", 0)) > float(back.get("x2", 0))
    assert float(there.get("y1", 0)) < float(back.get("y1", 0))


def test_a_life_ends_at_its_cross() -> None:
    ended, lasting = (each for each in drawn(TEXT).iter(f"{SVG}line") if each.get("class") == "life")
    assert float(ended.get("y2", 0)) < float(lasting.get("y2", 0))


@pytest.mark.parametrize("line", ["a", "a -> nobody: hello", "nobody x leaves", "a sees the other"])
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=line):
        read(f"{TEXT}{line}\n")


def test_those_of_the_pages_can_be_drawn() -> None:
    assert len(list(FOLDER.glob("*.svg"))) == len([drawn(each.read_text()) for each in FOLDER.glob("*.txt")]) + 1
