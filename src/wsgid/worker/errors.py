"""What can go wrong while a request is served, and whose fault it is.

::

    ApplicationError          the application broke PEP 3333
     └─ UnusableAnswer        found after it had returned: no line of it is to blame
    ConnectionError
     ├─ DispatcherGone        nobody is there to take the answer
     └─ ClientGone            nobody waits for the answer
    RequestTimeout            the dispatcher has given the request up
"""


class ApplicationError(AssertionError):
    """The application broke a rule of PEP 3333: the message says which, what it gave and what to do.

    Raised where the application calls us, so that the traceback ends in its own line. An AssertionError, as wsgiref
    and waitress raise in these places: test suites of applications expect one.
    """


class UnusableAnswer(ApplicationError):
    """What the application returned or yielded is no answer. The application is not on the stack any more: the log
    tells the message without a traceback, which could only show our own lines."""


class DispatcherGone(ConnectionError):
    """The dispatcher died or closed the channel without a RELEASE: what is left of the answer is of use to nobody."""


class ClientGone(ConnectionError):
    """The client has left. Raised from ``write()`` too, so that an application that writes without end ends."""


class RequestTimeout(BaseException):
    """The request has taken longer than ``--timeout``: its client has got 504, and this worker is about to be replaced.

    Raised in the application's code, between any two of its lines. No Exception, as KeyboardInterrupt is none: what
    frameworks and applications catch so that one thing's failure harms no other (``except Exception``, a retry) must
    not catch this. ``finally`` and ``with`` tidy up as ever.
    """

    def __str__(self) -> str:
        return "the request has taken longer than --timeout allows"
