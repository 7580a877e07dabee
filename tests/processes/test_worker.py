"""Worker processes: birth, requests, and every way to end."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import proc
from tests.deadlines import wait_for
from tests.functional.gate import Gates
from tests.processes.worker_side import WorkerSide
from tests.unit.worker.dispatcher_side import a_request
from wsgid.channel import frames
from wsgid.channel.frames import Hello, Kind, Role
from wsgid.posts import DUMP_SIGNAL, EXIT_LOAD_FAILED

Start = Callable[..., WorkerSide]

HELLO = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""

GATED = """
import os

def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    if name:
        with open(os.environ["GATES"] + "/" + name, "rb") as gate:
            gate.read()
        print("through the gate", file=environ["wsgi.errors"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"passed " + name.encode()]
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a worker that has this code in its ``app/wsgi.py``."""
    started: list[WorkerSide] = []

    def start(code: str = HELLO, **options: Any) -> WorkerSide:
        worker = WorkerSide(tmp_path, code, **options)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.close()


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[Gates]:
    gates = Gates(tmp_path / "gates")
    yield gates
    gates.close()


# Birth.


def test_a_worker_calls_when_the_application_is_loaded_and_serves(start: Start) -> None:
    worker = start()
    called = worker.accept()
    assert called.control.hello == Hello(worker.pid, Role.CONTROL, 0, 1)
    [channel] = called.channels
    assert channel.hello is not None
    assert channel.hello == Hello(worker.pid, Role.CHANNEL, 0, 1, identifier=channel.hello.identifier)
    for number in range(3):
        assert channel.serve(a_request(id=str(number))).body == b"hello"
    assert os.read(worker.report, 1) == b""  # closed, with nothing to report


def test_the_control_connection_comes_before_the_first_channel(start: Start) -> None:
    worker = start(threads=4)
    first = worker.listener.accept()
    assert first.hello == Hello(worker.pid, Role.CONTROL, 0, 4)
    assert sorted(worker.listener.accept().hello.thread for _ in range(4)) == [0, 1, 2, 3]  # type: ignore[union-attr]


def test_the_application_has_its_folder_and_its_variables(start: Start, tmp_path: Path) -> None:
    code = """
import os, sys
AT_IMPORT = os.environ["COLOUR"], os.getcwd()

def application(environ, start_response):
    assert AT_IMPORT == (os.environ["COLOUR"], os.getcwd())
    print("to wsgi.errors", file=environ["wsgi.errors"])
    start_response("200 OK", [])
    return [repr((*AT_IMPORT, environ["wsgi.multithread"])).encode()]
"""
    worker = start(code, envs={"COLOUR": "blue"}, detached=True)
    answered = worker.accept().channels[0].serve(a_request())
    assert answered.body.decode() == repr(("blue", str(tmp_path), False))
    wait_for(lambda: f"ERROR worker[{worker.pid}] request r1: to wsgi.errors\n" in worker.log, "the line")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_module_at_all", ["wsgi.py, line 1", "ModuleNotFoundError", "no_such_module_at_all"]),
        ("x = 1\nthis is no python", ["wsgi.py, line 2", "SyntaxError"]),
        ("raise SystemExit(7)", ["SystemExit"]),
        ("raise KeyboardInterrupt", ["KeyboardInterrupt"]),
        ("raise BaseException(5)", ["wsgi.py", "BaseException: 5"]),
        ("raise ValueError('long ' * 50_000)", ["ValueError: " + "long " * 50_000]),
    ],
)
def test_an_application_that_cannot_be_loaded_is_reported_in_full(start: Start, code: str, words: list[str]) -> None:
    worker = start(code + HELLO)
    with open(worker.report, "rb", closefd=False) as report:
        reported = report.read().decode()
    assert worker.wait() == EXIT_LOAD_FAILED
    assert [word for word in words if word not in reported] == []
    assert reported in worker.log
    worker.listener.sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        worker.listener.sock.accept()


def test_a_master_that_does_not_listen_changes_nothing(start: Start) -> None:
    worker = start("raise ValueError('long ' * 50_000)" + HELLO)
    os.close(worker.report)
    worker.report = -1
    assert worker.wait() == EXIT_LOAD_FAILED


def test_sigterm_while_loading_ends_it_at_once(start: Start, gates: Gates) -> None:
    gate = gates.make("import")
    worker = start(f"open(__import__('os').environ['GATES'] + '/{gate}').read()\n{HELLO}", envs=gates.env)
    gates.wait_until_held(gate)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == -signal.SIGTERM


def test_a_worker_may_come_before_its_dispatcher(start: Start) -> None:
    worker = start(listen=False)
    wait_for(lambda: "is loaded" in worker.log, "the application")
    worker.listener.open()
    assert worker.accept().channels[0].serve(a_request()).body == b"hello"


# Ctrl-C.


def test_ctrl_c_means_nothing_to_a_worker(start: Start, gates: Gates) -> None:
    gate = gates.make("import")
    worker = start(f"open(__import__('os').environ['GATES'] + '/{gate}').read()\n{GATED}", envs=gates.env)
    gates.wait_until_held(gate)
    worker.signal(signal.SIGINT)
    gates.release(gate)
    [channel] = worker.accept().channels
    worker.signal(signal.SIGINT)
    gate = gates.make("request")
    channel.ask(a_request(path="/request"))
    gates.wait_until_held(gate)
    worker.signal(signal.SIGINT)
    gates.release(gate)
    assert channel.answer().body == b"passed request"


def test_ctrl_c_ends_the_programs_that_the_application_starts(start: Start) -> None:
    code = """
import signal, subprocess

def application(environ, start_response):
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        program.stdin.write(b"x")
        program.stdin.flush()
        program.stdout.read(1)
        program.send_signal(signal.SIGINT)
        code = program.wait()
    start_response("200 OK", [])
    return [str(code).encode()]
"""
    assert start(code).accept().channels[0].serve(a_request()).body == str(-signal.SIGINT).encode()


# The end, as it should be.


def test_sigterm_to_an_idle_worker(start: Start) -> None:
    worker = start()
    called = worker.accept()
    worker.signal(signal.SIGTERM)
    worker.signal(signal.SIGTERM)
    assert called.control.frame() == (Kind.LEAVING, b"")
    called.channels[0].release()
    assert called.control.at_end()  # LEAVING came once
    assert worker.wait() == 0
    assert "leaving: told to by SIGTERM" in worker.log


def test_sigterm_to_a_busy_worker_waits_for_its_answer(start: Start, gates: Gates) -> None:
    worker = start(GATED, envs=gates.env)
    called = worker.accept()
    gate = gates.make("a")
    called.channels[0].ask(a_request(path="/a"))
    gates.wait_until_held(gate)
    worker.signal(signal.SIGTERM)
    assert called.control.frame() == (Kind.LEAVING, b"")
    gates.release(gate)
    assert called.channels[0].answer().body == b"passed a"
    called.channels[0].release()
    assert worker.wait() == 0


EVENT_LOOP = """
import os, signal, select

def application(environ, start_response):
    signal.set_wakeup_fd(-1)
    gate = os.open(os.environ["GATES"] + environ["PATH_INFO"], os.O_RDONLY)
    # It wakes up now and then, as an event loop does: a signal that comes just before a wait is heard after it.
    while not select.select([gate], [], [], 0.01)[0]:
        continue
    os.close(gate)
    start_response("200 OK", [])
    return [b"passed"]
"""


def test_signals_are_heard_also_when_the_application_has_taken_the_wakeup_descriptor(
    start: Start, gates: Gates
) -> None:
    worker = start(EVENT_LOOP, envs=gates.env, detached=True)
    called = worker.accept()
    gate = gates.make("a")
    called.channels[0].ask(a_request(path="/a"))
    gates.wait_until_held(gate)
    move_log(worker)
    worker.signal(signal.SIGUSR1)
    wait_for_new_log(worker)
    worker.signal(signal.SIGTERM)
    assert called.control.frame() == (Kind.LEAVING, b"")
    gates.release(gate)
    assert called.channels[0].answer().body == b"passed"


# Logs and stacks.


def move_log(worker: WorkerSide) -> Path:
    return worker.log_file.rename(worker.log_file.with_suffix(".old"))


def wait_for_new_log(worker: WorkerSide) -> str:
    return wait_for(lambda: worker.log if worker.log_file.exists() else None, "the new log")


def test_sigusr1_reopens_the_log(start: Start, gates: Gates) -> None:
    worker = start(GATED, envs=gates.env, detached=True)
    [channel] = worker.accept().channels
    before = worker.count_descriptors()
    gate = gates.make("a")
    channel.ask(a_request(path="/a"))
    gates.wait_until_held(gate)
    old = move_log(worker)
    said = old.read_text()
    worker.signal(signal.SIGUSR1)
    assert "the log is reopened" in wait_for_new_log(worker)
    gates.release(gate)
    assert channel.answer().body == b"passed a"
    wait_for(lambda: "through the gate" in worker.log, "what the application prints")
    assert old.read_text() == said
    # The gate has been closed, and the signal, which is heard twice, has been heard again.
    wait_for(lambda: worker.count_descriptors() == before, "nothing more to be open than before")
    assert worker.log.count("the log is reopened") == 1


def test_sigusr1_while_loading_is_heard_when_the_application_is_loaded(start: Start, gates: Gates) -> None:
    gate = gates.make("import")
    code = f"open(__import__('os').environ['GATES'] + '/{gate}').read()\n{HELLO}"
    worker = start(code, envs=gates.env, detached=True)
    gates.wait_until_held(gate)
    move_log(worker)
    worker.signal(signal.SIGUSR1)
    gates.release(gate)
    wait_for_new_log(worker)
    assert worker.accept().channels[0].serve(a_request()).body == b"hello"


def test_sigusr1_belongs_to_an_application_that_takes_it(start: Start) -> None:
    code = """
import signal
heard = []
signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))

