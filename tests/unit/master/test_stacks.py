import faulthandler
import fcntl
import os
import threading
from collections.abc import Iterator

import pytest

from wsgid.master.stacks import MAX_STACKS, Stacks, of_thread


@pytest.fixture
def stacks() -> Iterator[Stacks]:
    stacks = Stacks()
    yield stacks
    stacks.close()


def test_nothing_yet(stacks: Stacks) -> None:
    assert not stacks.grown()
    assert stacks.read() == ""


def test_what_faulthandler_writes(stacks: Stacks) -> None:
    faulthandler.dump_traceback(stacks.descriptor)
    text = stacks.read()
    assert " thread 0x" in text
    assert " in test_what_faulthandler_writes\n" in text


def test_each_is_read_once(stacks: Stacks) -> None:
    for text in ("one", "two", "three"):
        os.write(stacks.descriptor, f"{text}\n".encode())
        assert stacks.read() == text
        assert stacks.read() == ""


def test_growth_is_told_once(stacks: Stacks) -> None:
    os.write(stacks.descriptor, b"one")
    assert stacks.grown()
    assert not stacks.grown()
    os.write(stacks.descriptor, b"two")
    assert stacks.grown()
    assert stacks.read() == "onetwo"
    assert not stacks.grown()
    os.write(stacks.descriptor, b"three")
    stacks.read()
    assert not stacks.grown(), "it has been read"


def test_of_too_much_the_rest_is_counted(stacks: Stacks) -> None:
    with open(stacks.descriptor, "wb", closefd=False) as file:
        file.write(b"x" * MAX_STACKS + b"yyy")
    assert stacks.read() == "x" * MAX_STACKS + "\n(3 bytes more are left out)"
    assert stacks.read() == ""


def test_it_does_not_fill_the_memory(stacks: Stacks) -> None:
    """Somebody may ask for stacks every minute, of a worker that lives for months."""
    part = b"x" * (MAX_STACKS // 4 + 1)
    for _ in range(20):
        with open(stacks.descriptor, "wb", closefd=False) as file:
            file.write(part)
        assert stacks.grown()
        assert stacks.read() == part.decode()
        assert not stacks.grown()
    assert os.fstat(stacks.descriptor).st_size <= MAX_STACKS


def test_what_is_no_text_is_shown_all_the_same(stacks: Stacks) -> None:
    os.write(stacks.descriptor, b'File "caf\xe9.py"')
    assert stacks.read() == 'File "caf\N{REPLACEMENT CHARACTER}.py"'


def test_programs_that_a_child_starts_do_not_inherit_it(stacks: Stacks) -> None:
    assert fcntl.fcntl(stacks.descriptor, fcntl.F_GETFD) & fcntl.FD_CLOEXEC


TWO_THREADS = """\
Thread 0x00007f00000000aa (most recent call first):
  File "/app/wsgi.py", line 3 in stuck
  File "/app/wsgi.py", line 9 in application

Current thread 0x00007f00000000ab (most recent call first):
  File "/app/wsgi.py", line 7 in other
  ...

Thread 0x00007f000000000a (most recent call first):
  <no Python frame>"""


def test_the_stack_of_one_thread_among_them() -> None:
    assert of_thread(TWO_THREADS, 0x7F00000000AA) == (
        '  File "/app/wsgi.py", line 9 in application\n  File "/app/wsgi.py", line 3 in stuck\n'
    )
    assert of_thread(TWO_THREADS, 0x7F00000000AB) == '  ...\n  File "/app/wsgi.py", line 7 in other\n'
    assert of_thread(TWO_THREADS, 0x7F000000000A) == ""
    assert of_thread(TWO_THREADS, 0x7F0000000) == ""
    assert of_thread("", 1) == ""


def test_its_latest_stack_is_told() -> None:
    again = TWO_THREADS.replace("stuck", "still_stuck")
    assert " in still_stuck" in of_thread(f"{TWO_THREADS}\n{again}", 0x7F00000000AA)


def test_it_is_the_one_that_faulthandler_writes(stacks: Stacks) -> None:
    faulthandler.dump_traceback(stacks.descriptor)
    innermost = of_thread(stacks.read(), threading.get_ident()).splitlines()[-1]
    assert innermost.endswith(" in test_it_is_the_one_that_faulthandler_writes")
