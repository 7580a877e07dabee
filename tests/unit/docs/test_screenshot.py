from xml.etree import ElementTree

import pyte
from docs.made.screenshot import BAR, CELL, COLOURS, LINE, MARGIN, svg

TEXT = "{http://www.w3.org/2000/svg}text"


def texts(columns: int, lines: int, output: bytes) -> list[dict[str, str]]:
    """Of the picture of a terminal to which this was written: the attributes, and the text itself."""
    screen = pyte.Screen(columns, lines)
    pyte.ByteStream(screen).feed(output)
    picture = ElementTree.fromstring(svg(screen, "a <title>"))
    found = [{**each.attrib, "text": each.text or ""} for each in picture.iter(TEXT)]
    assert found.pop(0)["text"] == "a <title>"
    return found


def test_where_things_are() -> None:
    first, second = texts(20, 3, b"one  & two\r\n\n     <three>")
    assert (first["text"], second["text"]) == ("one  & two", "<three>")
    assert float(first["x"]) == MARGIN
    assert float(second["x"]) == MARGIN + 5 * CELL
    assert float(second["textLength"]) == round(7 * CELL, 1)
    assert BAR < float(first["y"]) < BAR + LINE
    assert BAR + 2 * LINE < float(second["y"]) < BAR + 3 * LINE


def test_how_things_look() -> None:
    plain, bold, yellow, own = texts(40, 1, b"a \x1b[1mb \x1b[0;33mc \x1b[38;5;200md")
    assert plain["class"] == "cell"
    assert plain["fill"] == COLOURS["default"]
    assert bold["class"] == "cell bold"
    assert yellow["fill"] == COLOURS["brown"]
    assert own["fill"] == "#ff00d7"
