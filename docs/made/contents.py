"""The contents of the site, from docs/index.md as people read it: a heading and a list of links become a toctree.

A toctree of its own beside each list would say all of it twice, and would stand in the page as code where no Sphinx is.
"""

import re

from sphinx.application import Sphinx

SECTION = re.compile(r"^## (?P<caption>.+)\n(?P<body>(?:(?!## ).*\n)*)", re.MULTILINE)
ENTRY = re.compile(r"^- \[(?P<title>[^]]+)\]\((?P<page>[^)#:]+)\.md\)", re.MULTILINE)
"""A link at the beginning of an item; those within sentences and those to other sites are no part of the contents."""


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", _add_toctrees)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add_toctrees(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname == app.config.root_doc:
        source[0] += toctrees(source[0])


def toctrees(text: str) -> str:
    """A hidden toctree for each section of the page that lists pages: they show at the side, the lists in the page."""
    return "".join(_toctree(each["caption"], ENTRY.findall(each["body"])) for each in SECTION.finditer(text))


def _toctree(caption: str, entries: list[tuple[str, str]]) -> str:
    named = (f"{title} <{page}>" for title, page in entries)
    lines = ["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *named, "```", ""]
    return "\n".join(lines) if entries else ""
