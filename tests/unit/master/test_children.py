"""Forks of a fresh interpreter: a child of pytest would end with all that pytest does at its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wsgid.master.children import EXIT_CRASHED, words

ROOT = Path(__file__).parents[3]
PREAMBLE = """
import atexit, logging, os, select, signal, subprocess, sys
from wsgid.master.children import fork, reap

def live_and_die(life):
    pid = fork(life)
    status = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    (death,) = reap()
    assert death.pid == pid
    print(death.code, death.how)
"""


def run(code: str, tmp_path: Path) -> tuple[str, str]:
    """What it prints to its standard output and error; both are files, as buffers are then at their trickiest."""
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-W", "error", "-c", PREAMBLE + code]
    with open(tmp_path / "out", "wb") as out, open(tmp_path / "err", "wb") as err:
        subprocess.run(command, stdout=out, stderr=err, env=buffered, cwd=ROOT, check=True)
    return (tmp_path / "out").read_text(), (tmp_path / "err").read_text()


@pytest.mark.parametrize(
    ("life", "death"),
    [
        ("lambda: 0", "0 left"),
        ("lambda: 3", "3 exited with code 3"),
        ("lambda: sys.exit()", "0 left"),
        ("lambda: sys.exit(4)", "4 exited with code 4"),
        ("lambda: sys.exit(256 + 5)", "5 exited with code 5"),
        ("lambda: os._exit(6)", "6 exited with code 6"),
        ("lambda: os.kill(os.getpid(), signal.SIGKILL)", "-9 killed by SIGKILL"),
        ("lambda: os.kill(os.getpid(), signal.SIGTERM)", "-15 killed by SIGTERM"),
    ],
)
def test_how_a_child_ends(life: str, death: str, tmp_path: Path) -> None:
    assert run(f"live_and_die({life})", tmp_path) == (f"{death}\n", "")


def test_a_reason_to_exit_is_told(tmp_path: Path) -> None:
    out, err = run("live_and_die(lambda: sys.exit('enough'))", tmp_path)
    assert out == "1 exited with code 1\n"
    assert err.endswith(" ends: enough\n")


@pytest.mark.parametrize("error", ["ZeroDivisionError", "KeyboardInterrupt", "GeneratorExit"])
def test_an_exception_ends_the_child_and_nobody_else(error: str, tmp_path: Path) -> None:
    out, err = run(
        f"""
def life():
    raise {error}("by mistake")
try:
    live_and_die(life)
finally:
    print("only the parent gets here")
""",
        tmp_path,
    )
    assert out == f"{EXIT_CRASHED} exited with code {EXIT_CRASHED}\nonly the parent gets here\n"
    assert "ends over an error that nothing caught" in err
    assert err.endswith(f"{error}: by mistake\n")


def test_what_is_printed_comes_out_once(tmp_path: Path) -> None:
    out, err = run(
        """
print("parent")
print("parent's error", end=" ", file=sys.stderr)
def life():
    print("child")
    return 0
live_and_die(life)
""",
        tmp_path,
    )
    assert (out, err) == ("parent\nchild\n0 left\n", "parent's error ")


def test_a_child_that_closed_its_output_ends_well(tmp_path: Path) -> None:
    out, err = run(
        """
def life():
    sys.stdout.close()
    return 3
live_and_die(life)
""",
        tmp_path,
    )
    assert (out, err) == ("3 exited with code 3\n", "")


def test_output_that_nobody_takes_is_no_reason_not_to_fork(tmp_path: Path) -> None:
    """``wsgid --no-daemon | head -1``: at the next worker's turn the pipe is broken."""
    _, err = run(
        """
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 1)
print("into the void")
pid = fork(lambda: 3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=sys.stderr)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
""",
        tmp_path,
    )
    assert err == "3\n"


def test_what_was_registered_for_the_exit_is_done(tmp_path: Path) -> None:
    out, _ = run(
        """
def life():
    atexit.register(lambda: print("the application says goodbye"))
    return 0
live_and_die(life)
""",
        tmp_path,
    )
    assert out == "the application says goodbye\n0 left\n"


