"""The master as a real process, with real children that only do as they are told (see `master_side`)."""

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests import proc
from tests.deadlines import seconds, wait_for
from wsgid.channel.orders import Retire
from wsgid.master.silence import OVERSLEPT
from wsgid.master.state import FIRST_DELAY
from wsgid.posts import DUMP_SIGNAL

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal."""

    time: float
    pid: int
    words: str


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    stdout: str
    stderr: str


class Daemon:
    """An app folder, and the masters that tests start on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.foreground: list[subprocess.Popen[str]] = []
        (folder / "app").mkdir()
        self.dispatchers("serve")
        self.workers("serve")

    # What children do that are born from now on

    def dispatchers(self, word: str) -> None:
        (self.folder / "app" / "dispatcher").write_text(word)

    def workers(self, word: str) -> None:
        (self.folder / "app" / "worker").write_text(word)

    def busy(self, is_busy: bool) -> None:
        (self.folder / "busy").touch() if is_busy else (self.folder / "busy").unlink()

    # Starting

    def launch(self, **options: object) -> "subprocess.Popen[str]":
        """In a session of its own, as a shell would put it into a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.processes.master_side", self.folder, json.dumps(options)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self, **options: object) -> Outcome:
        """Detached: what the command has said when it comes back and its terminal is free."""
        return ended(self.launch(**options))

    def stay(self, **options: object) -> "subprocess.Popen[str]":
        """In the foreground, ready."""
        process = self.launch(no_daemon=True, **options)
        self.foreground.append(process)
        wait_for(lambda: "is ready" in self.log or " serves " in self.log or process.poll() is not None, "readiness")
        return process

    def options(self, **options: object) -> None:
        """What is read at the next restart."""
        (self.folder / "options.json").write_text(json.dumps(options))

    def say(self, words: str) -> None:
        """By the dispatcher."""
        new = self.folder / "say.new"
        new.write_text(words)
        new.rename(self.folder / "say")

    # Looking

    def news(self) -> list[str]:
        """Of a restart, to its end."""
        wait_for(lambda: any("over=True" in entry.words for entry in self.heard("RestartNews(")), "the end")
        return [entry.words for entry in self.heard("RestartNews(")]

    @property
    def log(self) -> str:
        return _text(self.folder / "logs" / "wsgid.log")

    @property
    def journal(self) -> list[Entry]:
        lines = [line.split(" ", 2) for line in _text(self.folder / "journal").splitlines()]
        return [Entry(float(when), int(pid), words) for when, pid, words in lines]

    def births(self, role: str) -> list[Entry]:
        return [entry for entry in self.journal if entry.words.startswith(f"{role} born")]

    def heard(self, words: str) -> list[Entry]:
        return [entry for entry in self.journal if words in entry.words]

    @property
    def masters(self) -> list[int]:
        return pids(self.folder / "pid" / "master")

    @property
    def master(self) -> int:
        (pid,) = self.masters
        return pid

    @property
    def worker_pids(self) -> list[int]:
        return pids(self.folder / "pid" / "worker")

    @property
    def dispatcher(self) -> int:
        return self.births("dispatcher")[-1].pid

    @property
    def run_dirs(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "run").iterdir())

    def left(self) -> list[str]:
        """All that a daemon may leave in the folder only while it lives."""
        places = [self.folder / "run", self.folder / "pid" / "master", self.folder / "pid" / "worker"]
        files = [path for place in places if place.exists() for path in place.rglob("*")]
        return [str(path) for path in [*files, *self.folder.glob("*.sock")]]

    # Ending

    def stop(self) -> None:
        pid = self.master
        os.kill(pid, signal.SIGTERM)
        gone(pid)


def pids(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.pid"))


def gone(pid: int) -> None:
    wait_for(lambda: not proc.alive(pid), f"process {pid} to end")


def ended(process: "subprocess.Popen[str]") -> Outcome:
    stdout, stderr = process.communicate(timeout=seconds())
    return Outcome(process.returncode, stdout, stderr)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """What a test leaves running is ended; then nothing may be left. Processes: see conftest."""
    daemon = Daemon(tmp_path)
    yield daemon
    for pid in daemon.masters:
        if proc.alive(pid):
            os.kill(pid, signal.SIGQUIT)
            gone(pid)
    for process in daemon.foreground:
        process.communicate(timeout=seconds())
    proc.reap()
    assert daemon.left() == []


# The start


def test_detached(daemon: Daemon) -> None:
    outcome = daemon.start(workers=2, bind=["127.0.0.1:0"])
    master = daemon.master
    found = re.fullmatch(rf"wsgid {master} serves \('127.0.0.1', (\d+)\) with 2 workers\n", outcome.stdout)
    assert found
    assert (outcome.code, outcome.stderr) == (0, "")
    process = proc.process(master)
    assert process is not None
    assert process.session != master, "it leads its session, so it could get a terminal"
    assert process.session != proc.process(os.getpid()).session  # type: ignore[union-attr]
    assert len(daemon.worker_pids) == 2
    assert f"wsgid {master} serves" in daemon.log
    assert daemon.run_dirs == [str(master)]
    assert (daemon.folder / "run" / str(master)).stat().st_mode & 0o777 == 0o700
    socket.create_connection(("127.0.0.1", int(found[1]))).close()
    daemon.stop()
    assert daemon.left() == []
    assert f"wsgid {master} has ended" in daemon.log


def test_detached_output_goes_to_the_log_and_input_is_empty(daemon: Daemon) -> None:
    daemon.workers("print")
    outcome = daemon.start()
    assert outcome.stdout.startswith("wsgid ")
    assert outcome.stderr == ""
    wait_for(lambda: "printed by the application\n" in daemon.log, "the output in the log")
    assert "complained by the application" in daemon.log
    assert os.readlink(f"/proc/{daemon.worker_pids[0]}/fd/0") == "/dev/null"


def test_foreground(daemon: Daemon) -> None:
    process = daemon.stay(workers=1, bind=["127.0.0.1:0"])
    assert daemon.master == process.pid
    os.kill(process.pid, signal.SIGTERM)
    outcome = ended(process)
    assert re.fullmatch(rf"wsgid {process.pid} serves .* with 1 worker\n", outcome.stdout)
    assert (outcome.code, outcome.stderr) == (0, "")


def test_it_works_in_the_app_folder_with_the_operators_umask(daemon: Daemon) -> None:
    daemon.start()
    (worker,) = daemon.worker_pids
    assert os.readlink(f"/proc/{worker}/cwd") == str(daemon.folder)
    umask = os.umask(0)
    os.umask(umask)
    assert f"Umask:\t{umask:04o}" in Path(f"/proc/{worker}/status").read_text()


def test_warnings_are_in_the_log(daemon: Daemon) -> None:
    daemon.start(warnings=["WSGID_WORKER in the environment is no option"])
    assert "WARNING master" in daemon.log
    assert "WSGID_WORKER in the environment is no option" in daemon.log


def test_started_without_standard_streams(daemon: Daemon) -> None:
    """As some init scripts do: no socket may become the standard output."""
    command = f'exec {sys.executable} -m tests.processes.master_side "$0" "$1" <&- >&- 2>&-'
    options = json.dumps({"bind": ["127.0.0.1:0"]})
    assert subprocess.run(["sh", "-c", command, daemon.folder, options], cwd=ROOT, check=False).returncode == 0
    for pid in (daemon.master, daemon.dispatcher, *daemon.worker_pids):
        opened = [os.readlink(f"/proc/{pid}/fd/{standard}") for standard in (0, 1, 2)]
        log = str(daemon.folder / "logs" / "wsgid.log")
        assert opened == ["/dev/null", log, log]


FAILURES = {
    "fail to load": "ImportError: no module named shop\n  in app/wsgi.py, line 3\n",
    "exit": "worker {worker} died before it was ready: exited with code 7; more may be in {log}\n",
    "sys.exit": "worker {worker} died before it was ready: exited with code 4; more may be in {log}\n",
    "raise": "worker {worker} died before it was ready: exited with code 70; more may be in {log}\n",
}


@pytest.mark.parametrize("no_daemon", [False, True], ids=["detached", "foreground"])
@pytest.mark.parametrize("word", FAILURES)
def test_a_worker_that_does_not_get_ready_fails_the_start(daemon: Daemon, word: str, no_daemon: bool) -> None:
    daemon.workers(word)
    outcome = daemon.start(workers=1, no_daemon=no_daemon, bind=[f"unix:{daemon.folder}/http.sock"])
    (worker,) = daemon.births("worker")
    expected = FAILURES[word].format(worker=worker.pid, log=daemon.folder / "logs" / "wsgid.log")
    assert outcome == Outcome(1, "", expected)
    assert daemon.left() == []
    assert f"the start failed: {expected.splitlines()[0]}" in daemon.log


def test_one_of_many_that_does_not_get_ready_fails_the_start(daemon: Daemon) -> None:
    daemon.workers("hang")
    launcher = daemon.launch(workers=3)
    wait_for(lambda: len(daemon.births("worker")) == 3, "the workers")
    victim = daemon.births("worker")[1].pid
    os.kill(victim, signal.SIGSEGV)
    outcome = ended(launcher)
    assert outcome.code == 1
    assert f"worker {victim} died before it was ready: killed by SIGSEGV" in outcome.stderr
    assert daemon.left() == []


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("raise", r"the dispatcher \d+ died: exited with code 70: OSError: no such endpoint\n"),
        ("exit", r"the dispatcher \d+ died: exited with code 9: more may be in .*/logs/wsgid.log\n"),
    ],
)
def test_a_dispatcher_that_does_not_listen_fails_the_start(daemon: Daemon, word: str, text: str) -> None:
    daemon.dispatchers(word)
    outcome = daemon.start()
    assert (outcome.code, outcome.stdout) == (1, "")
    assert re.fullmatch(text, outcome.stderr)
    assert daemon.left() == []


def test_an_exception_that_nobody_catches_is_in_the_log(daemon: Daemon) -> None:
    daemon.workers("raise")
    daemon.start()
    (worker,) = daemon.births("worker")
    assert f"worker[{worker.pid}] process {worker.pid} ends over an error that nothing caught" in daemon.log
    assert "RuntimeError: a worker's mistake" in daemon.log


@pytest.mark.parametrize("no_daemon", [False, True], ids=["detached", "foreground"])
def test_an_address_in_use_fails_the_start(daemon: Daemon, no_daemon: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        outcome = daemon.start(bind=[f"unix:{daemon.folder}/http.sock", address], no_daemon=no_daemon)
    holder = rf"process {os.getpid()} \(.*\)"
    text = f"--bind {address}: address already in use: {holder} listens there; stop it, or choose another port"
    assert (outcome.code, outcome.stdout) == (1, "")
    assert re.fullmatch(f"{text}\n", outcome.stderr)
    assert re.search(f"the start failed: {text}", daemon.log)
    assert daemon.left() == []
    assert daemon.journal == []


@pytest.mark.parametrize("no_daemon", [False, True], ids=["detached", "foreground"])
def test_a_folder_that_cannot_be_made_fails_the_start(daemon: Daemon, no_daemon: bool) -> None:
    (daemon.folder / "logs").write_text("not a folder")
    outcome = daemon.start(no_daemon=no_daemon)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"{daemon.folder}/logs: File exists; run wsgid as the owner of the app folder")
    assert daemon.left() == []


def test_a_daemon_killed_while_it_starts_is_missed_by_its_launcher(daemon: Daemon) -> None:
    daemon.workers("hang")
    launcher = daemon.launch()
    wait_for(lambda: daemon.births("worker"), "the worker")
    master = daemon.master
    os.kill(master, signal.SIGKILL)
    outcome = ended(launcher)
    log = daemon.folder / "logs" / "wsgid.log"
    assert outcome == Outcome(1, "", f"wsgid {master} ended without saying why; what it did last is in {log}\n")
    os.kill(daemon.births("worker")[0].pid, signal.SIGTERM)  # it only sleeps, and so does not notice
    # The next one clears up.
    daemon.workers("serve")
    assert daemon.start().code == 0
    assert daemon.masters == [int(daemon.run_dirs[0])] != [master]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_launcher_ends_the_daemon(daemon: Daemon, number: signal.Signals) -> None:
    daemon.workers("hang")
    launcher = daemon.launch(workers=2)
    wait_for(lambda: len(daemon.births("worker")) == 2, "the workers")
    os.killpg(launcher.pid, number)
    assert ended(launcher) == Outcome(1, "", "stopped by SIGTERM before it was ready\n")
    assert daemon.left() == []


def test_an_interrupt_while_it_detaches_waits_for_the_daemon(daemon: Daemon) -> None:
    """The process in the middle does not end over it."""
    outcome = daemon.start(interrupt=True)
    assert outcome == Outcome(0, f"wsgid {daemon.master} is ready with 1 worker\n", "")


def test_a_launcher_that_was_killed_is_not_missed(daemon: Daemon) -> None:
    daemon.workers("hang")
    launcher = daemon.launch()
    wait_for(lambda: daemon.births("worker"), "the worker")
    launcher.kill()
    launcher.communicate()
    daemon.stop()
    assert "whoever started the daemon did not wait for its word" in daemon.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_during_the_start_ends_it(daemon: Daemon, number: signal.Signals) -> None:
    daemon.dispatchers("hang")
    launcher = daemon.launch(workers=2, kill_after=0.1)
    wait_for(lambda: daemon.births("dispatcher"), "the dispatcher")
    os.kill(daemon.master, number)
    assert ended(launcher) == Outcome(1, "", f"stopped by {number.name} before it was ready\n")
    assert daemon.left() == []


@pytest.mark.parametrize(
    ("forks", "text"),
    [
        (0, "the system has no process for the daemon: Resource temporarily unavailable\n"),
        (1, "the system has no process for the daemon: Resource temporarily unavailable\n"),
        (2, "the dispatcher could not be forked: Resource temporarily unavailable\n"),
        (3, "a worker could not be forked: Resource temporarily unavailable\n"),
    ],
)
def test_no_processes_to_be_had_fails_the_start(daemon: Daemon, forks: int, text: str) -> None:
    assert daemon.start(forks=forks) == Outcome(1, "", text)
    assert daemon.left() == []


@pytest.mark.parametrize(
    ("memory_files", "text"),
    [
        (0, "the dispatcher could not be forked: Too many open files\n"),
        (1, "a worker could not be forked: Too many open files\n"),
    ],
)
def test_no_file_for_the_stacks_fails_the_start(daemon: Daemon, memory_files: int, text: str) -> None:
    assert daemon.start(memory_files=memory_files) == Outcome(1, "", text)
    assert daemon.left() == []


def test_no_process_to_be_had_later_is_waited_for(daemon: Daemon) -> None:
    daemon.stay(forks=2)
    os.kill(daemon.worker_pids[0], signal.SIGKILL)
    wait_for(lambda: daemon.log.count("a worker could not be forked: Resource") >= 2, "two tries")
    assert len(daemon.births("worker")) == 1


def test_started_by_a_parent_that_ignores_its_children(daemon: Daemon) -> None:
    """It is inherited, and makes the kernel reap what the launcher wants to wait for."""
    started = subprocess.run(
        [sys.executable, "-m", "tests.processes.master_side", daemon.folder, "{}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    )
    assert (started.returncode, started.stdout) == (0, f"wsgid {daemon.master} is ready with 1 worker\n")
    os.kill(daemon.worker_pids[0], signal.SIGKILL)
    wait_for(lambda: len(daemon.births("worker")) == 2, "a new worker")


def test_a_terminal_that_takes_nothing_is_no_reason_not_to_serve(daemon: Daemon) -> None:
    options = json.dumps({"no_daemon": True})
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.processes.master_side", daemon.folder, options], cwd=ROOT, stdout=full
        )
    wait_for(lambda: "No space left on device: wsgid" in daemon.log, "the line")
    assert len(daemon.worker_pids) == 1
    os.kill(process.pid, signal.SIGTERM)
    process.wait()


def test_a_mistake_of_ours_at_the_start_is_told(daemon: Daemon) -> None:
    daemon.workers("hang")
    launcher = daemon.launch(mistake=True)
    wait_for(lambda: daemon.births("worker"), "the worker")
    os.kill(daemon.master, signal.SIGUSR2)
    log = daemon.folder / "logs" / "wsgid.log"
    text = f"a bug in wsgid: ZeroDivisionError: a mistake; its traceback is in {log}\n"
    assert ended(launcher) == Outcome(1, "", text)
    os.kill(daemon.births("worker")[0].pid, signal.SIGTERM)  # it only sleeps, and so does not notice
    assert daemon.left() == []


def test_a_mistake_of_ours_while_serving_ends_all(daemon: Daemon) -> None:
    daemon.start(mistake=True, workers=2)
    master, children = daemon.master, [daemon.dispatcher, *daemon.worker_pids]
    os.kill(master, signal.SIGUSR2)
    gone(master)
    for child in children:
        gone(child)
    assert daemon.left() == []
    assert "the master ends over a mistake of its own\n    Traceback" in daemon.log


# Replacing


def test_a_dead_worker_is_replaced(daemon: Daemon) -> None:
    daemon.start(workers=2)
    victim, other = daemon.worker_pids
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(daemon.births("worker")) == 3, "a new worker")
    new = daemon.births("worker")[2].pid
    wait_for(lambda: daemon.worker_pids == sorted([other, new]), "its pid file")
    told = f"WorkerDied(pid={victim}, how='killed by SIGKILL', expected=False, "
    wait_for(lambda: daemon.heard(told), "the word to the dispatcher")


def test_a_worker_told_to_leave_comes_back_with_the_code_now_on_disk(daemon: Daemon) -> None:
    daemon.start()
    (old,) = daemon.worker_pids
    daemon.workers("print")
    os.kill(old, signal.SIGTERM)
    wait_for(lambda: "printed by the application" in daemon.log, "the new worker")
    assert daemon.heard("told to leave")[0].pid == old
    wait_for(lambda: daemon.heard(f"WorkerDied(pid={old}, how='left', expected=True, "), "the word to the dispatcher")


def test_workers_that_do_not_get_ready_come_later_and_later(daemon: Daemon) -> None:
    daemon.start()
    (old,) = daemon.worker_pids
    daemon.workers("exit")
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: len(daemon.births("worker")) >= 4, "some tries")
    times = [birth.time for birth in daemon.births("worker")][1:4]
    waits = [after - before for before, after in pairwise(times)]
    assert all(wait >= FIRST_DELAY * 2**tries for tries, wait in enumerate(waits)), waits
    assert "was not ready yet; the next one comes in 0.1 s" in daemon.log
    daemon.workers("print")
    wait_for(lambda: "printed by the application" in daemon.log, "the repaired worker")


def test_a_dead_dispatcher_is_replaced_and_the_port_stays_open(daemon: Daemon) -> None:
    outcome = daemon.start(workers=2, bind=["127.0.0.1:0"])
    port = int(outcome.stdout.split("'127.0.0.1', ")[1].split(")")[0])
    old, workers = daemon.dispatcher, daemon.worker_pids
    os.kill(old, signal.SIGSTOP)
    os.kill(old, signal.SIGKILL)
    with socket.create_connection(("127.0.0.1", port)):  # at any time
        wait_for(lambda: len(daemon.births("dispatcher")) == 2, "a new dispatcher")
    wait_for(lambda: daemon.log.count("listens: ('127.0.0.1', ") == 2, "the same address")
    assert f"dispatcher {old} died: killed by SIGKILL; a new one takes over" in daemon.log
    assert daemon.worker_pids == workers
    # And it is told what the old one was told.
    os.kill(workers[0], signal.SIGKILL)
    wait_for(lambda: daemon.heard(f"WorkerDied(pid={workers[0]}, "), "the news of a death")
    assert daemon.heard(f"WorkerDied(pid={workers[0]}, ")[0].pid == daemon.dispatcher


def test_dispatchers_that_do_not_listen_come_later_and_later(daemon: Daemon) -> None:
    daemon.start()
    daemon.dispatchers("raise")
    os.kill(daemon.dispatcher, signal.SIGKILL)
    wait_for(lambda: len(daemon.births("dispatcher")) >= 4, "some tries")
    times = [birth.time for birth in daemon.births("dispatcher")][1:4]
    waits = [after - before for before, after in pairwise(times)]
    assert all(wait >= FIRST_DELAY * 2**tries for tries, wait in enumerate(waits)), waits
    daemon.dispatchers("serve")
    wait_for(lambda: daemon.log.count("listens: ") == 2, "the repaired dispatcher")


def test_without_keep_alive_the_daemon_ends_with_its_last_worker(daemon: Daemon) -> None:
    process = daemon.stay(workers=2, keep_alive=False)
    first, second = daemon.worker_pids
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: daemon.heard(f"WorkerDied(pid={first}, "), "its death")
    assert daemon.worker_pids == [second]
    os.kill(second, signal.SIGTERM)
    assert ended(process).code == 1
    assert len(daemon.births("worker")) == 2
    assert "no worker is left and none will come (keep-alive is off): stopping" in daemon.log


def test_a_dispatcher_that_speaks_nonsense_is_not_understood(daemon: Daemon) -> None:
    daemon.dispatchers("babble")
    assert daemon.start().code == 0
    assert "the dispatcher said what means nothing" in daemon.log


def test_a_worker_and_the_dispatcher_at_once(daemon: Daemon) -> None:
    """The younger dispatcher is reaped after the worker whose death it would have had to hear of."""
    daemon.start()
    os.kill(daemon.dispatcher, signal.SIGKILL)
    wait_for(lambda: daemon.log.count("listens: ") == 2, "a young dispatcher")
    (worker,) = daemon.worker_pids
    os.kill(daemon.master, signal.SIGSTOP)
    for pid in (worker, daemon.dispatcher):
        os.kill(pid, signal.SIGKILL)
        gone(pid)
    os.kill(daemon.master, signal.SIGCONT)
    wait_for(lambda: f"worker {worker} died: killed by SIGKILL; there was no dispatcher" in daemon.log, "the line")
    wait_for(lambda: len(daemon.births("worker")) == 2, "a new worker")


def test_orphans_that_fall_to_process_1_of_a_container_are_reaped(daemon: Daemon) -> None:
    daemon.workers("leave an orphan")
    process = daemon.stay(init=True)
    (orphan,) = daemon.heard("grandchild")
    wait_for(lambda: proc.process(orphan.pid) is None, "the orphan to be reaped")
    os.kill(process.pid, signal.SIGTERM)
    assert ended(process).code == 0
    assert len(daemon.births("worker")) == 1
    assert "died" not in daemon.log


# The stop


def test_requests_end_first(daemon: Daemon) -> None:
    process = daemon.stay(workers=2, graceful_timeout=20)
    daemon.busy(True)
    os.kill(process.pid, signal.SIGTERM)
    wait_for(lambda: daemon.heard("dispatcher hears Drain(seconds=20.0)"), "the order")
    assert len(daemon.worker_pids) == 2
    assert not daemon.heard("told to leave")
    daemon.busy(False)
    assert ended(process).code == 0
    assert len(daemon.heard("worker told to leave")) == 2
    assert daemon.heard("dispatcher hears Exit()")
    assert len(daemon.births("worker")) == 2


def test_a_dispatcher_that_never_finishes_has_its_time(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon.dispatchers("deaf")
    process = daemon.stay(graceful_timeout=0, drain_margin=0.1, kill_after=0.1)
    os.kill(process.pid, signal.SIGTERM)
    assert ended(process).code == 0
    assert "the dispatcher did not say in time that it is done" in daemon.log
    assert re.search(r"dispatcher \d+ has not ended within 0.1 s: killing it", daemon.log)


def test_a_dispatcher_that_dies_while_requests_end(daemon: Daemon) -> None:
    process = daemon.stay()
    daemon.busy(True)
    os.kill(process.pid, signal.SIGTERM)
    wait_for(lambda: daemon.heard("Drain("), "the order")
    os.kill(daemon.dispatcher, signal.SIGKILL)
    assert ended(process).code == 0
    assert len(daemon.births("dispatcher")) == 1


def test_a_worker_that_dies_while_requests_end_is_not_replaced(daemon: Daemon) -> None:
    process = daemon.stay(workers=2)
    daemon.busy(True)
    os.kill(process.pid, signal.SIGTERM)
    wait_for(lambda: daemon.heard("Drain("), "the order")
    os.kill(daemon.worker_pids[0], signal.SIGKILL)
    wait_for(lambda: daemon.heard("WorkerDied("), "the death")
    daemon.busy(False)
    assert ended(process).code == 0
    assert len(daemon.births("worker")) == 2


def test_what_does_not_end_is_killed(daemon: Daemon) -> None:
    daemon.workers("deaf")
    process = daemon.stay(kill_after=0.1)
    (worker,) = daemon.worker_pids
    os.kill(process.pid, signal.SIGTERM)
    assert ended(process).code == 0
    assert f"worker {worker} has not ended within 0.1 s: killing it" in daemon.log


@pytest.mark.parametrize(
    "numbers", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM), (signal.SIGQUIT,)]
)
def test_at_once(daemon: Daemon, numbers: tuple[signal.Signals, ...]) -> None:
    """By a second signal, or by SIGQUIT: even a worker that will not hear."""
    daemon.workers("deaf")
    process = daemon.stay(workers=2)
    daemon.busy(True)
    os.kill(process.pid, numbers[0])
    for number in numbers[1:]:
        wait_for(lambda: daemon.heard("Drain("), "the order")
        os.kill(process.pid, number)
    assert ended(process).code == 0
    assert f"{numbers[-1].name}: ending at once" in daemon.log
    assert daemon.log.count("ended: killed by SIGKILL") == 2
    assert daemon.heard("dispatcher hears Exit()")


def test_ctrl_c_to_the_whole_group(daemon: Daemon) -> None:
    process = daemon.stay(workers=2)
    daemon.busy(True)
    os.killpg(process.pid, signal.SIGINT)
    wait_for(lambda: daemon.heard("Drain("), "the order")
    daemon.busy(False)
    assert ended(process) == Outcome(0, f"wsgid {process.pid} is ready with 2 workers\n", "")
    assert len(daemon.heard("worker told to leave")) == 2
    assert "died" not in daemon.log


def test_a_closed_terminal_stops_a_daemon_in_the_foreground(daemon: Daemon) -> None:
    """In order, as Ctrl-C does: dispatcher and workers, which get the signal too, leave it to the master."""
    pid, terminal = pty.fork()
    if pid == 0:
        options = json.dumps({"no_daemon": True, "workers": 2})
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "tests.processes.master_side", str(daemon.folder), options])
    wait_for(lambda: "is ready" in daemon.log, "readiness")
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "SIGHUP: stopping" in daemon.log
    assert "died" not in daemon.log


def test_a_signal_without_a_meaning_does_no_harm(daemon: Daemon) -> None:
    daemon.start()
    os.kill(daemon.master, signal.SIGUSR2)
    wait_for(lambda: "SIGUSR2 means nothing to wsgid: ignored" in daemon.log, "the line")


def test_logs_are_reopened_by_all(daemon: Daemon) -> None:
    daemon.start(workers=2)
    log = daemon.folder / "logs" / "wsgid.log"
    log.rename(log.with_suffix(".1"))
    os.kill(daemon.master, signal.SIGUSR1)
    all_three = {daemon.dispatcher, *daemon.worker_pids}
    wait_for(lambda: {each.pid for each in daemon.heard("reopens")} == all_three, "the signal")
    os.kill(daemon.master, signal.SIGUSR2)
    wait_for(lambda: "SIGUSR2 means nothing" in daemon.log, "a line in the new file")


def test_one_worker_more_and_one_fewer(daemon: Daemon) -> None:
    daemon.start(workers=1)
    (oldest,) = daemon.worker_pids
    os.kill(daemon.master, signal.SIGTTIN)
    wait_for(lambda: len(daemon.births("worker")) == 2, "one more")
    # Nothing tells when it is ready, but this goes to those that are: one that still loads would be dropped first.
    os.kill(daemon.master, signal.SIGUSR1)
    wait_for(lambda: len(daemon.heard("worker reopens")) == 2, "both to be ready")
    os.kill(daemon.master, signal.SIGTTOU)
    wait_for(lambda: daemon.heard("worker retired"), "one fewer")
    assert daemon.heard("worker retired")[0].pid == oldest
    os.kill(daemon.master, signal.SIGTTOU)
    wait_for(lambda: "SIGTTOU: the number of workers stays 1" in daemon.log, "the line")
    assert len(daemon.worker_pids) == 1


# Restarts


def test_a_restart(daemon: Daemon) -> None:
    """One after the other: who is retired has a successor by then."""
    daemon.start(workers=3)
    old = daemon.worker_pids
    os.kill(daemon.master, signal.SIGHUP)
    wait_for(lambda: "the restart is done: 3 workers with the new code and options" in daemon.log, "the end")
    wait_for(lambda: len(daemon.heard("worker retired")) == 3, "all to leave")
    # As the master says it: on a busy machine a worker may be late to write that it has heard it.
    retired = daemon.heard("dispatcher hears Retire(")
    assert [entry.words for entry in retired] == [f"dispatcher hears {Retire(pid)}" for pid in old]
    for number, entry in enumerate(retired, start=1):
        assert sum(birth.time < entry.time for birth in daemon.births("worker")) >= 3 + number
    assert len(daemon.births("worker")) == 6
    wait_for(lambda: not set(daemon.worker_pids) & set(old), "the old pid files to go")
    assert len(daemon.worker_pids) == 3
    assert "died" not in daemon.log


def test_a_restart_in_the_foreground(daemon: Daemon) -> None:
    """With no terminal that could have hung up: systemd's ExecReload."""
    process = daemon.stay()
    os.killpg(process.pid, signal.SIGHUP)
    wait_for(lambda: "the restart is done" in daemon.log, "the end")
    os.kill(process.pid, signal.SIGTERM)
    assert ended(process).code == 0