def application(environ, start_response):
    signal.raise_signal(signal.SIGUSR1)
    start_response("200 OK", [])
    return [repr(len(heard)).encode()]
"""
    assert start(code).accept().channels[0].serve(a_request()).body == b"1"


STUCK = """
import os, re, threading

def stuck_in_c():
    with open(os.environ["GATES"] + "/c", "rb"):
        pass
    re.fullmatch("(a+)+b", "a" * 64)  # holds the interpreter lock for years

def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    if name == "c":
        stuck_in_c()
    with open(os.environ["GATES"] + "/" + name, "rb") as gate:
        gate.read()
    start_response("200 OK", [])
    return [b"passed"]
"""


def test_the_stacks_of_all_threads_are_written_down(start: Start, gates: Gates) -> None:
    worker = start(STUCK, envs=gates.env, threads=2, detached=True)
    called = worker.accept()
    gate = gates.make("a")
    called.channels[1].ask(a_request(path="/a"))
    gates.wait_until_held(gate)
    worker.signal(DUMP_SIGNAL)
    wait_for(lambda: worker.stacks.count("Thread 0x") + worker.stacks.count("Current thread 0x") == 3, "three stacks")
    wait_for(lambda: "in application" in worker.stacks, "the thread of the request")
    main_thread = "the main thread, which is the last"
    wait_for(lambda: "in take_requests" in worker.stacks.rpartition("hread 0x")[2], main_thread)
    assert "hread 0x" not in worker.log, "which others write to at the same time"
    gates.release(gate)
    assert called.channels[1].answer().body == b"passed"


def test_the_stacks_come_also_while_a_thread_holds_the_interpreter_lock(start: Start, gates: Gates) -> None:
    worker = start(STUCK, envs=gates.env, detached=True)
    gate = gates.make("c")
    worker.accept().channels[0].ask(a_request(path="/c"))
    gates.release(gate)

    def has_stacks() -> bool:
        # One that comes before the thread is in the regular expression says so.
        worker.signal(DUMP_SIGNAL)
        return "in fullmatch" in worker.stacks and "in stuck_in_c" in worker.stacks

    wait_for(has_stacks, "the stack of the thread")


def test_the_stacks_of_an_import_that_hangs(start: Start, gates: Gates) -> None:
    gate = gates.make("import")
    code = f"import os\ndef hang():\n    open(os.environ['GATES'] + '/{gate}').read()\nhang()\n{HELLO}"
    worker = start(code, envs=gates.env, detached=True)
    gates.wait_until_held(gate)
    worker.signal(DUMP_SIGNAL)
    wait_for(lambda: 'wsgi.py", line 3 in hang' in worker.stacks, "the stack of the import")
    gates.release(gate)
    worker.accept()


def test_a_worker_that_crashes_leaves_its_stacks(start: Start) -> None:
    code = """
