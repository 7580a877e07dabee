"""One row of the table: a rule, where it is written, a case of it, and what comes of that case on each edge."""

import enum
from dataclasses import dataclass, replace

from tests.functional.conformance.outcomes import Answer, Step

HTTP, MONGREL2 = EDGES = ("http", "mongrel2")


ROUTES = ("/", "/mounted", "/slashed/", "/e%20e", "/pattern/(.*)", "/longer/than/asked")
"""Of Mongrel2, in every setup. All lead to the application."""


@dataclass(frozen=True)
class Setup:
    """How a daemon is started that rules are tried on."""

    name: str
    options: tuple[str, ...] = ()
    protocol: str = "json"
    """Of the messages from Mongrel2."""
    prefix: str = ""
    """Where the application is found by HTTP, and behind Mongrel2 too."""


AS_IT_COMES = Setup("as it comes")
SMALL = Setup(
    "small limits, several threads, tnetstrings",
    (
        *("--threads", "4", "--max-body", "1000", "--limit-request-line", "200"),
        *("--limit-request-fields", "10", "--limit-request-headers", "400"),
        *("--server-header", "something else/1.0", "--forwarded-allow-ips", "192.0.2.0/24"),
    ),
    protocol="tnetstring",
)
PREFIXED = Setup(
    "below /e%20e",
    ("--script-name", "/e%20e", "--server-header", "", "--forwarded-headers", "forwarded"),
    prefix="/e%20e",
)


class Why(enum.Enum):
    """Why something else comes of a case on one edge."""

    LEFT = "left to Mongrel2"
    """It sees to the rule by itself, and wsgid does not hear of the case."""
    WRONG = "Mongrel2 gets it wrong"
    UNTOLD = "Mongrel2 does not tell"
    OTHERWISE = "otherwise than the other edge"
    """Legal, or a limit of ours."""


@dataclass(frozen=True)
class Differs:
    """What comes of a case on one edge instead."""

    why: Why
    reason: str
    """A sentence."""
    expect: Step | tuple[Step, ...] | None
    """Empty: the case cannot be tried there. None: the same, but with the last answer the connection ends."""


@dataclass(frozen=True)
class Rule:
    name: str
    """Unique, of lower-case words joined with ``-``: the test's name, and in the documentation the row's."""
    source: str
    text: str
    """The rule in one sentence."""
    send: bytes
    """What the client sends on a new connection."""
    expect: Step | tuple[Step, ...]
    """What follows."""
    http: Differs | None = None
    mongrel2: Differs | None = None
    setup: Setup = AS_IT_COMES

    def differs(self, edge: str) -> Differs | None:
        return self.http if edge == HTTP else self.mongrel2

    def steps(self, edge: str) -> tuple[Step, ...]:
        """What follows the first thing that is sent; nothing when the rule is not tried on this edge."""
        differs = self.differs(edge)
        expect = self.expect if differs is None or differs.expect is None else differs.expect
        steps = expect if isinstance(expect, tuple) else (expect,)
        return _closing(steps) if differs is not None and differs.expect is None else steps


def _closing(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    *before, last = steps
    assert isinstance(last, Answer), "what ends the connection is an answer"
    return (*before, replace(last, closes=True))


@dataclass(frozen=True)
class Group:
    """Rules that stand together in the documentation."""

    title: str
    rules: tuple[Rule, ...]
    about: str = ""
    """What is so for all of them: a sentence or more."""