def test_a_restart_reads_the_options_again(daemon: Daemon) -> None:
    daemon.start(workers=1, queue_size=7)
    daemon.options(workers=2, queue_size=9, no_daemon=True)
    daemon.say("RestartWanted")
    news = daemon.news()
    assert "the options are read again, new workers load the application" in news[0]
    assert "--no-daemon stays false until wsgid is stopped and started: no restart can make it true" in news[0]
    assert "over=False" in news[0]
    assert "worker 1 of 1 is replaced" in news[1]
    assert news[-1].endswith("over=True, ok=True)")
    assert "2 workers with the new code and options" in news[-1]
    wait_for(lambda: len(daemon.worker_pids) == 2, "the old one's pid file to go")
    assert "--no-daemon stays false" in daemon.log
    assert "a warning" in daemon.log
    assert "queue_size=9" in daemon.heard("Adopt(")[0].words


def test_wrong_options_restart_nothing(daemon: Daemon) -> None:
    daemon.start()
    old = daemon.worker_pids
    daemon.options(wrong="many")
    daemon.say("RestartWanted")
    (news,) = daemon.news()
    assert "the restart is refused" in news
    assert "WSGID_WORKERS: many is not a whole number" in news
    assert news.endswith("over=True, ok=False)")
    assert daemon.worker_pids == old
    assert "WSGID_WORKERS: many is not a whole number" in daemon.log


