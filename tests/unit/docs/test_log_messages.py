"""The messages of the log are all found, and what is said about them is about some that there are."""

import importlib
from pathlib import Path

import pytest
from docs.made import log_calls
from docs.made.log_advice import ADVICE
from docs.made.log_calls import Message, messages
from docs.made.log_messages import is_about, page

MADE_UP = """
import logging
SEEN = "seen %s"
log = logging.getLogger("wsgid.made_up")
PERIOD = 60


def serve(request, error, worker):
    log.info(SEEN, request.peer_name)
    log.warning(
        "%s failed for %d s of %s, 100%% of it: %s",
        "this" if request else "that",
        PERIOD,
        len(worker.requests),
        error.strerror,
    )

    def inner():
        log.error("in %r", str(worker._pid))

    text = f"worker {worker.pid} is late"
    level = logging.INFO if worker else logging.WARNING
    return [Log(level, text), Log(logging.CRITICAL, f"{text}"), inner]
"""


@pytest.fixture(scope="module")
def found() -> list[Message]:
    return messages()


@pytest.mark.parametrize(("module", "start"), ADVICE)
def test_advice_is_about_a_message(module: str, start: str, found: list[Message]) -> None:
    assert any(is_about(module, start, each) for each in found)


def test_each_call_is_found(found: list[Message]) -> None:
    """Counted in another way: by text, and not by syntax."""
    for file in log_calls.SOURCE.rglob("*.py"):
        text = "".join(file.read_text().split())
        calls = sum(text.count(f"{name}.{level}(") for name in ("log", "_logger") for level in log_calls.LEVELS)
        module = str(file.relative_to(log_calls.SOURCE))
        assert bool(calls) <= any(each.module == module for each in found), module


def test_the_page_has_them_all(found: list[Message]) -> None:
    text = page()
    assert all(f"- `{each.text.partition(chr(10))[0].rstrip(':')}`" in text for each in found)


def test_what_stands_for_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_up.py").write_text(MADE_UP)
    monkeypatch.setattr(log_calls, "SOURCE", tmp_path)
    monkeypatch.setattr(importlib, "import_module", lambda _: type("made_up", (), {"PERIOD": 60.0}))
    assert messages() == [
        Message("made_up.py", "INFO", "seen <peer name>"),
        Message("made_up.py", "WARNING", "this|that failed for 60 s of <number>, 100% of it: <reason>"),
        Message("made_up.py", "INFO", "worker <pid> is late"),
        Message("made_up.py", "WARNING", "worker <pid> is late"),
        Message("made_up.py", "CRITICAL", "<text>"),
        Message("made_up.py", "ERROR", "in <pid>"),
    ]
