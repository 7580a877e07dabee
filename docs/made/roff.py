"""man/: the man pages as man(1) reads them, made by Sphinx of docs/man/. The package takes them from there: whoever
installs it has no Sphinx.
"""

import re
from pathlib import Path

from docs.made.man_pages import COMMAND_PAGE, MAN_PAGES
from docs.made.sphinx_build import BUILT, ROOT, run

COMMENT = re.compile(r'^\.\\".*\n', re.MULTILINE)
"""Says which version of docutils has written it."""


def made() -> dict[Path, str]:
    """Each page, by its file. Raises RuntimeError when Sphinx has something to complain of, which it has said."""
    # Only what they are made of is read, which is no site.
    if run("man", "include_patterns=docs/man/*.md", f"root_doc={COMMAND_PAGE}", "suppress_warnings=toc.not_included"):
        raise RuntimeError("the man pages cannot be made")
    names = [f"{name}.{section}" for _, name, _, _, section in MAN_PAGES]
    return {ROOT / "man" / name: COMMENT.sub("", (BUILT / "man" / name).read_text()) for name in names}
