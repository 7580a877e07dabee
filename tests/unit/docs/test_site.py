"""What is ours of the site: its contents are those of docs/index.md, and a link that leads nowhere is seen."""

from pathlib import Path

from docs.made.built_links import broken_links
from docs.made.contents import toctrees

ROOT = Path(__file__).parents[3]

INDEX = """\
# Title

- [Not in a section](zero.md)

## First

Some [words](other.md), then

- [One](one.md): and [more](two.md#there)
- [A place](three.md#here)
- [Elsewhere](https://example.org/x.md)

## Without pages

- nothing

## Last

- [Up](../UP.md)
"""


def test_a_section_that_lists_pages_becomes_a_toctree() -> None:
    blocks = [each.splitlines() for each in toctrees(INDEX).split("```{toctree}")[1:]]
    assert [[line for line in lines if line and line != "```"] for lines in blocks] == [
        [":hidden:", ":caption: First", "One <one>"],
        [":hidden:", ":caption: Last", "Up <../UP>"],
    ]


def test_each_page_is_in_the_contents_once() -> None:
    lines = toctrees((ROOT / "docs/index.md").read_text()).splitlines()
    pages = {str(file.relative_to(ROOT / "docs").with_suffix("")) for file in (ROOT / "docs").rglob("*.md")}
    listed = [each.rpartition("<")[2].rstrip(">") for each in lines if each.endswith(">")]
    assert sorted(each for each in listed if not each.startswith("..")) == sorted(pages - {"index"})


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "file.txt").touch()
    (tmp_path / "deep/two.html").write_text('<p id="here &amp; now">')
    good = ["", "#me", "file.txt", "deep/two.html?q#here%20%26%20now", "https://example.org/#x", "mailto:a@example.org"]
    bad = ["#you", "nothing.txt", "deep/two.html#there"]
    links = "".join(f'<a href="{each}">' for each in good + bad)
    (tmp_path / "one.html").write_text(f'<h1 id="me">{links}<img src="no.svg">')
    assert broken_links(tmp_path) == [f"one.html: the link {each} leads nowhere" for each in sorted([*bad, "no.svg"])]
