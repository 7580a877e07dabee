"""A daemon whose dispatcher and workers only do as they are told: the real master with the smallest of children.

``python -m tests.processes.master_side FOLDER OPTIONS`` runs it on the app folder FOLDER with these options, a JSON
object. What a child does is the word in ``FOLDER/app/dispatcher`` or ``FOLDER/app/worker`` at the time it is born, so
that tests can "deploy" another behaviour. ``FOLDER/options.json`` holds the options that a restart reads. A line in
``FOLDER/say`` is what the dispatcher says next, ``WornOut 1234`` for one. What happens in the children is written to
``FOLDER/journal``, a line each: monotonic time, pid, words.
"""

import errno
import json
import math
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from tests import proc
from wsgid.channel.orders import (
    HEARTBEAT,
    MAX_ORDER,
    Alive,
    Drain,
    Drained,
    Exit,
    FromDispatcher,
    Hung,
    Listening,
    RestartWanted,
    Retire,
    SizesWanted,
    Spent,
    WorkerDied,
    WorkerLeaving,
    WorkerReady,
    WornOut,
    decode_from_master,
    encode,
)
from wsgid.config import Config
from wsgid.config_sources import ConfigError, Loaded
from wsgid.master import plan, silence, stopping
from wsgid.master.facts import Fact, MeaninglessSignal
from wsgid.master.main import run_master
from wsgid.master.proc_files import ProcFiles
from wsgid.master.state import State
from wsgid.master.steps import Step
from wsgid.posts import CHANNEL_SOCKET, DUMP_SIGNAL, EXIT_LOAD_FAILED, DispatcherPost, WorkerPost

GROWN = 100 * 1024 * 1024
"""Bytes that a worker holds which does as the word "grow" says."""

POLL = 5
"""Milliseconds between two looks at a file, or two calls for a dispatcher."""


def journal(config: Config, *words: object) -> None:
    line = " ".join([str(time.monotonic()), str(os.getpid()), *map(str, words)])
    file = os.open(config.app_path / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def behaviour(config: Config, role: str) -> str:
    word = (config.app_path / "app" / role).read_text().strip()
    journal(config, role, "born to", word)
    return word


def channel(run_dir: int) -> str:
    return f"/proc/self/fd/{run_dir}/{CHANNEL_SOCKET}"


# The dispatcher


def dispatcher(post: DispatcherPost) -> int:
    word = behaviour(post.config, "dispatcher")
    match word:
        case "exit":
            return 9
        case "raise":
            raise OSError("no such endpoint")
        case "babble":
            post.orders.send(b"\xc1")
        case "hang":
            signal.pause()
    if word == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, lambda number, frame: journal(post.config, "dispatcher reopens"))
    signal.signal(signal.SIGABRT, lambda number, frame: _give_up(post))
    fake = Dispatcher(post, deaf=word == "deaf", mute=word == "mute")
    try:
        return fake.serve()
    finally:
        fake.close()


def _give_up(post: DispatcherPost) -> None:
    os.write(post.stacks, b"Fatal Python error: Aborted\n\nStack of a dispatcher\n")
    journal(post.config, "dispatcher aborted")
    os._exit(1)


