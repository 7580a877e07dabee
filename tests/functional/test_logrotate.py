"""What deploy/logrotate has logrotate do: move the log files away, then run its script."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.deadlines import seconds, wait_for
from tests.functional import clients
from tests.functional.conftest import MakeDaemon
from tests.functional.daemon import environment

CONF = Path(__file__).parents[2] / "deploy" / "logrotate"


def rotate(folder: Path) -> None:
    [pattern] = re.findall(r"^(\S+) \{$", CONF.read_text(), re.MULTILINE)
    for file in sorted(Path("/").glob(pattern.replace("/srv/mysite", str(folder)).lstrip("/"))):
        file.rename(f"{file}.1")
    [script] = re.findall(r"^    postrotate\n(.*?)^    endscript$", CONF.read_text(), re.MULTILINE | re.DOTALL)
    script = script.replace("/srv/mysite/venv/bin/wsgid", f"{sys.executable} -m wsgid").replace(
        "/srv/mysite", str(folder)
    )
    subprocess.run(["sh", "-c", script], env=environment(), timeout=seconds(), check=True)


def test_the_next_lines_are_in_new_files(serve: MakeDaemon) -> None:
    first = serve("plain", "--bind", "127.0.0.1:0", "--workers", "2", start=False)
    assert first.start_detached().code == 0
    second = serve(first.folder, "--bind", "127.0.0.1:0", start=False)
    assert second.start_detached().code == 0
    logs = first.folder / "logs"
    clients.request(f"{first.url}/?before")

    rotate(first.folder)
    wait_for(lambda: all((logs / name).exists() for name in ("wsgid.log", "access.log")), "new files")
    for daemon in (first, second):
        # The dispatcher may still have been about to hear of it when this is served.
        def served(url: str = f"{daemon.url}/?after={daemon.pid}", told: str = f"?after={daemon.pid} ") -> bool:
            return clients.request(url).status == 200 and told in (logs / "access.log").read_text()

        wait_for(served, "a line in the new access log")

    old = (logs / "access.log.1").read_text()
    assert "?before " in old
    assert "?before " not in (logs / "access.log").read_text()
    second.stop()
    first.stop()
    assert f"wsgid {first.pid} has ended" in (logs / "wsgid.log").read_text()
    assert "has ended" not in (logs / "wsgid.log.1").read_text()


def test_where_nothing_runs(tmp_path: Path) -> None:
    """And a pid file has been left behind, whose number may be anybody's by now: here it is the test's."""
    for name in ("app", "logs", "pid/master"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / f"pid/master/{os.getpid()}.pid").write_text(f"{os.getpid()}\n")
    rotate(tmp_path)
