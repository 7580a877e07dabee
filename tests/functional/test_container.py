"""The master as process 1, to which the kernel gives no default for any signal, and every orphan."""

import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests import proc
from tests.deadlines import wait_for
from tests.functional import clients
from tests.functional.conftest import MakeFolder
from tests.functional.container import Container, why_not
from tests.functional.gate import Gates

HELLO = b"Hello, World!\n"

ORPHANING = """
import os

def application(environ, start_response):
    # The double fork of daemon(7).
    middle = os.fork()
    if middle == 0:
        if os.fork() == 0:
            with open(os.environ["GATES"] + "/orphan", "rb") as gate:
                gate.read()
        os._exit(0)
    os.waitpid(middle, 0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"orphaned"]
"""

MakeContainer = Callable[..., Container]


@pytest.fixture
def contain(app_folder: MakeFolder) -> Iterator[MakeContainer]:
    """Starts containers: an app folder or the name of an application in tests/apps, then options of the command."""
    if reason := why_not():
        pytest.skip(f"a pid namespace takes root, or a kernel that grants it to all: {reason}")
    made: list[Container] = []

    def make(app: str | Path, *options: str, env: Mapping[str, str] | None = None, start: bool = True) -> Container:
        container = Container(app if isinstance(app, Path) else app_folder(app), *options, env=env)
        made.append(container)
        if start:
            container.start()
        return container

    yield make
    for each in made:
        print(each.report())
        each.kill()


def test_orphans_are_buried(contain: MakeContainer, app_folder: MakeFolder, gates: Gates) -> None:
    folder = app_folder("orphaning", {"app/wsgi.py": ORPHANING})
    daemon = contain(folder, "--bind", "127.0.0.1:0", env=gates.env)
    before = {each.pid for each in daemon.processes()}
    gates.make("orphan")
    assert clients.request(daemon.url).text == "orphaned"
    gates.wait_until_held("orphan")
    [orphan] = [each for each in daemon.processes() if each.pid not in before]
    assert orphan.parent == daemon.pid
    gates.release("orphan")
    wait_for(lambda: proc.process(orphan.pid) is None, "the orphan to be buried")
    assert [each for each in proc.descendants(daemon.pid) if each.zombie] == []
    daemon.stop()


def test_sigterm_ends_it_after_what_is_in_progress(contain: MakeContainer, gates: Gates) -> None:
    daemon = contain("plain", "--bind", "127.0.0.1:0", env=gates.env)
    with clients.Connection(daemon.address) as held:
        held.ask(f"/hold?fifo={gates.make('held')}")
        gates.wait_until_held("held")
        daemon.send(signal.SIGTERM)
        daemon.wait_for_log("SIGTERM: stopping")
        gates.release("held", b"finished")
        assert held.answer().body == b"finished"
    assert daemon.wait() == 0
    daemon.assert_nothing_left()


def test_a_worker_that_is_killed_is_replaced(contain: MakeContainer) -> None:
    daemon = contain("plain", "--bind", "127.0.0.1:0")
    worker = int(clients.request(f"{daemon.url}/pid").text)  # as it is called in the container
    assert clients.request(f"{daemon.url}/die?how=kill", "POST").status == 502
    assert int(clients.request(f"{daemon.url}/pid").text) != worker


def test_commands_in_it_know_it(contain: MakeContainer) -> None:
    daemon = contain("plain", "--bind", "127.0.0.1:0")
    status = daemon.run("status")
    assert status.code == 0
    assert "Status: Running" in status.output
    # With process 1 ends the container, and the kernel kills all that is still in it: a command that waits for it too.
    assert daemon.run("stop").code in (0, -signal.SIGKILL)
    assert daemon.wait() == 0
    daemon.assert_nothing_left()


def test_two_containers_cannot_share_an_app_folder(contain: MakeContainer) -> None:
    first = contain("plain", "--bind", "127.0.0.1:0")
    second = contain(first.folder, "--bind", "127.0.0.1:0", start=False)
    second._launch()
    assert second.wait() == 1
    assert "belongs to a running daemon with the same process id" in second.output
    assert clients.request(first.url).body == HELLO


def test_what_a_killed_container_left_is_no_hindrance(contain: MakeContainer) -> None:
    killed = contain("plain", "--bind", "127.0.0.1:0")
    killed.kill()
    assert (killed.folder / "run/1").exists()
    contain(killed.folder, "--bind", "127.0.0.1:0").stop()
