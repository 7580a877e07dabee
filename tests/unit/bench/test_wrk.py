"""bench.wrk: what wrk prints, read."""

import os
from pathlib import Path

import pytest
from bench.contender import NotMeasured
from bench.wrk import Download, Load, load, read, read_download

SAID = """\
Running 3s test @ http://127.0.0.1:21000/
  2 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     7.76ms    2.01ms  40.12ms   93.15%
    Req/Sec     2.07k   324.32     2.59k    76.67%
  Latency Distribution
     50%  870.00us
     75%    7.90ms
     90%    8.75ms
     99%    1.02s
  12383 requests in 3.01s, 2.13MB read
{more}Requests/sec:   4117.08
Transfer/sec:    723.71KB
"""


def said(more: str = "") -> str:
    return SAID.format(more=more)


def test_an_ordinary_run() -> None:
    assert read(said()) == Load(requests=12383, rate=4117.08, p50=0.87, p99=1020.0, errors=0)


def test_a_blank_stands_behind_whole_seconds() -> None:
    assert read(said().replace("1.02s\n", "1.02s \n")).p99 == 1020.0


def test_all_kinds_of_errors_count() -> None:
    assert read(said("  Socket errors: connect 1, read 20, write 300, timeout 4000\n")).errors == 4321


@pytest.mark.parametrize(
    "text",
    [
        said("  Non-2xx or 3xx responses: 5\n"),
        said().replace("12383 requests", "0 requests"),
        said().replace("     99%    1.02s\n", ""),
        "unable to connect to 127.0.0.1:21000 Connection refused\n",
    ],
    ids=["refused", "nothing", "no latency", "nobody"],
)
def test_what_means_nothing_is_not_measured(text: str) -> None:
    with pytest.raises(NotMeasured):
        read(text)


def test_where_wrk_fails_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrk").write_text("#!/bin/sh\necho unable to connect >&2\nexit 1\n")
    (tmp_path / "wrk").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(NotMeasured, match="wrk ended with 1: unable to connect"):
        load("http://127.0.0.1:1/", 1, 1.0)


@pytest.mark.parametrize(
    ("told", "size"),
    [("2.13MB", 2233467), ("1.50GB", 1610612736), ("71.68KB", 73400), ("512.00B", 512)],
)
def test_what_was_downloaded(told: str, size: int) -> None:
    assert read_download(said().replace("2.13MB", told)) == Download(size, 3.01)


def test_no_answer_need_be_whole_to_be_downloaded() -> None:
    assert read_download(said().replace("12383 requests", "0 requests")).seconds == 3.01


@pytest.mark.parametrize(
    "more", ["  Non-2xx or 3xx responses: 5\n", "  Socket errors: connect 0, read 1, write 0, timeout 0\n"]
)
def test_a_download_with_errors_is_not_measured(more: str) -> None:
    with pytest.raises(NotMeasured):
        read_download(said(more))