class Dispatcher:
    """Any worker that calls is ready. Busy, that is with a request in progress, while there is a file ``busy``."""

    def __init__(self, post: DispatcherPost, *, deaf: bool, mute: bool) -> None:
        self.config, self.orders, self.deaf, self.mute = post.config, post.orders, deaf, mute
        self.draining = False
        self.beat = 0.0
        Path(channel(post.run_dir)).unlink(missing_ok=True)
        self.calls = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.calls.bind(channel(post.run_dir))
        self.calls.listen()
        self.workers: dict[int, socket.socket] = {}
        self.say(Listening([str(listener.getsockname()) for listener in post.listeners]))

    def serve(self) -> int:
        while True:
            ready, _, _ = select.select([self.orders, self.calls], [], [], POLL / 1000)
            self.speak()
            if self.calls in ready:
                self.take_call()
            if self.orders in ready and (code := self.obey()) is not None:
                return code
            if self.draining and not (self.config.app_path / "busy").exists():
                self.draining = False
                self.say(Drained(0))

    def take_call(self) -> None:
        call, _ = self.calls.accept()
        if pid := call.recv(20):
            self.workers[int(pid)] = call
            self.say(WorkerReady(int(pid)))
        else:
            call.close()

    def speak(self) -> None:
        if time.monotonic() > self.beat:
            self.beat = time.monotonic() + HEARTBEAT
            self.say(Alive(0, 0))
            if self.mute:
                self.beat = math.inf
        words = self.config.app_path / "say"
        if words.exists():
            self.say(_message(*words.read_text().split()))
            words.unlink()

    def obey(self) -> int | None:
        try:
            packet = self.orders.recv(MAX_ORDER)
        except ConnectionError:
            packet = b""  # the master was killed before it had read all that was said: unix(7), ECONNRESET
        if not packet:
            journal(self.config, "dispatcher orphaned")
            return 0
        order = decode_from_master(packet)
        journal(self.config, "dispatcher hears", order)
        match order:
            case Drain() if not self.deaf:
                self.draining = True
            case Exit() if not self.deaf:
                return 0
            case Retire(pid) if pid in self.workers:
                _send(self.workers[pid], b"leave")
            case WorkerDied(pid):
                if call := self.workers.pop(pid, None):
                    call.close()
            case _:
                pass  # the journal has it
        return None

    def say(self, what: FromDispatcher) -> None:
        _send(self.orders, encode(what))

    def close(self) -> None:
        for each in (self.calls, *self.workers.values()):
            each.close()


def _send(connection: socket.socket, packet: bytes) -> None:
    try:
        connection.send(packet)
    except ConnectionError:
        # The other side was killed a moment ago. That it was the master `obey` finds at the end of the orders, and
        # journals; that it was a worker the master says, by `WorkerDied`.
        return


def _message(kind: str, pid: str = "0") -> FromDispatcher:
    said: dict[str, FromDispatcher] = {
        "RestartWanted": RestartWanted(),
        "SizesWanted": SizesWanted(),
        "WorkerLeaving": WorkerLeaving(int(pid)),
        "WornOut": WornOut(int(pid), "it has served 7 requests"),
        "Hung": Hung(int(pid), "GET /slow"),
        "Spent": Spent(int(pid)),
    }
    return said[kind]


# A worker


def worker(post: WorkerPost) -> int:
    config, word = post.config, behaviour(post.config, "worker")
    signal.signal(DUMP_SIGNAL, lambda number, frame: _dump(post))
    signal.signal(signal.SIGUSR1, lambda number, frame: journal(config, "worker reopens"))
    match word:
        case "fail to load":
            os.write(post.report, b"ImportError: no module named shop\n  in app/wsgi.py, line 3\n")
            return EXIT_LOAD_FAILED
        case "exit":
            return 7
        case "sys.exit":
            sys.exit(4)
        case "raise":
            raise RuntimeError("a worker's mistake")
        case "hang":
            while True:
                signal.pause()
        case "grow":
            held = bytearray(os.urandom(1)) * GROWN
            journal(config, "worker holds", len(held))
        case "leave an orphan":
            _leave_an_orphan(config)
        case "print":
            print("printed by the application")
            sys.stderr.write("complained by the application")
    os.close(post.report)
    told, tell = os.pipe()
    if word == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, _write_to(tell))
    why = _wait(post, told)
    journal(config, "worker", why)
    return 0


def _dump(post: WorkerPost) -> None:
    """In parts, as faulthandler."""
    for part in ("Stack of ", str(os.getpid()), "\n"):
        os.write(post.stacks, part.encode())
    journal(post.config, "worker dumps")


def _leave_an_orphan(config: Config) -> None:
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            journal(config, "grandchild")
        os._exit(0)
    os.waitpid(child, 0)