import ctypes

def application(environ, start_response):
    ctypes.string_at(0)
"""
    worker = start(code, detached=True)
    worker.accept().channels[0].ask(a_request())
    assert worker.wait() == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in worker.stacks
    assert "in application" in worker.stacks


# Requests that have taken too long.

SLOW = """
import os, threading, time
tidied = []

def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    if name == "loop":
        try:
            with open(os.environ["GATES"] + "/loop", "rb"):
                pass
            while True:
                time.sleep(0.001)
        except Exception:
            tidied.append("caught")
        finally:
            tidied.append("tidied")
    elif name:
        with open(os.environ["GATES"] + "/" + name, "rb") as gate:
            gate.read()
        while name == "wait":
            time.sleep(0.001)
    start_response("200 OK", [])
    return [",".join(tidied).encode()]
"""


def test_a_request_that_has_taken_too_long_is_interrupted_and_no_other(start: Start, gates: Gates) -> None:
    worker = start(SLOW, envs=gates.env, threads=2)
    called = worker.accept()
    looping, waiting = called.channels
    for name in ("loop", "other"):
        gates.make(name)
    looping.ask(a_request(id="r1", path="/loop", target="/loop"))
    waiting.ask(a_request(id="r2", path="/other"))
    gates.wait_until_held("other")
    gates.release("loop")
    called.control.sock.sendall(frames.interrupt("r1"))
    assert looping.answer().status == "500 Internal Server Error"
    gates.release("other")
    answered = waiting.answer()
    assert (answered.status, answered.body) == ("200 OK", b"tidied")
    wait_for(lambda: "request r1 is to end: its thread 0x" in worker.log, "the line of the interruption")
    assert "GET /loop (request r1): the application was interrupted, the answer is given up" in worker.log


ALIKE = """
import os, time