def test_a_restart_with_broken_code(daemon: Daemon) -> None:
    daemon.start(workers=2)
    old = daemon.worker_pids
    daemon.workers("fail to load")
    daemon.say("RestartWanted")
    last = daemon.news()[-1]
    assert "ImportError: no module named shop" in last
    assert "in app/wsgi.py, line 3" in last
    assert "all workers go on as before" in last
    assert last.endswith("over=True, ok=False)")
    assert len(daemon.births("worker")) == 3
    assert daemon.worker_pids == old
    # And the repaired one is loaded.
    daemon.workers("serve")
    os.kill(daemon.master, signal.SIGHUP)
    wait_for(lambda: "the restart is done" in daemon.log, "the end")


def test_a_restart_with_code_that_hangs(daemon: Daemon) -> None:
    daemon.start(workers=1, start_timeout=0.3)
    (old,) = daemon.worker_pids
    daemon.workers("hang")
    daemon.say("RestartWanted")
    last = daemon.news()[-1]
    (_, hanging) = (birth.pid for birth in daemon.births("worker"))
    assert f"worker {hanging} was not ready within --start-timeout (0.3 s)" in last
    assert f"where it was then is in {daemon.folder}/logs/wsgid.log" in last
    assert last.endswith("over=True, ok=False)")
    assert daemon.heard("worker dumps")[0].pid == hanging
    wait_for(lambda: daemon.worker_pids == [old], "the end of the one that hangs")


