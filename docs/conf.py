"""The site of the documentation, and the man pages: Sphinx over the Markdown that is also read as it lies here.

The source directory is the repository's root, so that a link such as ``../ARCHITECTURE.md`` means the same to Sphinx
and to whoever reads the page in the repository. `docs.made.site` calls Sphinx.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from docs.made.man_pages import MAN_PAGES  # noqa: E402 - found by the line above

from wsgid import __version__  # noqa: E402

project = "wsgid"
author = "the authors of wsgid"
version = release = __version__

extensions = ["myst_parser", "docs.made.contents"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "docs/man/*.md", "*.md"]
exclude_patterns = [".*", "build", "demo", "findings"]
highlight_language = "none"
"""What has no language is a mere shell line or a picture of characters."""

smartquotes = False
"""They make a dash of the two in front of an option."""
nitpicky = True
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
"""As in the repository: [text](page.md#heading)."""

html_theme = "furo"
html_title = f"wsgid {release}"
html_additional_pages = {"index": "to_contents.html"}
html_static_path: list[str] = []
templates_path = ["templates"]
html_copy_source = False
html_show_copyright = False

man_pages = MAN_PAGES
today = " "
"""In place of a man page's date: the same source is to give the same page on any day."""

linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_ignore = [r"https?://(localhost|127\.0\.0\.1)(:\d+)?(/.*)?"]