def application(environ, start_response):
    client_gone, name = environ["wsgid.client_gone"], environ["PATH_INFO"].strip("/")
    if name == "left":
        while not client_gone():
            time.sleep(0.001)
    else:
        with open(os.environ["GATES"] + "/" + name, "rb") as gate:
            gate.read()
    while name == "late":
        time.sleep(0.001)
    start_response("200 OK", [])
    return [b"gone" if client_gone() else b"here"]
"""


def test_requests_of_one_id_are_told_apart_by_their_keys(start: Start, gates: Gates) -> None:
    """The id may be a front end's, which may give one twice."""
    worker = start(ALIKE, envs=gates.env, threads=3)
    called = worker.accept()
    names = ("late", "left", "good")
    for channel, name in zip(called.channels, names, strict=True):
        gates.make(name)
        channel.ask(a_request(key=name, id="same", path=f"/{name}"))
    late, left, good = called.channels
    gates.wait_until_held("late")
    gates.wait_until_held("good")
    called.control.sock.sendall(frames.client_gone("left"))
    assert left.answer().body == b"gone"
    # Only now: while the exception waits for a thread in C, CPython 3.11 lets none go on that coverage traces.
    called.control.sock.sendall(frames.interrupt("late"))
    wait_for(lambda: "request same is to end: its thread 0x" in worker.log, "the line of the interruption")
    gates.release("late")
    assert late.answer().status == "500 Internal Server Error"
    gates.release("good")
    assert good.answer().body == b"here"


def test_a_thread_that_waits_in_c_is_interrupted_when_it_is_back(start: Start, gates: Gates) -> None:
    worker = start(SLOW, envs=gates.env)
    called = worker.accept()
    gates.make("wait")
    called.channels[0].ask(a_request(id="r1", path="/wait"))
    gates.wait_until_held("wait")
    gates.wait_until_reading("wait")
    called.control.sock.sendall(frames.interrupt("r1"))
    wait_for(lambda: "its thread 0x" in worker.log, "the interruption")
    assert "given up" not in worker.log
    gates.release("wait")
    assert called.channels[0].answer().status == "500 Internal Server Error"
    assert called.channels[0].serve(a_request(id="r2")).status == "200 OK"