def test_a_dispatcher_that_dies_during_a_restart(daemon: Daemon) -> None:
    daemon.start(workers=1)
    daemon.workers("hang")
    daemon.say("RestartWanted")
    wait_for(lambda: len(daemon.births("worker")) == 2, "the new worker")
    os.kill(daemon.dispatcher, signal.SIGKILL)
    wait_for(lambda: daemon.log.count("listens: ") == 2, "the new dispatcher")
    daemon.workers("serve")
    os.kill(daemon.master, signal.SIGHUP)
    wait_for(lambda: "the restart is done" in daemon.log, "the end")
    assert len(daemon.births("worker")) == 3


# Workers that are to go


def test_a_start_that_hangs(daemon: Daemon) -> None:
    daemon.workers("hang")
    outcome = daemon.start(start_timeout=0.3)
    (worker,) = daemon.births("worker")
    log = daemon.folder / "logs" / "wsgid.log"
    text = f"worker {worker.pid} was not ready within --start-timeout (0.3 s); where it was then is in {log}\n"
    assert outcome == Outcome(1, "", text)
    assert records(daemon, stacks_of(worker.pid), 1) == ["ERROR master"]
    assert daemon.left() == []


def test_a_worker_that_hangs_later_is_killed_and_tried_again(daemon: Daemon) -> None:
    daemon.start(start_timeout=0.3)
    daemon.workers("hang")
    os.kill(daemon.worker_pids[0], signal.SIGKILL)
    wait_for(lambda: "(failure 2 in a row); the next one comes in 0.2 s" in daemon.log, "two tries")
    first, second = (entry.pid for entry in daemon.heard("worker dumps"))
    for late in (first, second):
        assert len(records(daemon, stacks_of(late), 1)) == 1


