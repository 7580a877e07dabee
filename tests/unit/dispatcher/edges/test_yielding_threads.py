"""By the kernel's word for each thread."""

import os
import threading
from threading import Event, Thread

import pytest
import zmq

from wsgid.dispatcher.edges.yielding_threads import yielding_threads


def policies() -> dict[int, int]:
    """Of the threads of this process, by their ids."""
    return {int(thread): os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")}


def test_zeromqs_threads_yield_and_ours_do_not() -> None:
    before = policies()
    context = zmq.Context()
    with yielding_threads():
        sock = context.socket(zmq.PULL)
    ours = {thread: policy for thread, policy in policies().items() if thread in before}
    theirs = {thread: policy for thread, policy in policies().items() if thread not in before}
    sock.close(0)
    context.term()
    assert ours[threading.get_native_id()] == os.SCHED_OTHER
    assert ours.items() <= before.items(), "of an earlier test a thread may still have been about to end"
    assert theirs
    assert set(theirs.values()) == {os.SCHED_BATCH}


def test_where_it_is_not_permitted_threads_are_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert policy_of_a_thread_started_in_there() == os.SCHED_OTHER


def test_another_policy_is_somebodys_wish() -> None:
    found: list[int] = []

    def idle() -> None:  # not this thread: without privileges there is no way back
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        found.extend((policy_of_a_thread_started_in_there(), os.sched_getscheduler(0)))

    thread = Thread(target=idle)
    thread.start()
    thread.join()
    assert found == [os.SCHED_IDLE] * 2


def policy_of_a_thread_started_in_there() -> int:
    over = Event()
    with yielding_threads():
        thread = Thread(target=over.wait)
        thread.start()
    assert thread.native_id is not None
    policy = os.sched_getscheduler(thread.native_id)
    over.set()
    thread.join()
    return policy