def test_the_masters_death_ends_a_worker_by_way_of_the_dispatcher(start: Start, gates: Gates) -> None:
    worker = start(GATED, envs=gates.env)
    called = worker.accept()
    gate = gates.make("a")
    called.channels[0].ask(a_request(path="/a"))
    gates.wait_until_held(gate)
    worker.master_dies()
    assert called.control.frame() == (Kind.LEAVING, b"")
    gates.release(gate)
    assert called.channels[0].answer().body == b"passed a"
    called.channels[0].release()
    assert worker.wait() == 0
    assert "leaving: the master is gone" in worker.log


def test_the_masters_death_ends_a_worker_without_a_dispatcher(start: Start) -> None:
    worker = start(listen=False)
    wait_for(lambda: "is loaded" in worker.log, "the application")
    worker.master_dies()
    assert worker.wait() == 0


def test_the_death_of_dispatcher_and_master_ends_a_worker(start: Start) -> None:
    worker = start()
    worker.accept()
    worker.listener.die()
    worker.master_dies()
    assert worker.wait() == 0


# The dispatcher's death.


def test_a_worker_outlives_its_dispatcher(start: Start) -> None:
    worker = start(threads=2)
    for number in range(3):
        for channel in worker.accept().channels:
            assert channel.serve(a_request(id=str(number))).body == b"hello"
        worker.listener.die()
        worker.listener.open()


def test_an_answer_without_a_dispatcher_is_dropped(start: Start, gates: Gates) -> None:
    worker = start(GATED, envs=gates.env)
    gate = gates.make("a")
    worker.accept().channels[0].ask(a_request(id="r4", method="PUT", path="/a", target="/a?b"))
    gates.wait_until_held(gate)
    worker.listener.die()
    worker.listener.open()
    gates.release(gate)
    assert worker.accept().channels[0].serve(a_request()).body == b"passed "
    assert "PUT /a?b (request r4): the dispatcher died before the answer had ended, which is dropped" in worker.log


def test_a_worker_that_is_told_to_leave_while_its_dispatcher_is_dead(start: Start, gates: Gates) -> None:
    worker = start(GATED, envs=gates.env)
    gate = gates.make("a")
    worker.accept().channels[0].ask(a_request(path="/a"))
    gates.wait_until_held(gate)
    worker.listener.die()
    worker.signal(signal.SIGTERM)
    wait_for(lambda: "leaving" in worker.log, "the signal")
    gates.release(gate)
    assert worker.wait() == 0


# Clients that leave.

ENDLESS = """
closed = []

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/closed":
        return [repr(closed).encode()]
    return Endless(environ["wsgid.request_id"])

class Endless:
    def __init__(self, id):
        self.id = id

    def __iter__(self):
        while True:
            yield b"tick"

    def close(self):
        closed.append(self.id)
"""

STREAMED = """
import os
endless = application

def application(environ, start_response):
    if environ["PATH_INFO"] != "/a":
        return endless(environ, start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return streamed()

def streamed():
    with open(os.environ["GATES"] + "/a", "rb") as gate:
        gate.read()
    yield b"passed "
    yield b"a"
"""


def test_an_endless_answer_ends_when_its_client_has_left(start: Start) -> None:
    called = start(ENDLESS).accept()
    [channel] = called.channels
    channel.ask(a_request(id="r1"))
    assert [channel.frame() for _ in range(3)][1:] == [(Kind.PART, b"tick")] * 2
    called.control.sock.sendall(frames.client_gone("r1"))
    while (kind := channel.frame()[0]) is Kind.PART:
        continue
    assert (kind, channel.frame()[0]) == (Kind.CUT, Kind.DONE)
    assert channel.serve(a_request(id="r2", path="/closed")).body == b"['r1']"


def test_a_client_that_left_before_is_not_taken_for_the_next(start: Start, gates: Gates) -> None:
    called = start(ENDLESS + STREAMED, envs=gates.env).accept()
    [channel] = called.channels
    channel.ask(a_request(id="r1"))
    channel.frame()
    called.control.sock.sendall(frames.client_gone("r1"))
    while channel.frame()[0] is not Kind.DONE:
        continue
    gate = gates.make("a")
    channel.ask(a_request(id="r2", path="/a"))
    gates.wait_until_held(gate)
    called.control.sock.sendall(frames.client_gone("r1") + frames.client_gone("r"))
    gates.release(gate)
    answered = channel.answer()
    assert (answered.whole, answered.body) == (True, b"passed a")