def test_a_worn_out_worker_goes_when_its_successor_is_there(daemon: Daemon) -> None:
    daemon.start()
    (old,) = daemon.worker_pids
    daemon.say(f"WornOut {old}")
    wait_for(lambda: daemon.heard("worker retired"), "it to leave")
    assert f"worker {old} is to be replaced: it has served 7 requests" in daemon.log
    assert len(daemon.births("worker")) == 2
    wait_for(lambda: len(daemon.worker_pids) == 1 and daemon.worker_pids != [old], "its pid file to go")


def test_a_worker_with_too_much_memory(daemon: Daemon) -> None:
    daemon.workers("grow")
    daemon.start(max_rss=100 * 1024 * 1024)
    old = daemon.births("worker")[0].pid
    daemon.workers("serve")
    wait_for(lambda: daemon.heard("worker retired"), "it to leave")
    assert daemon.heard("worker retired")[0].pid == old
    assert re.search(rf"worker {old} is to be replaced: it holds \d+ MiB of memory, more than --max-rss", daemon.log)
    assert len(daemon.births("worker")) == 2


def test_it_tells_the_sizes_of_all_processes(daemon: Daemon) -> None:
    daemon.start()
    daemon.say("SizesWanted")
    wait_for(lambda: daemon.heard("Sizes("), "the sizes")
    sizes = [int(each) for each in re.findall(r"(?:master=|dispatcher=|: )(\d+)", daemon.heard("Sizes(")[0].words)]
    assert len(sizes) == 2 + len(daemon.worker_pids)
    assert all(2**20 < each < 2**32 for each in sizes)


