import logging
from dataclasses import replace
from signal import SIGTERM

import pytest

from tests.unit.master.histories import (
    FORKED,
    GRACE,
    LISTENING,
    READY,
    START,
    TWO,
    UP,
    Chapter,
    killed,
    left,
    lines,
    tell,
    told,
)
from wsgid.channel.orders import MAX_NEWS, Cause, Drain, RestartNews, RestartWanted, Retire, WorkerLeaving, WorkerReady
from wsgid.master.actions import (
    AdoptOptions,
    DropOptions,
    ForkDispatcher,
    ForkWorker,
    Kill,
    Log,
    ReadOptions,
    Tell,
    TellServiceManager,
    Word,
    WriteStacks,
)
from wsgid.master.facts import (
    Died,
    DispatcherForked,
    OptionsRead,
    OptionsWrong,
    RestartAsked,
    StopAsked,
    WorkerForked,
    WorkerForkFailed,
)
from wsgid.master.lateness import DUMP_TIME
from wsgid.master.plan import decide
from wsgid.master.restarts import _cut
from wsgid.posts import DUMP_SIGNAL, EXIT_LOAD_FAILED

ASKED = RestartAsked("SIGHUP")
READ = OptionsRead(TWO, ())
READ_TEXT = "the options are read again, new workers load the application"
DONE = "the restart is done: 2 workers with the new code and options"
BROKEN = "ImportError: no module named shop\n  in app/wsgi.py, line 3"


def news(text: str) -> Tell:
    return Tell(RestartNews(text, over=False, ok=False))


def over(text: str, *, ok: bool = False) -> Tell:
    return Tell(RestartNews(text, over=True, ok=ok))


TERMINATED = Died(13, -15, "killed by SIGTERM")
"""By us."""


def failed(pid: int) -> Died:
    return Died(pid, EXIT_LOAD_FAILED, "exited with code 3", BROKEN)


BEGUN: list[Chapter] = [
    *UP,
    (5.0, [ASKED], [ReadOptions()]),
    (5.0, [READ], [ForkWorker()]),
    (5.0, [WorkerForked(13)], []),
]
WAITED_FOR: list[Chapter] = [
    *UP,
    (5.0, [RestartWanted()], [ReadOptions()]),
    (5.0, [READ], [news(READ_TEXT), ForkWorker()]),
    (5.0, [WorkerForked(13)], []),
]
ONE_REPLACED: list[Chapter] = [
    *WAITED_FOR,
    (6.0, [WorkerReady(13)], [AdoptOptions(), Tell(Retire(11)), news("worker 1 of 2 is replaced"), ForkWorker()]),
    (6.0, [WorkerForked(14)], []),
    (6.1, [left(11)], [told(left(11), expected=True, cause=Cause.RESTART)]),
]