def test_the_word_may_come_before_the_request(start: Start) -> None:
    called = start(ENDLESS, threads=2).accept()
    called.control.sock.sendall(frames.client_gone("r1"))
    # Heard, when a request that is asked later and told later has ended.
    called.channels[1].ask(a_request(id="r0"))
    called.channels[1].frame()
    called.control.sock.sendall(frames.client_gone("r0"))
    while called.channels[1].frame()[0] is not Kind.DONE:
        continue
    assert called.channels[0].serve(a_request(id="r1")).parts == [b"tick"]


# Threads.


def test_four_threads_serve_four_requests_at_once(start: Start, gates: Gates) -> None:
    worker = start(GATED, envs=gates.env, threads=4)
    called = worker.accept()
    for number, channel in enumerate(called.channels):
        gates.make(f"g{number}")
        channel.ask(a_request(id=str(number), path=f"/g{number}"))
    for number in range(4):
        gates.wait_until_held(f"g{number}")
    for number in (2, 0, 3, 1):
        gates.release(f"g{number}")
        assert called.channels[number].answer().body == b"passed g%d" % number
    worker.signal(signal.SIGTERM)
    assert called.control.frame() == (Kind.LEAVING, b"")
    for channel in called.channels:
        channel.release()
    assert worker.wait() == 0


def test_a_worker_ends_with_the_last_of_its_threads(start: Start, gates: Gates) -> None:
    worker = start(GATED, envs=gates.env, threads=2, detached=True)
    called = worker.accept()
    gate = gates.make("a")
    called.channels[1].ask(a_request(path="/a"))
    gates.wait_until_held(gate)
    worker.signal(signal.SIGTERM)
    assert called.control.frame() == (Kind.LEAVING, b"")
    called.channels[0].release()
    assert called.channels[0].at_end()  # the main thread has nothing more to do
    gates.release(gate)
    assert called.channels[1].answer().body == b"passed a"
    called.channels[1].release()
    assert worker.wait() == 0
    assert worker.log.index("through the gate") < worker.log.index("] left")


def test_the_first_thread_is_the_main_thread(start: Start) -> None:
    code = """
import threading

def application(environ, start_response):
    start_response("200 OK", [])
    is_main = threading.current_thread() is threading.main_thread()
    return [str((is_main, environ["wsgi.multithread"])).encode()]
"""
    called = start(code, threads=2).accept()
    assert called.channels[0].serve(a_request()).body == b"(True, True)"
    assert called.channels[1].serve(a_request()).body == b"(False, True)"


# Descriptors.

UPLOAD = """
kept = []

def application(environ, start_response):
    kept[:] = [environ["wsgi.input"]]
    if environ["PATH_INFO"] == "/fail":
        raise ValueError
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read()]
"""


def test_bodies_in_files_leave_nothing_open(start: Start, tmp_path: Path) -> None:
    worker = start(UPLOAD)
    [channel] = worker.accept().channels
    file = tmp_path / "body"
    file.write_bytes(b"x" * 100_000 + b"the next request")
    channel.serve(a_request())
    before = worker.descriptors()
    with file.open("rb") as body:
        for path in ("/", "/fail", "/"):
            request = a_request(method="POST", path=path, content_length=100_000, body_in_file=True)
            answered = channel.serve(request, body.fileno())
            assert answered.body == (b"x" * 100_000 if path == "/" else b"Internal Server Error\n")
    channel.serve(a_request())  # the one before has ended entirely
    assert worker.descriptors() == before
    assert not [line for line in before if str(file) in line]


def test_descriptors_that_break_the_rules_leave_nothing_open(start: Start, tmp_path: Path) -> None:
    worker = start(UPLOAD)
    [channel] = worker.accept().channels
    channel.serve(a_request())
    before = worker.descriptors()
    with (tmp_path / "body").open("wb") as body:
        for count in (1, 2, 3):
            channel.ask(a_request(), *[body.fileno()] * count)
            assert channel.at_end()
            channel = worker.listener.accept()
            channel.serve(a_request())
            now = worker.descriptors()
            assert len(now) == len(before)
            assert not [line for line in now if "body" in line]


# Processes that the application forks.

