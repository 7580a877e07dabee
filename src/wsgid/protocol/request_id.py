"""``X-Request-Id``: by which name a front end knows a request."""

import re
from typing import Final

REQUEST_ID: Final = "x-request-id"

MAX_ID: Final = 128
"""Characters: every line about the request has it, and its answer."""

# Tokens (RFC 9110 section 5.6.2) and what UUIDs, base64 and the trace ids of clouds have beside them. Not what ends or
# quotes a word: it stands in lines that are read word by word.
_ID: Final = re.compile(rf"[A-Za-z0-9!#$%&'*+.^_`|~/=:@-]{{1,{MAX_ID}}}").fullmatch


def is_request_id(value: str) -> bool:
    return _ID(value) is not None


def doubt(value: str) -> str:
    """In words, about one that is none."""
    return f"{value[:80]!r} is not a request id"