HISTORIES: dict[str, list[Chapter]] = {
    "one after the other, each with a successor that is ready": [
        *ONE_REPLACED,
        (7.0, [WorkerReady(14)], [Tell(Retire(12)), news("worker 2 of 2 is replaced"), over(DONE, ok=True)]),
        (7.1, [left(12)], [told(left(12), expected=True, cause=Cause.RESTART)]),
    ],
    "nobody waits: nobody is told": [
        *BEGUN,
        (6.0, [WorkerReady(13)], [AdoptOptions(), Tell(Retire(11)), ForkWorker()]),
        (6.0, [WorkerForked(14)], []),
        (7.0, [WorkerReady(14)], [Tell(Retire(12))]),
    ],
    "more workers by the new options: all that are missing, once the first has shown that it can be loaded": [
        *UP,
        (5.0, [ASKED], [ReadOptions()]),
        (5.0, [OptionsRead(replace(TWO, workers=4), ())], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (6.0, [WorkerReady(13)], [AdoptOptions(), ForkWorker(), ForkWorker()]),
        (6.0, [WorkerForked(14), WorkerForked(15)], []),
        (7.0, [WorkerReady(14)], []),
        (7.5, [WorkerReady(15)], [Tell(Retire(11)), ForkWorker()]),
    ],
    "fewer workers": [
        *UP,
        (5.0, [ASKED], [ReadOptions()]),
        (5.0, [OptionsRead(replace(TWO, workers=1), ())], [ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (6.0, [WorkerReady(13)], [AdoptOptions(), Tell(Retire(11)), Tell(Retire(12))]),
    ],
    "what people should know of the options": [
        *UP,
        (5.0, [RestartWanted()], [ReadOptions()]),
        (5.0, [OptionsRead(TWO, ("--bind stays",))], [news(f"{READ_TEXT}\n--bind stays"), ForkWorker()]),
    ],
    "wrong options": [
        *UP,
        (5.0, [RestartWanted()], [ReadOptions()]),
        (
            5.0,
            [OptionsWrong(("first", "second"))],
            [over("the restart is refused: the options are wrong now:\nfirst\nsecond")],
        ),
    ],
    "the next one: nobody waits any more": [
        *UP,
        (5.0, [RestartWanted()], [ReadOptions()]),
        (5.0, [OptionsWrong(("first",))], [over("the restart is refused: the options are wrong now:\nfirst")]),
        (6.0, [ASKED], [ReadOptions()]),
        (6.0, [READ], [ForkWorker()]),
    ],
    "wrong options, and nobody waits": [
        *UP,
        (5.0, [ASKED], [ReadOptions()]),
        (5.0, [OptionsWrong(("first",))], []),
    ],
    "code that cannot be loaded": [
        *WAITED_FOR,
        (
            6.0,
            [failed(13)],
            [told(failed(13)), DropOptions(), over(f"the restart failed: {BROKEN}\nall workers go on as before")],
        ),
        (7.0, [], []),
    ],
    "code that cannot be loaded any more": [
        *ONE_REPLACED,
        (
            7.0,
            [failed(14)],
            [
                told(failed(14)),
                DropOptions(),
                over(f"the restart failed: {BROKEN}\n1 worker had been replaced, the others go on"),
            ],
        ),
    ],
    "code that hangs": [
        *WAITED_FOR,
        (5.0 + START, [], [Kill(13, DUMP_SIGNAL), Tell(Retire(13))]),
        (
            5.0 + START + DUMP_TIME,
            [],
            [
                WriteStacks(13),
                Kill(13, 9),
                DropOptions(),
                over(
                    "the restart failed: worker 13 was not ready within --start-timeout (60 s); where it was then is "
                    "in /app/logs/wsgid.log\nall workers go on as before"
                ),
            ],
        ),
        (6.0 + START, [killed(13)], [told(killed(13), cause=Cause.START)]),
    ],
    "no process to be had": [
        *UP,
        (5.0, [RestartWanted()], [ReadOptions()]),
        (5.0, [READ], [news(READ_TEXT), ForkWorker()]),
        (
            5.0,
            [WorkerForkFailed("no memory")],
            [
                DropOptions(),
                over("the restart failed: a worker could not be forked: no memory\nall workers go on as before"),
            ],
        ),
        (9.0, [], []),
    ],
    "asked again: what loads is let go, and all who wait hear the one end": [
        *WAITED_FOR,
        (5.5, [RestartWanted()], [ReadOptions()]),
        (5.5, [READ], [Kill(13, SIGTERM), news(READ_TEXT), ForkWorker()]),
        (5.5, [WorkerForked(14)], []),
        (5.6, [TERMINATED], [told(TERMINATED, expected=True, cause=Cause.RESTART)]),
        (6.0, [WorkerReady(14)], [AdoptOptions(), Tell(Retire(11)), news("worker 1 of 2 is replaced"), ForkWorker()]),
        (6.0, [WorkerForked(15)], []),
        (7.0, [WorkerReady(15)], [Tell(Retire(12)), news("worker 2 of 2 is replaced"), over(DONE, ok=True)]),
    ],
    "asked again, after one was replaced: that one too": [
        *ONE_REPLACED,
        (6.5, [ASKED], [ReadOptions()]),
        (6.5, [READ], [Kill(14, SIGTERM), news(READ_TEXT), ForkWorker()]),
        (6.5, [WorkerForked(15)], []),
        (7.0, [WorkerReady(15)], [AdoptOptions(), Tell(Retire(12)), news("worker 1 of 2 is replaced"), ForkWorker()]),
        (7.0, [WorkerForked(16)], []),
        (8.0, [WorkerReady(16)], [Tell(Retire(13)), news("worker 2 of 2 is replaced"), over(DONE, ok=True)]),
    ],
    "asked again, with wrong options: it is over": [
        *WAITED_FOR,
        (5.5, [ASKED], [ReadOptions()]),
        (
            5.5,
            [OptionsWrong(("first",))],
            [
                Kill(13, SIGTERM),
                DropOptions(),
                over("the restart failed: the options are wrong now:\nfirst\nall workers go on as before"),
            ],
        ),
    ],
    "an old worker that dies meanwhile is replaced by a new one": [
        *BEGUN,
        (5.5, [killed(12)], [told(killed(12)), ForkWorker()]),
        (5.5, [WorkerForked(14)], []),
        (6.0, [WorkerReady(13)], [AdoptOptions()]),
        (6.5, [WorkerReady(14)], [Tell(Retire(11))]),
        (6.6, [left(11)], [told(left(11), expected=True, cause=Cause.RESTART)]),
    ],
    "an old worker that leaves meanwhile, too": [
        *BEGUN,
        (5.5, [WorkerLeaving(12)], [ForkWorker()]),
    ],
    "the dispatcher dies: the restart goes on, nobody waits any more": [
        *WAITED_FOR,
        (5.5, [killed(10)], [ForkDispatcher()]),
        (5.5, [DispatcherForked(20)], []),
        (6.0, [LISTENING], []),
        (6.0, [WorkerReady(11), WorkerReady(12), WorkerReady(13)], [AdoptOptions(), Tell(Retire(11)), ForkWorker()]),
    ],
    "it was backing off: the new code is tried at once": [
        *UP,
        (5.0, [killed(11)], [told(killed(11)), ForkWorker()]),
        (5.0, [WorkerForked(13)], []),
        (5.5, [failed(13)], [told(failed(13))]),
        (5.5, [ASKED], [ReadOptions()]),
        (5.5, [READ], [ForkWorker(), ForkWorker()]),
    ],
    "during the start: when it is over": [
        *FORKED,
        (1.0, [WorkerReady(11), RestartWanted()], []),
        (2.0, [WorkerReady(12)], [READY, ReadOptions()]),
        (2.0, [READ], [news(READ_TEXT), ForkWorker()]),
    ],
    "during the stop: not any more": [
        *UP,
        (5.0, [StopAsked("SIGTERM")], [Tell(Drain(GRACE))]),
        (5.0, [RestartWanted()], [over("a client of the control socket: no restart, the daemon is stopping")]),
    ],
    "a stop ends it": [
        *WAITED_FOR,
        (
            5.5,
            [StopAsked("SIGTERM")],
            [over("the restart is not finished: the daemon is stopping"), Tell(Drain(GRACE))],
        ),
    ],
    "a stop while the options are read": [
        *UP,
        (
            5.0,
            [RestartWanted(), StopAsked("SIGTERM")],
            [ReadOptions(), over("the restart is not finished: the daemon is stopping"), Tell(Drain(GRACE))],
        ),
        (5.0, [READ], [DropOptions()]),
    ],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_history(name: str) -> None:
    tell(HISTORIES[name])


def test_new_workers_have_as_long_as_the_new_options_say() -> None:
    state, _ = tell(BEGUN[:-2])
    state, _ = decide(state, [OptionsRead(replace(TWO, start_timeout=3.0), ())], 5.0)
    state, _ = decide(state, [WorkerForked(13)], 5.0)
    _, actions = decide(state, [], 8.0)
    assert (
        Log(
            logging.ERROR,
            "worker 13 was not ready within --start-timeout (3 s): its stacks follow, then it is killed",
        )
        in actions
    )


def test_the_log_has_it_all_but_the_report() -> None:
    told_in_order = [line.text for line in lines(HISTORIES["code that cannot be loaded"])[-3:]]
    assert told_in_order == [
        "a client of the control socket: restarting",
        READ_TEXT,
        "the restart failed: ImportError: no module named shop",
    ]
    assert Log(logging.INFO, DONE) in lines(HISTORIES["one after the other, each with a successor that is ready"])
    assert Log(logging.ERROR, "second") in lines(HISTORIES["wrong options"])
    assert Log(logging.WARNING, "--bind stays") in lines(HISTORIES["what people should know of the options"])


def test_the_service_manager_hears_how_it_goes() -> None:
    _, actions = tell(HISTORIES["one after the other, each with a successor that is ready"])
    assert [each for each in actions if isinstance(each, TellServiceManager)] == [
        TellServiceManager(Word.RELOADING, "restarting"),
        TellServiceManager(Word.STATUS, "restarting: worker 1 of 2 is replaced"),
        TellServiceManager(Word.STATUS, "restarting: worker 2 of 2 is replaced"),
        TellServiceManager(Word.READY, "2 workers with the new code and options"),
    ]


@pytest.mark.parametrize("name", ["code that cannot be loaded", "code that hangs", "no process to be had"])
def test_a_failed_one_is_over_for_the_service_manager_as_well(name: str) -> None:
    _, actions = tell(HISTORIES[name])
    words = [each.word for each in actions if isinstance(each, TellServiceManager)]
    assert words == [Word.RELOADING, Word.READY]


@pytest.mark.parametrize("text", ["short", "é" * (MAX_NEWS // 2)])
def test_news_that_can_be_sent(text: str) -> None:
    assert _cut(text) == text


@pytest.mark.parametrize("character", ["x", "é", "€"])
def test_news_too_long_lose_their_middle(character: str) -> None:
    cut = _cut("first" + character * MAX_NEWS + "last")
    assert len(cut.encode()) <= MAX_NEWS
    assert cut.startswith(f"first{character}")
    assert cut.endswith(f"{character}last")
    assert " bytes left out)\n" in cut