FORKING = """
import multiprocessing, os, signal

fork = multiprocessing.get_context("fork")

def application(environ, start_response):
    if environ["PATH_INFO"] == "/endless":
        start_response("200 OK", [])
        return iter(lambda: b"tick", None)
    if environ["PATH_INFO"] == "/terminate":
        child = fork.Process(target=signal.pause)
        child.start()
        child.terminate()
        child.join()
        body = str(child.exitcode)
    elif environ["PATH_INFO"] == "/stay":
        child = os.fork()
        if not child:
            signal.pause()
        body = str(child)
    else:
        child = os.fork()
        body = "come back"
        if child:
            os.waitpid(child, 0)
    start_response("200 OK", [])
    return [body.encode()]
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_process_can_be_terminated_and_the_worker_is_not(start: Start, threads: int) -> None:
    called = start(FORKING, threads=threads).accept()
    channel = called.channels[-1]
    assert channel.serve(a_request(path="/terminate")).body == str(-signal.SIGTERM).encode()
    # Whatever the control thread had heard of the signal it would have said before it hears this.
    channel.ask(a_request(id="r2", path="/endless"))
    called.control.sock.sendall(frames.client_gone("r2"))
    channel.answer()
    called.control.sock.settimeout(0)
    with pytest.raises(BlockingIOError):
        called.control.frame()


def test_the_death_of_a_worker_is_seen_though_a_process_that_it_forked_lives(start: Start) -> None:
    worker = start(FORKING)
    called = worker.accept()
    child = int(called.channels[0].serve(a_request(path="/stay")).body)
    worker.signal(signal.SIGKILL)
    assert called.channels[0].at_end()
    assert called.control.at_end()
    assert proc.alive(child)
    os.kill(child, signal.SIGKILL)


def test_a_forked_process_keeps_the_handlers_of_the_application(start: Start) -> None:
    code = """
import os, signal

def application(environ, start_response):
    def handler(signum, frame):
        os._exit(5)

    read_end, write_end = os.pipe2(os.O_NONBLOCK)
    signal.signal(signal.SIGTERM, handler)
    signal.set_wakeup_fd(write_end)
    child = os.fork()
    if not child:
        if signal.set_wakeup_fd(write_end) == write_end:
            signal.raise_signal(signal.SIGTERM)
        os._exit(6)
    status = os.waitpid(child, 0)[1]
    start_response("200 OK", [])
    return [str(os.waitstatus_to_exitcode(status)).encode()]
"""
    assert start(code).accept().channels[0].serve(a_request()).body == b"5"


def test_sigterm_that_finds_the_pipe_full_does_not_harm_the_request(start: Start) -> None:
    code = """
import os, signal

def application(environ, start_response):
    ours = signal.set_wakeup_fd(-1)
    read_end, write_end = os.pipe2(os.O_NONBLOCK)
    try:
        while True:
            os.write(write_end, bytes(65536))
    except BlockingIOError:
        os.dup2(write_end, ours, inheritable=False)
    signal.set_wakeup_fd(ours, warn_on_full_buffer=False)
    signal.raise_signal(signal.SIGTERM)
    start_response("200 OK", [])
    return [b"unharmed"]
"""
    worker = start(code)
    called = worker.accept()
    assert called.channels[0].serve(a_request()).body == b"unharmed"
    worker.master_dies()
    assert called.control.frame() == (Kind.LEAVING, b"")
    called.channels[0].release()
    assert worker.wait() == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_process_that_comes_back_is_no_worker(start: Start, threads: int) -> None:
    worker = start(FORKING, threads=threads)
    channel = worker.accept().channels[-1]
    answered = channel.serve(a_request(path="/back"))
    assert answered.kinds == [Kind.ANSWER]
    assert channel.serve(a_request(path="/back")).body == b"come back"
    assert "a process that the application forked came back" in worker.log
    worker.listener.sock.settimeout(0)
    with pytest.raises(BlockingIOError):
        worker.listener.sock.accept()


def test_writing_to_a_closed_connection_is_an_error_and_not_the_end(start: Start) -> None:
    code = """
import socket

def application(environ, start_response):
    ours, theirs = socket.socketpair()
    theirs.close()
    try:
        ours.send(b"x")
    except BrokenPipeError:
        start_response("200 OK", [])
    ours.close()
    return []
"""
    worker = start(code)
    assert worker.accept().channels[0].serve(a_request()).status == "200 OK"
