"""Request filters: what is called before and after the application (docs/filters.md), and about uploads."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from wsgid.core.message import Message
from wsgid.plugins import Interface

Headers = list[tuple[str, Any]]
"""What `IPostRequestFilter.process` may return: values that are no str become one."""


Verdict = bool | int | str | tuple[int | str, str | bytes] | None
"""What `IUploadFilter.accept` may return."""


class IUploadFilter(Interface):
    """Asked in a worker whether an upload may go on, while its body arrives (docs/bodies.md)."""

    @abstractmethod
    def accept(self, m2message: Message) -> Verdict:
        """True or None: it may. False: it is refused with 403; a code or a status line: with that, and of a pair with
        this status and body, text in UTF-8. Codes are from 400 to 599.

        ``m2message.body`` is empty, and ``m2message.is_upload_start()`` true. When it raises, or returns anything else,
        it has said nothing. It may be asked twice: when a worker dies over it, another is.
        """


class IPreRequestFilter(Interface):
    """Called in the worker just before the application."""

    @abstractmethod
    def process(self, m2message: Message, environ: dict[str, Any]) -> object:
        """Changes ``environ`` as it likes. What it returns means nothing; when it raises, it has changed nothing."""


class IPostRequestFilter(Interface):
    """Called in the worker after the application: one of the two methods, once for each request."""

    needs_body: ClassVar[bool] = True
    """False: the body is none of its business, so that nothing is held back for it."""

    @abstractmethod
    def process(
        self, m2message: Message, status: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> tuple[str, Headers, bytes | None] | Sequence[Any]:
        """The answer, as it is to be: ``(status, headers, body)``.

        ``body`` is None for a filter without ``needs_body``, and for an answer that passes it by: then the head has
        been sent already, and what is returned means nothing. Where None is returned for the body it stays as it is.
        When it raises, or returns what cannot be sent, it has changed nothing.
        """

    @abstractmethod
    def exception(self, m2message: Message, e: BaseException) -> object:
        """The application has raised this, or its answer was given up. What is returned means nothing."""