def test_signals_are_as_if_nobody_had_touched_them(tmp_path: Path) -> None:
    out, _ = run(
        """
signal.signal(signal.SIGTERM, lambda number, frame: print("the parent's handler"))
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
reader, writer = os.pipe2(os.O_NONBLOCK)
signal.set_wakeup_fd(writer)
def life():
    for each in (signal.SIGUSR1, signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), each)
    return 0
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
live_and_die(life)
signal.set_wakeup_fd(-1)
assert select.select([reader], [], [], 0)[0] == [], os.read(reader, 100)
def masked():
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == {signal.SIGUSR2}
    return 0
live_and_die(masked)
assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == {signal.SIGUSR2}
""",
        tmp_path,
    )
    assert out == "-15 killed by SIGTERM\n0 left\n"


def test_a_signal_right_after_the_fork_is_not_for_the_parents_handler(tmp_path: Path) -> None:
    out, _ = run(
        """
signal.signal(signal.SIGTERM, lambda number, frame: print("the parent's handler"))
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
live_and_die(lambda: 0)
""",
        tmp_path,
    )
    assert out == "-15 killed by SIGTERM\n"


def test_no_system_call_of_a_library_notices_ctrl_c(tmp_path: Path) -> None:
    """Python itself tries again after EINTR, a C library may not."""
    out, _ = run(
        r"""
import ctypes, pathlib
from tests.deadlines import wait_for
reader, writer = os.pipe()
begun, begin = os.pipe()
libc, byte = ctypes.CDLL(None), ctypes.create_string_buffer(1)
def life():
    os.write(begin, b".")
    return libc.read(reader, byte, 1) + 100
pid = fork(life)
os.read(begun, 1)
wait_for(lambda: ") S " in pathlib.Path(f"/proc/{pid}/stat").read_text(), "the child to read")
os.kill(pid, signal.SIGINT)
wait_for(lambda: "ShdPnd:\t0000000000000000" in pathlib.Path(f"/proc/{pid}/status").read_text(), "it to arrive")
os.write(writer, b".")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
        tmp_path,
    )
    assert out == "101\n"


def test_a_child_that_is_asked_for_its_stacks_too_early_lives_on(tmp_path: Path) -> None:
    out, _ = run(
        """
from wsgid.posts import DUMP_SIGNAL
def life():
    os.kill(os.getpid(), DUMP_SIGNAL)
    print("lives")
    return 0
live_and_die(life)
""",
        tmp_path,
    )
    assert out.startswith("lives\n0 ")


def test_ctrl_c_and_a_closed_terminal_are_not_for_children_but_for_their_programs(tmp_path: Path) -> None:
    out, _ = run(
        """
def life():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGHUP)
    program = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_DFL, signal.getsignal(signal.SIGINT))"
    subprocess.run([sys.executable, "-c", program], check=True)
    return 0
live_and_die(life)
""",
        tmp_path,
    )
    assert out.startswith("True <built-in function default_int_handler>\n")
    assert out.endswith("0 left\n")


def test_no_children_no_deaths(tmp_path: Path) -> None:
    assert run("print(reap())", tmp_path) == ("[]\n", "")


def test_the_living_are_not_waited_for(tmp_path: Path) -> None:
    out, _ = run(
        """
pid = fork(lambda: signal.pause())
print(reap())
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
""",
        tmp_path,
    )
    assert out == "[]\n"


CORE_DUMPED = 0x80
"""In a status of wait(2) on Linux."""


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (0, "left"),
        (3 << 8, "exited with code 3"),
        (255 << 8, "exited with code 255"),
        (signal.SIGKILL, "killed by SIGKILL"),
        (signal.SIGSEGV | CORE_DUMPED, "killed by SIGSEGV (core dumped)"),
        (signal.SIGRTMIN + 1, f"killed by signal {signal.SIGRTMIN + 1}"),
    ],
)
def test_words(status: int, told: str) -> None:
    assert words(status) == told


def test_a_child_can_be_stopped_by_its_terminal(tmp_path: Path) -> None:
    """Those signals are blocked in the master, which fetches them (`signals`)."""
    code = """
from wsgid.master.signals import JOB_CONTROL, SignalInbox

def blocked():
    return len(signal.pthread_sigmask(signal.SIG_BLOCK, ()) & JOB_CONTROL)

with SignalInbox(JOB_CONTROL):
    live_and_die(blocked)
    print(blocked())
"""
    assert run(code, tmp_path) == ("0 left\n2\n", "")
