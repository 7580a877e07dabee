"""Exceptions of an application, wherever they come (PEP 3333, "Error Handling")."""

from tests.functional.conformance.outcomes import BROKEN_RULE, FAILED, TRACEBACK, Answer, Cut, cut, failed
from tests.functional.conformance.requests import do, get, head, long
from tests.functional.conformance.rule import Differs, Group, Rule, Why

BODY = 'PEP 3333, "Specification Details"'
FAILING = 'PEP 3333, "Error Handling"'
RAISED = (FAILED, TRACEBACK, "RuntimeError: raised on request")
LEFT = (FAILED, TRACEBACK, "SystemExit: left on request")
CLOSED = ("closed",)

FAILURES = (
    Rule(
        "raise",
        FAILING,
        "An exception out of the application: 500, the traceback in the log, nothing of it in the answer.",
        get(do("fails")),
        failed(*RAISED, "GET /do/fails? "),
    ),
    Rule(
        "raise-for-head",
        FAILING,
        "An exception for HEAD is a 500 without a body.",
        head(do("fails")),
        Answer(500, b"", {"content-length": "22"}, log=(RAISED,)),
    ),
    Rule(
        "raise-when-started",
        FAILING,
        "An exception behind start_response is a 500: nothing has been sent.",
        get(do("started-and-fails")),
        failed(*RAISED),
    ),
    Rule(
        "raise-when-iterated",
        FAILING,
        "An exception of the iterable before its first part is a 500.",
        get(do("fails-behind", parts=[])),
        failed(*RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-behind-empty-parts",
        FAILING,
        "An exception behind empty parts is a 500.",
        get(do("fails-behind", parts=[b"", b""])),
        failed(*RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-by-iter",
        FAILING,
        "An exception of `__iter__` is a 500.",
        get(do("cannot-be-iterated")),
        failed(*RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-late",
        FAILING,
        "An exception behind the first part cuts the answer: no client takes it for a whole one.",
        get(do("fails-behind")),
        cut(b"part", *RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-late-for-head",
        FAILING,
        "For HEAD an exception behind the first part leaves the answer as it is; the log has the traceback.",
        head(do("fails-behind")),
        Answer(200, b"", log=(RAISED,), notes=CLOSED),
    ),
    Rule(
        "raise-late-with-a-length",
        FAILING,
        "An exception within a Content-Length cuts the answer.",
        get(do("fails-behind", headers=long(10))),
        cut(b"part", *RAISED, notes=CLOSED),
    ),
    Rule(
        "raise-behind-the-length",
        FAILING,
        "An exception behind the last byte of a Content-Length leaves the answer whole; the log has the traceback.",
        get(do("fails-behind", headers=long(4))),
        Answer(200, b"part", log=(RAISED,), notes=CLOSED),
    ),
    Rule(
        "raise-late-1.0",
        FAILING,
        "Where only the connection's end tells that of the body, a reset tells that it is cut.",
        get(do("fails-behind"), version="1.0"),
        Cut(200, b"part", reset=True, end="cut", log=(RAISED,), notes=CLOSED),
        mongrel2=Differs(
            Why.LEFT,
            "Mongrel2 can end a connection, but not reset one: a client of HTTP/1.0 takes the part for the whole.",
            Answer(200, b"part", closes=True, end="cut", log=(RAISED,), notes=CLOSED),
        ),
    ),
    Rule(
        "exit",
        FAILING,
        "SystemExit is an exception as any other: nobody has asked the worker to end.",
        get(do("exits")),
        failed(*LEFT),
    ),
    Rule(
        "exit-late",
        FAILING,
        "SystemExit behind the first part cuts the answer.",
        get(do("exits-behind")),
        cut(b"part", *LEFT, notes=CLOSED),
    ),
    Rule(
        "close-raises",
        BODY,
        "close() that fails leaves the answer whole; the log has the traceback.",
        get(do("cannot-be-closed", parts=[b"one, ", b"two"])),
        Answer(
            200,
            b"one, two",
            log=(("close() failed, after the answer", TRACEBACK, "RuntimeError: raised on request"),),
            notes=CLOSED,
        ),
    ),
    Rule(
        "close-without-start",
        BODY,
        "close() is called also where start_response was not.",
        get(do("closes-unstarted")),
        failed(f"{BROKEN_RULE}start_response must be called", notes=CLOSED),
    ),
    Rule(
        "close-for-head",
        BODY,
        "close() is called for HEAD, too.",
        head(do("yields", parts=[b"one, ", b"two"])),
        Answer(200, b"", notes=CLOSED),
    ),
)

GROUPS = (Group("Failures", FAILURES),)
