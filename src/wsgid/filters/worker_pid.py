"""``--filter worker-pid``: each answer says in X-Worker which process has made it."""

import os
from typing import final

from wsgid.core import Message, Plugin
from wsgid.interfaces.filters import Headers, IPostRequestFilter


@final
class WorkerPid(Plugin, IPostRequestFilter):
    needs_body = False

    def process(
        self, m2message: Message, status: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> tuple[str, Headers, bytes | None]:
        return status, [*headers, ("X-Worker", os.getpid())], body

    def exception(self, m2message: Message, e: BaseException) -> None:
        """The answer is wsgid's own then; the log says which worker it was."""
