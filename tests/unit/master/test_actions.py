import logging

from wsgid.channel.orders import Cause, WorkerDied
from wsgid.master.actions import Log, logged


def test_a_death_that_was_expected() -> None:
    assert logged(WorkerDied(7, "left", True, Cause.ASKED)) == Log(logging.INFO, "worker 7 ended: left")


def test_one_that_was_not() -> None:
    text = "worker 7 died: killed by SIGKILL; there was no dispatcher to say which requests it held"
    assert logged(WorkerDied(7, "killed by SIGKILL", False, Cause.SIGNAL)) == Log(logging.ERROR, text)
