"""Many conversations, each over every edge in this process and on a real daemon, and what came of them in a table."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.behaviours.conversations import Conversation
from tests.behaviours.in_process import EDGES, in_process
from tests.behaviours.on_daemon import EDGES as DAEMON_EDGES
from tests.behaviours.on_daemon import on_daemon
from tests.behaviours.pep3333 import Ending, Expected
from tests.behaviours.strategies import conversations

Play = Callable[[str, Conversation], list[Expected]]


@dataclass
class Figures:
    """Of one edge."""

    name: str
    edge: str
    play: Play
    conversations: int = 0
    endings: Counter[Ending] = field(default_factory=Counter)
    """Of the behaviours that were answered."""
    body: int = 0
    """Bytes."""
    seconds: float = 0.0

    def take(self, conversation: Conversation) -> None:
        begun = monotonic()
        answered = self.play(self.edge, conversation)
        self.seconds += monotonic() - begun
        self.conversations += 1
        self.endings.update(expected.ending for expected in answered)
        self.body += sum(len(expected.body) for expected in answered)


def figures(count: int, number: int, tell: Callable[[int], object]) -> list[Figures]:
    """Of so many conversations, from this seed; ``tell`` is called after each. Raises what the judge does, of the
    smallest conversation that it finds fault with."""
    done = 0
    with in_process() as stage, on_daemon() as daemon:
        edges = [Figures(f"{edge}, in one process", edge, stage.play) for edge in EDGES]
        edges += [Figures(f"{edge}, a real daemon", edge, daemon.play) for edge in DAEMON_EDGES]

        @seed(number)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(conversations())
        def played(conversation: Conversation) -> None:
            nonlocal done
            for each in edges:
                each.take(conversation)
            done += 1
            tell(done)

        played()
    return edges


def table(edges: list[Figures]) -> str:
    lines = [
        "| edge | conversations | answers | whole | 500 | cut | MiB of bodies | seconds |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in edges:
        counts = [each.endings[ending] for ending in (Ending.WHOLE, Ending.FAILED, Ending.CUT)]
        cells = [f"{count:,}" for count in (each.conversations, sum(counts), *counts, each.body >> 20)]
        lines.append(f"| {each.name} | {' | '.join(cells)} | {each.seconds:,.0f} |")
    return "\n".join(lines)
