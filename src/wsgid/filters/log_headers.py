"""``--filter log-headers``: writes the headers of each request into the log, without what is secret in them."""

import re
from typing import Any, Final, final

from wsgid.core import Message, Plugin, log
from wsgid.interfaces.filters import IPreRequestFilter
from wsgid.logs import about

MASK: Final = "***"

SECRET: Final = re.compile(
    r"auth|cookie|token|secret|passw|session|credential|signature|jwt|(^|[-_])(api|csrf|xsrf|key)"
)
"""Found in the names of headers whose values are masked. One too many is no loss. A query may have secrets under any
name: that of the request is left out, and what looks like one in a value (Referer) is masked."""


@final
class LogHeaders(Plugin, IPreRequestFilter):
    def process(self, m2message: Message, environ: dict[str, Any]) -> None:
        told = m2message.headers
        # repr: what a client sends may hold anything but line ends, quotes too.
        headers = ", ".join(f"{name}: {masked(name, told[name])!r}" for name in told if not name.isupper())
        request_id = m2message.request_id
        words = "request %s: %s %s with %s"
        log.info(words, request_id, told["METHOD"], m2message.path, headers, extra=about(request_id))


def masked(name: str, value: str) -> str:
    """The value, as far as it is not secret."""
    if SECRET.search(name.lower()):
        return MASK
    told, mark, _ = value.partition("?")
    return f"{told}{mark}{MASK}" if mark else value