def test_a_hung_worker(daemon: Daemon) -> None:
    """Its stacks are asked for, another comes at once, and it is killed when it has nothing else in hand."""
    daemon.start()
    (hung,) = daemon.worker_pids
    daemon.say(f"Hung {hung}")
    wait_for(lambda: len(daemon.births("worker")) == 2, "the replacement")
    assert f"worker {hung} hangs and will be replaced; its stacks follow. GET /slow" in daemon.log
    assert records(daemon, stacks_of(hung), 1) == ["ERROR master"]
    assert hung in daemon.worker_pids
    daemon.say(f"Spent {hung}")
    wait_for(lambda: daemon.heard(f"WorkerDied(pid={hung}, how='killed by SIGKILL', expected=False, "), "its end")
    assert records(daemon, stacks_of(hung), 1) == ["ERROR master"]


def stacks_of(worker: int) -> str:
    return rf"stacks of worker {worker}:\n    Stack of {worker}"


def records(daemon: Daemon, text: str, count: int) -> list[str]:
    """Level and process of the records with this text, once there are so many."""
    pattern = re.compile(rf"^[-\d]+ [:,\d]+ (\w+) +(\w+)\[\d+\] {text}$", re.MULTILINE)
    wait_for(lambda: len(pattern.findall(daemon.log)) >= count, f"{count} records of {text!r}")
    return [f"{level} {role}" for level, role in pattern.findall(daemon.log)]


