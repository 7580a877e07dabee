"""Is what came on a connection what had to come?

h11 reads it, so that each answer is HTTP and ends where the next one begins. Then each is compared with what PEP 3333
has made of its behaviour (`pep3333`):

- a *whole* answer has the application's status, its headers in their order, of which only a Content-Length may be
  missing (204, 205 and 304 have none of the application's), and its body to the byte; besides these only the headers in
  `ADDED`, each at most once, and with the one right value;
- a *failed* one is a 500 of the server's, of which nothing of the application's is a part;
- one that is *cut* has status, headers and body as far as the application came, and h11 says that it is not whole;
- the connection is kept exactly as long as the client asked for and the framing allows. Behind the answer that ends it
  nothing comes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.answers import Answer, read_answers
from tests.behaviours.conversations import Asked, Conversation
from tests.behaviours.pep3333 import NO_BODY, Ending, Expected, Headers, expect

ADDED = {"content-length", "transfer-encoding", "connection", "date", "server", "x-request-id"}


@dataclass(frozen=True)
class Received:
    """All that came on a connection, which has ended."""

    data: bytes
    reset: bool
    """It ended by a reset."""
    tells_cuts: bool = True
    """Mongrel2 cannot reset a connection: an answer to an HTTP/1.0 client without a length ends there as if it were
    whole, also when it is cut."""
    loses: bool = False
    """A reset may have taken from the client what it had not read yet, which nobody can tell how much it was."""


def judge(conversation: Conversation, received: Received) -> list[Expected]:
    """What had to come of each request that was answered, and did. Raises AssertionError, and h11.RemoteProtocolError
    for what is no HTTP."""
    methods = [turn.asked.method for turn in conversation.turns]
    answers, rest = read_answers(received.data, methods, ended=not received.reset)
    assert not rest, f"more than was asked for: {rest[:200]!r}"
    answered: list[Expected] = []
    for turn in conversation.turns:
        expected = expect(turn.behaviour, turn.asked.method)
        answer = answers[len(answered)] if len(answered) < len(answers) else None
        answered.append(expected)
        if answer is None or not answer.status:
            assert received.reset, f"no answer to {turn}"
            assert received.loses, f"no answer to {turn}"
            break
        if _judge_answer(turn.asked, expected, answer, received):
            break
    assert len(answers) <= len(answered), "an answer behind the one that closes the connection"
    return answered


def _judge_answer(asked: Asked, expected: Expected, answer: Answer, received: Received) -> bool:
    """Whether it is the last of the connection."""
    status = f"{answer.status} {answer.reason}"
    assert status == expected.status, f"{status[:80]!r} instead of {expected.status[:80]!r}"
    assert not answer.informational
    if expected.ending is Ending.FAILED:
        return _judge_failed(asked, answer)
    bodiless = asked.method == "HEAD" or answer.status in NO_BODY
    until_close = not (bodiless or answer.values("content-length") or answer.values("transfer-encoding"))
    _judge_headers(asked, expected, answer)
    _judge_length(asked, expected, answer)
    assert answer.closes is (until_close or not asked.keeps_alive), "the connection is kept otherwise than asked for"
    assert not (until_close and asked.version == "1.1"), "HTTP/1.1 has better ways to tell the end of a body"
    whole = expected.ending is Ending.WHOLE or (until_close and not received.tells_cuts)
    if received.loses and received.reset and not answer.whole:
        assert expected.body.startswith(answer.body), "another body"
        return True
    assert answer.whole is whole, f"{expected.ending} but whole is {answer.whole}"
    if until_close and expected.ending is Ending.CUT:
        # Only a reset tells that it is cut, and takes along what the client has not read: nothing more is sent then.
        assert expected.body.startswith(answer.body), "another body"
    else:
        assert answer.body == expected.body, f"{len(answer.body)} bytes of body, not {len(expected.body)}, or others"
    return answer.closes or expected.ending is Ending.CUT


def _judge_failed(asked: Asked, answer: Answer) -> bool:
    assert answer.whole
    assert answer.body == (b"" if asked.method == "HEAD" else b"Internal Server Error\n")
    assert {name for name, _ in answer.headers} <= {*ADDED, "content-type"}
    assert answer.closes is not asked.keeps_alive
    return answer.closes


def _judge_headers(asked: Asked, expected: Expected, answer: Answer) -> None:
    """But for Content-Length."""
    given = [(name.lower(), value.strip(" \t")) for name, value in expected.headers]
    given = [each for each in given if each[0] != "content-length"]
    received = [each for each in answer.headers if each[0] != "content-length"]
    told = f"the application's headers are {str(given)[:800]}, these are {str(received)[:800]}"
    assert received[: len(given)] == given, told
    added = received[len(given) :]
    names = Counter(name for name, _ in added)
    assert names.keys() <= ADDED, f"added: {added}"
    assert all(count == 1 for count in names.values()), f"added: {added}"
    for name in ("date", "server", "x-request-id"):
        assert (name in names) is (name not in dict(given)), f"{name} is there twice, or not at all"
    assert dict(added).get("transfer-encoding", "chunked") == "chunked"
    wanted = "close" if answer.closes else "keep-alive" if asked.version == "1.0" else None
    assert dict(added).get("connection") == wanted


def _judge_length(asked: Asked, expected: Expected, answer: Answer) -> None:
    """Content-Length and Transfer-Encoding (RFC 9110 section 8.6, RFC 9112 section 6.1)."""
    given = _lengths(expected.headers)
    lengths, chunked = answer.values("content-length"), answer.values("transfer-encoding")
    if answer.status in (204, 304):
        wanted: Sequence[list[str]] = [[]]
    elif answer.status == 205:
        wanted = [["0"]]
    elif given:
        wanted = [given]
    elif asked.method == "HEAD" and not expected.size:
        wanted = [[]]
    elif asked.method == "HEAD":
        wanted = [[str(expected.size)]]
    elif expected.ending is Ending.CUT:
        wanted = [[]]
    else:
        wanted = [[], [str(len(expected.body))]]
    assert lengths in wanted, f"Content-Length {lengths}, not one of {wanted}"
    bodiless = asked.method == "HEAD" or answer.status in NO_BODY
    assert not (chunked and (lengths or bodiless or asked.version == "1.0")), "a Transfer-Encoding out of place"


def _lengths(headers: Headers) -> list[str]:
    return [value for name, value in headers if name.lower() == "content-length"]
