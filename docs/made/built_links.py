"""Links within the built site: each has to lead to a file of it, and to a place in that file.

Sphinx looks after those that it resolves itself. This sees what is really in the pages: of the theme, of raw HTML, and
of links that Sphinx took for something else.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Page:
    links: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    """What a fragment may name."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.page.places.add(value)
            elif value and name in ("href", "src"):
                self.page.links.append(value)


def broken_links(folder: Path) -> list[str]:
    """Of all pages below it, a sentence each."""
    pages = {file.resolve(): _read(file) for file in sorted(folder.rglob("*.html"))}
    return [
        f"{file.relative_to(folder.resolve())}: the link {link} leads nowhere"
        for file, page in pages.items()
        for link in sorted(set(page.links))
        if not _leads_somewhere(file, link, pages)
    ]


def _read(file: Path) -> Page:
    reader = _Reader()
    reader.feed(file.read_text())
    return reader.page


def _leads_somewhere(file: Path, link: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not parts.fragment or target not in pages:
        return target.exists()
    return unquote(parts.fragment) in pages[target].places
