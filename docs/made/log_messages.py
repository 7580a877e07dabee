"""docs/log-messages.md: what may stand in the main log, process by process, the gravest first."""

import itertools
import re
from collections.abc import Iterable, Iterator

from docs.made.log_advice import ADVICE
from docs.made.log_calls import Message, messages

HEAD = """\
<!-- Made by scripts/docs from the calls in src/wsgid and from docs/made/log_advice.py: change those, not this. -->

# Messages of the log

What the main log may say: `logs/wsgid.log`, or the standard output with `--stdout`. A line has the time, the level, the
process and the message:

    2026-11-21 07:33:24,123 ERROR dispatcher[4243] worker 4244 died: killed by SIGKILL; it held GET /report ...

Further lines of a record, such as a traceback, are indented. `<name>` stands for what is put in; where it is the whole
message, the text is made where the thing happens. `--debug` shows those of level DEBUG. What an application writes to
`wsgi.errors`, logs by itself or prints is not listed here.
"""

PROCESSES = {
    "master": "The master",
    "dispatcher": "The dispatcher",
    "worker": "Workers",
    "loaders": "Workers, while they load the application",
    "filters": "Filters that come with wsgid",
    "plugins": "Whoever loads plug-ins: workers and commands",
    "": "Any process",
}
"""By the package in which a message stands."""

PLACEHOLDER = re.compile("<[^>]*>")

LEVELS = {
    "CRITICAL": "Critical",
    "ERROR": "Errors",
    "WARNING": "Warnings",
    "INFO": "Information",
    "DEBUG": "Details, with `--debug`",
}


def page() -> str:
    found = sorted(messages(), key=_place)
    parts = [HEAD]
    for package, of_package in itertools.groupby(found, key=_package):
        parts.append(f"## {PROCESSES[package]}\n")
        for level, of_level in itertools.groupby(of_package, key=lambda each: each.level):
            parts += [f"### {LEVELS[level]}\n", *_items(of_level), ""]
    return "\n".join(parts).rstrip() + "\n"


def _package(message: Message) -> str:
    package, _, rest = message.module.partition("/")
    return package if rest and package in PROCESSES else ""


def _place(message: Message) -> tuple[int, int]:
    return list(PROCESSES).index(_package(message)), list(LEVELS).index(message.level)


def _items(found: Iterable[Message]) -> Iterator[str]:
    for text, alike in itertools.groupby(found, key=lambda each: each.text.partition("\n")[0].rstrip(":")):
        advice = next((told for each in alike if (told := advice_for(each))), "")
        yield f"- `{text}`" + (f"\\\n  {advice}" if advice else "")


def advice_for(message: Message) -> str:
    """What is known of it, or nothing."""
    known = (told for (module, start), told in ADVICE.items() if is_about(module, start, message))
    return next(known, "")


def is_about(module: str, start: str, message: Message) -> bool:
    """``<text>`` is about a message of just these words: many begin so. In others it does not matter what a placeholder
    is called: that is the name of a variable."""
    if module != message.module:
        return False
    if start.startswith("<") and start.endswith(">"):
        return message.text == start
    return PLACEHOLDER.sub("<>", message.text).startswith(PLACEHOLDER.sub("<>", start))