def _wait(post: WorkerPost, told: int) -> str:
    while True:
        with _call(post.run_dir) as call:
            ready, _, _ = select.select([call.fileno(), told, post.lifeline], [], [])
            if told in ready:
                return "told to leave"
            if call.fileno() in ready and _told_to_leave(call):
                return "retired"
            if post.lifeline in ready:
                return "orphaned"
        select.select([told], [], [], POLL / 1000)


def _told_to_leave(call: socket.socket) -> bool:
    try:
        return call.recv(10) == b"leave"
    except OSError:
        return False  # the dispatcher is gone: we call again


def _call(run_dir: int) -> socket.socket:
    call = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        call.connect(channel(run_dir))
        call.send(str(os.getpid()).encode())
    except OSError:
        pass  # no dispatcher at the moment: this socket says so at once, and we call again
    return call


def _write_to(pipe: int) -> Callable[[int, FrameType | None], None]:
    def write(number: int, frame: FrameType | None) -> None:
        os.write(pipe, b".")

    return write


# Accidents that cannot be had otherwise


def fail_after_forks(number: int) -> None:
    """As under a limit on processes, which does not hold for root. Forked processes count on."""
    fork, left = os.fork, number

    def limited() -> int:
        nonlocal left
        if left == 0:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        left -= 1
        return fork()

    os.fork = limited


def fail_after_memory_files(number: int) -> None:
    """As where the limit on descriptors is reached, which forking itself does not need."""
    create, left = os.memfd_create, number

    def limited(name: str, flags: int = os.MFD_CLOEXEC) -> int:
        nonlocal left
        if left == 0:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        left -= 1
        return create(name, flags)

    os.memfd_create = limited


def interrupt_the_middle_one() -> None:
    """Ctrl-C reaches all processes on the terminal: here one that has only just been forked."""
    done = False

    def interrupt() -> None:
        nonlocal done
        if not done:
            done = True
            os.kill(os.getpid(), signal.SIGINT)

    os.register_at_fork(after_in_child=interrupt)


def make_a_mistake_at_sigusr2() -> None:
    decide = plan.decide

    def mistaken(state: State, facts: Iterable[Fact], now: float) -> Step:
        if MeaninglessSignal("SIGUSR2") in facts:
            raise ZeroDivisionError("a mistake")
        return decide(state, facts, now)

    plan.decide = mistaken


def count_oom_kills_in(file: Path) -> None:
    def oom_kills(self: ProcFiles) -> int:
        return int(file.read_text()) if file.exists() else 0

    ProcFiles.oom_kills = oom_kills  # type: ignore[method-assign]  # the kernel would need a real one


def main() -> int:
    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    stopping.KILL_AFTER = options.pop("kill_after", stopping.KILL_AFTER)
    stopping.DRAIN_MARGIN = options.pop("drain_margin", stopping.DRAIN_MARGIN)
    silence.SILENCE = options.pop("silence", silence.SILENCE)
    if "forks" in options:
        fail_after_forks(options.pop("forks"))
    if "memory_files" in options:
        fail_after_memory_files(options.pop("memory_files"))
    if options.pop("interrupt", False):
        interrupt_the_middle_one()
    if options.pop("init", False):
        proc.adopt_orphans()
    if options.pop("mistake", False):
        make_a_mistake_at_sigusr2()
    if options.pop("oom", False):
        count_oom_kills_in(folder / "oom")
    warnings = options.pop("warnings", [])
    config = configured(folder, options)
    return run_master(config, warnings, dispatcher=dispatcher, worker=worker, reread=lambda: reread(folder, options))


def reread(folder: Path, options: dict[str, object]) -> Loaded:
    file = folder / "options.json"
    now: dict[str, object] = json.loads(file.read_text()) if file.exists() else {}
    if "wrong" in now:
        raise ConfigError([f"WSGID_WORKERS: {now['wrong']} is not a whole number"])
    return Loaded(configured(folder, {**options, **now}), {}, ["a warning"])


def configured(folder: Path, options: dict[str, Any]) -> Config:
    return Config(app_path=folder, **{**options, "bind": tuple(options.get("bind", ()))})


if __name__ == "__main__":
    sys.exit(main())