def test_a_worker_that_somebody_asks_for_its_stacks(daemon: Daemon) -> None:
    """Each time, and it goes on."""
    daemon.start()
    (worker,) = daemon.worker_pids
    for times in (1, 2):
        os.kill(worker, DUMP_SIGNAL)
        assert len(records(daemon, stacks_of(worker), times)) == times
    assert daemon.worker_pids == [worker]


def test_stacks_of_workers_that_die_of_it(daemon: Daemon) -> None:
    """They are in the log before the line about the death."""
    daemon.start(workers=2)
    os.kill(daemon.master, signal.SIGSTOP)
    dead = daemon.worker_pids
    for worker in dead:
        os.kill(worker, DUMP_SIGNAL)
    wait_for(lambda: len(daemon.heard("worker dumps")) == 2, "the stacks")
    dispatcher = daemon.dispatcher  # dies as well, so that the master itself tells of the deaths
    for each in (dispatcher, *dead):
        os.kill(each, signal.SIGKILL)
    # Of all of them: else it might be the next dispatcher that is told, or this one in its last moment.
    wait_for(lambda: not any(proc.alive(each) for each in (dispatcher, *dead)), "their deaths")
    os.kill(daemon.master, signal.SIGCONT)
    wait_for(lambda: all(f"worker {pid} died: killed by SIGKILL" in daemon.log for pid in dead), "the deaths")
    for worker in dead:
        assert len(records(daemon, stacks_of(worker), 1)) == 1
        assert daemon.log.index(f"stacks of worker {worker}") < daemon.log.index(f"worker {worker} died")


def test_stacks_go_to_the_log_that_was_reopened(daemon: Daemon) -> None:
    daemon.start()
    (worker,) = daemon.worker_pids
    old = daemon.folder / "logs" / "wsgid.log"
    old.rename(old.with_suffix(".1"))
    os.kill(daemon.master, signal.SIGUSR1)
    wait_for(lambda: len(daemon.heard("reopens")) == 2, "the signal")
    os.kill(worker, DUMP_SIGNAL)
    assert len(records(daemon, stacks_of(worker), 1)) == 1


def test_a_worker_that_leaves_is_replaced_at_once(daemon: Daemon) -> None:
    """Before it has finished its requests."""
    daemon.workers("deaf")
    daemon.start(graceful_timeout=0)
    (old,) = daemon.worker_pids
    daemon.say(f"WorkerLeaving {old}")
    wait_for(lambda: len(daemon.births("worker")) == 2, "the replacement")
    assert old in daemon.worker_pids
    wait_for(lambda: f"worker {old} has not left in time: killing it" in daemon.log, "the line")
    wait_for(lambda: old not in daemon.worker_pids, "its end")


def test_a_worker_killed_for_want_of_memory(daemon: Daemon) -> None:
    daemon.start(oom=True)
    first, count = daemon.worker_pids[0], daemon.folder / "oom"
    os.kill(daemon.master, signal.SIGSTOP)
    count.with_suffix(".new").write_text("1")
    count.with_suffix(".new").rename(count)
    os.kill(first, signal.SIGKILL)
    os.kill(daemon.master, signal.SIGCONT)
    wait_for(lambda: daemon.heard(f"WorkerDied(pid={first}, "), "its death")
    how = "killed by SIGKILL (out of memory, says the kernel)"
    assert how in daemon.heard(f"WorkerDied(pid={first}, ")[0].words


# A dispatcher that says nothing


def test_a_stopped_dispatcher_is_replaced(daemon: Daemon) -> None:
    daemon.start()
    old = daemon.dispatcher
    os.kill(old, signal.SIGSTOP)
    wait_for(lambda: len(daemon.births("dispatcher")) == 2, "a new one")
    assert re.search(rf"dispatcher {old} is stopped, and silent for 0.\d s: its stacks follow", daemon.log)
    assert daemon.heard("dispatcher aborted")[0].pid == old
    stacks = rf"stacks of dispatcher {old}:\n    Fatal Python error: Aborted\n    \n    Stack of a dispatcher"
    assert records(daemon, stacks, 1) == ["ERROR master"]
    assert daemon.log.index(f"stacks of dispatcher {old}:") < daemon.log.index(f"dispatcher {old} died")


def test_a_dispatcher_that_runs_but_says_nothing(daemon: Daemon) -> None:
    daemon.dispatchers("mute")
    daemon.start(silence=0.6)
    daemon.dispatchers("serve")
    wait_for(lambda: len(daemon.births("dispatcher")) == 2, "a new one")
    assert re.search(r"dispatcher \d+ runs, but has been silent for \d.\d s", daemon.log)


def test_a_stopped_daemon_is_not_taken_for_a_silent_one(daemon: Daemon) -> None:
    """Ctrl-Z, and fg a little later."""
    process = daemon.stay()
    beats = daemon.dispatcher
    os.killpg(process.pid, signal.SIGSTOP)
    end = time.monotonic() + OVERSLEPT + 0.2
    wait_for(lambda: time.monotonic() > end, "a while")
    os.kill(process.pid, signal.SIGCONT)
    os.killpg(process.pid, signal.SIGCONT)
    os.kill(process.pid, signal.SIGUSR2)
    wait_for(lambda: "SIGUSR2" in daemon.log, "the master to be awake")
    os.kill(process.pid, signal.SIGTERM)
    assert ended(process).code == 0
    assert [birth.pid for birth in daemon.births("dispatcher")] == [beats]


# The watcher


