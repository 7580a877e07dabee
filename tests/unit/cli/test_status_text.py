import pytest

from wsgid.channel.commands import Served
from wsgid.cli.folder_status import DaemonStatus, FolderStatus, WorkerStatus
from wsgid.cli.status_text import as_text


def test_nothing() -> None:
    assert as_text(FolderStatus("Stopped", "/site", [], [], [], [])) == [
        "Status: Stopped",
        "Master pids: none",
        "Worker pids: none",
    ]


def test_all_there_can_be() -> None:
    served = Served("5f3a-17", "GET", "/report", "127.0.0.1", 12.34)
    unknown_client = Served("5f3a-18", "POST", "/", "", 0.04)
    one = DaemonStatus(
        pid=100,
        source="control socket",
        uptime=3 * 3600 + 12 * 60 + 7,
        workers=[
            WorkerStatus(102, "busy", 2, 2, 1042, [served, unknown_client]),
            WorkerStatus(103, "starting"),
            WorkerStatus(99, "dead"),
        ],
        dispatcher=101,
        addresses=["http://127.0.0.1:8000", "unix:/run/site.sock"],
        draining=False,
        unfinished=4,
        queued=2,
        busy=2,
        unnamed=5,
    )
    two = DaemonStatus(200, "pid files", 7.9, [WorkerStatus(201, "unknown")])
    assert as_text(FolderStatus("Running", "/site", [one, two], [50], [51], [60, 61])) == [
        "Status: Running",
        "Master pids: 50 (dead), 100, 200",
        "Worker pids: 51 (dead), 60, 61, 99 (dead), 102, 103, 201",
        "",
        "wsgid 100, up 3 h 12 min, serves http://127.0.0.1:8000, unix:/run/site.sock (dispatcher 101): "
        "2 requests queued, 2 being served",
        "  worker 102: busy, 2 of 2 threads busy, 1042 served",
        "    GET /report (id 5f3a-17, 12.3 s, client 127.0.0.1)",
        "    POST / (id 5f3a-18, 0.0 s)",
        "  worker 103: starting",
        "  worker 99: dead",
        "  and 5 requests more",
        "",
        "wsgid 200, up 7 s: its control socket does not answer, this is from its pid files",
        "",
        "60, 61: the master is dead; they finish and leave",
    ]


def test_a_daemon_that_stops() -> None:
    daemon = DaemonStatus(1, "control socket", 0.0, [], 2, ["http://[::1]:80"], True, 1, 0, 1, 0)
    assert as_text(FolderStatus("Stopped", "/site", [daemon], [], [], []))[4:] == [
        "wsgid 1, up 0 s, stops (dispatcher 2): 0 requests queued, 1 being served"
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.9, "59 s"), (60, "1 min 0 s"), (3600, "1 h 0 min"), (90061, "1 d 1 h"), (864000, "10 d 0 h")],
)
def test_how_long_it_is_up(seconds: float, text: str) -> None:
    told = as_text(FolderStatus("Stopped", "/site", [DaemonStatus(1, "pid files", seconds, [])], [], [], []))
    assert f"up {text}:" in told[4]
