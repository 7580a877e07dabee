"""A daemon whose dispatcher and workers only do as they are told: the real master with the smallest of children.

``python -m tests.processes.master_side FOLDER OPTIONS`` runs it on the app folder FOLDER with these options, a JSON
object. What a child does is the word in ``FOLDER/app/dispatcher`` or ``FOLDER/app/worker`` at the time it is born, so
that tests can "deploy" another behaviour. What happens in the children is written to ``FOLDER/journal``, a line each:
monotonic time, pid, words.
"""

import errno
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

from tests import proc
from wsgid.channel.orders import (
    MAX_ORDER,
    Drain,
    Drained,
    Exit,
    FromDispatcher,
    Listening,
    WorkerDied,
    WorkerReady,
    decode_from_master,
    encode,
)
from wsgid.config import Config
from wsgid.master import plan
from wsgid.master.facts import Fact, MeaninglessSignal
from wsgid.master.main import run_master
from wsgid.master.state import State
from wsgid.posts import CHANNEL_SOCKET, EXIT_LOAD_FAILED, DispatcherPost, WorkerPost

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
    fake = Dispatcher(post, deaf=word == "deaf")
    try:
        return fake.serve()
    finally:
        fake.close()


class Dispatcher:
    """Any worker that calls is ready. Busy, that is with a request in progress, while there is a file ``busy``."""

    def __init__(self, post: DispatcherPost, *, deaf: bool) -> None:
        self.config, self.orders, self.deaf = post.config, post.orders, deaf
        self.draining = False
        Path(channel(post.run_dir)).unlink(missing_ok=True)
        self.calls = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.calls.bind(channel(post.run_dir))
        self.calls.listen()
        self.workers: list[socket.socket] = []
        self.say(Listening([str(listener.getsockname()) for listener in post.listeners]))

    def serve(self) -> int:
        while True:
            ready, _, _ = select.select([self.orders, self.calls], [], [], POLL / 1000 if self.draining else None)
            if self.calls in ready:
                self.take_call()
            if self.orders in ready and (code := self.obey()) is not None:
                return code
            if self.draining and not (self.config.app_path / "busy").exists():
                self.draining = False
                self.say(Drained(0))

    def take_call(self) -> None:
        call, _ = self.calls.accept()
        self.workers.append(call)
        if pid := call.recv(20):
            self.say(WorkerReady(int(pid)))

    def obey(self) -> int | None:
        packet = self.orders.recv(MAX_ORDER)
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
            case WorkerDied() | Drain() | Exit():
                pass  # the journal has it
        return None

    def say(self, what: FromDispatcher) -> None:
        self.orders.send(encode(what))

    def close(self) -> None:
        for each in (self.calls, *self.workers):
            each.close()


# A worker


def worker(post: WorkerPost) -> int:
    config, word = post.config, behaviour(post.config, "worker")
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
            signal.pause()
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
            if post.lifeline in ready:
                return "orphaned"
        select.select([told], [], [], POLL / 1000)


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

    def mistaken(state: State, facts: Iterable[Fact], now: float) -> plan.Step:
        if MeaninglessSignal("SIGUSR2") in facts:
            raise ZeroDivisionError("a mistake")
        return decide(state, facts, now)

    plan.decide = mistaken


def main() -> int:
    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    plan.KILL_AFTER = options.pop("kill_after", plan.KILL_AFTER)
    plan.DRAIN_MARGIN = options.pop("drain_margin", plan.DRAIN_MARGIN)
    if "forks" in options:
        fail_after_forks(options.pop("forks"))
    if options.pop("interrupt", False):
        interrupt_the_middle_one()
    if options.pop("init", False):
        proc.adopt_orphans()
    if options.pop("mistake", False):
        make_a_mistake_at_sigusr2()
    options["bind"] = tuple(options.get("bind", ()))
    warnings = options.pop("warnings", [])
    return run_master(Config(app_path=folder, **options), warnings, dispatcher=dispatcher, worker=worker)


if __name__ == "__main__":
    sys.exit(main())