def test_code_that_changes_is_loaded(daemon: Daemon) -> None:
    process = daemon.stay(reload=True)
    wait_for(lambda: "--reload: watching the code" in daemon.log, "the watcher")
    (daemon.folder / "app" / "shop.py").write_text("")
    wait_for(lambda: "the restart is done" in daemon.log, "the restart")
    watcher = int(re.search(r"watcher\[(\d+)\]", daemon.log)[1])  # type: ignore[index]
    os.kill(watcher, signal.SIGKILL)
    wait_for(lambda: f"watcher {watcher} died: killed by SIGKILL; the next one comes in 0.1 s" in daemon.log, "a word")
    wait_for(lambda: daemon.log.count("--reload: watching the code") == 2, "a new one")
    os.kill(process.pid, signal.SIGTERM)
    assert ended(process).code == 0


def test_folders_that_somebody_removed_keep_nobody_from_ending(daemon: Daemon) -> None:
    process = daemon.stay()
    old = daemon.worker_pids[0]
    shutil.rmtree(daemon.folder / "run")
    shutil.rmtree(daemon.folder / "pid")
    os.kill(old, signal.SIGTERM)
    wait_for(lambda: "has no pid file: No such file or directory" in daemon.log, "the line")
    os.kill(process.pid, signal.SIGTERM)
    assert ended(process).code == 0
    assert "something of this daemon stays behind in run/ or pid/" in daemon.log


def test_a_pid_file_that_cannot_be_removed_is_told(daemon: Daemon) -> None:
    daemon.start()
    (worker,) = daemon.worker_pids
    file = daemon.folder / "pid" / "worker" / f"{worker}.pid"
    file.unlink()
    file.mkdir()
    os.kill(worker, signal.SIGTERM)
    wait_for(lambda: f"the pid file of worker {worker} stays behind: Is a directory" in daemon.log, "the line")
    file.rmdir()


# The master's end


def test_nobody_holds_what_tells_that_the_master_is_gone(daemon: Daemon) -> None:
    daemon.start(workers=2, bind=["127.0.0.1:0"])
    os.kill(daemon.worker_pids[0], signal.SIGKILL)
    wait_for(lambda: len(daemon.births("worker")) == 3, "a worker born when most was open")
    wait_for(lambda: daemon.births("worker")[2].pid in daemon.worker_pids, "its pid file")
    master, dispatcher, workers = daemon.master, daemon.dispatcher, daemon.worker_pids
    held = {pid: Held(pid) for pid in (master, dispatcher, *workers)}
    lifelines = held[workers[0]].read & held[workers[1]].read
    assert lifelines & held[master].written, "both workers read from a pipe that the master can write to"
    for pid in workers:
        others = set.union(*(held[other].written for other in held if other != pid))
        assert not lifelines & (held[pid].written | held[dispatcher].written), "a child holds the lifeline up"
        assert not held[pid].written & others, "a report has one writer"
        assert not held[pid].sockets & held[master].sockets
    # The one socket that master and dispatcher share listens; each holds its own end of the orders besides.
    assert len(held[dispatcher].sockets & held[master].sockets) == 1
    lock = str(daemon.folder / "run" / str(master) / "lock")
    assert [pid for pid in held if lock in held[pid].files] == [master]
    stacks = {pid: sum("wsgid-stacks" in name for name in proc.descriptors(pid).values()) for pid in held}
    assert stacks == {master: 3} | dict.fromkeys((dispatcher, *workers), 1), "a child has only its own"


class Held:
    """What a process has open."""

    def __init__(self, pid: int) -> None:
        self.read, self.written = set[str](), set[str]()
        """Pipes."""
        self.sockets, self.files = set[str](), set[str]()
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            name = os.readlink(entry)
            if name.startswith("pipe:"):
                flags = re.search(r"flags:\s+(\d+)", Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text())
                assert flags
                (self.written if int(flags[1], 8) & os.O_WRONLY else self.read).add(name)
            else:
                (self.sockets if name.startswith("socket:") else self.files).add(name)


def test_a_killed_master_is_noticed_and_the_next_one_clears_up(daemon: Daemon) -> None:
    bind = [f"unix:{daemon.folder}/http.sock"]
    daemon.start(workers=2, bind=bind)
    dead, dispatcher, workers = daemon.master, daemon.dispatcher, daemon.worker_pids
    os.kill(dead, signal.SIGKILL)
    for pid in (dead, dispatcher, *workers):
        gone(pid)
    assert {entry.pid for entry in daemon.heard("orphaned")} == {dispatcher, *workers}
    assert (daemon.masters, daemon.worker_pids) == ([dead], workers)
    outcome = daemon.start(workers=1, bind=bind)
    assert outcome.code == 0, outcome.stderr
    assert f"removing what the dead daemon {dead} has left" in daemon.log
    assert daemon.master != dead
    assert daemon.run_dirs == [str(daemon.master)]
    assert len(daemon.worker_pids) == 1
    daemon.stop()


def test_the_living_are_not_taken_for_dead(daemon: Daemon) -> None:
    """Several daemons on one folder: a second start leaves the first alone, and so does the second's end."""
    daemon.start(workers=1)
    first, first_workers = daemon.master, daemon.worker_pids
    process = daemon.launch(workers=1, no_daemon=True)
    wait_for(lambda: len(daemon.births("worker")) == 2 and len(daemon.worker_pids) == 2, "the second daemon")
    assert daemon.masters == sorted([first, process.pid])
    wait_for(lambda: daemon.log.count("is ready with 1 worker") == 2, "readiness")
    os.kill(process.pid, signal.SIGTERM)
    assert ended(process).code == 0
    assert (daemon.masters, daemon.worker_pids) == ([first], first_workers)
    assert daemon.run_dirs == [str(first)]


def test_the_lock_is_held_while_the_master_lives(daemon: Daemon) -> None:
    daemon.start()
    with open(daemon.folder / "run" / str(daemon.master) / "lock", "rb") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(daemon.master, signal.SIGKILL)
        gone(daemon.master)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for birth in daemon.journal:
        gone(birth.pid)
    assert daemon.start().code == 0


def test_nothing_is_done_while_nothing_happens(daemon: Daemon) -> None:
    """A descriptor that nobody reads, such as that of a report that has ended, would keep the master awake."""
    daemon.start(workers=2)
    before, end = cpu_ticks(daemon.master), time.monotonic() + 0.3
    while time.monotonic() < end:
        assert cpu_ticks(daemon.master) <= before + 2


def cpu_ticks(pid: int) -> int:
    """utime and stime of proc(5), in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
