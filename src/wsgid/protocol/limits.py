"""How large a request may be, and in which words one that is larger is refused: the same over every edge."""

import msgspec

from wsgid.protocol.http_request import Refused


class HttpLimits(msgspec.Struct, frozen=True):
    """What a client may send."""

    request_line: int
    """Bytes of the request target."""
    fields: int
    """Header lines."""
    headers: int
    """Bytes of all header lines together, each with ``: `` and its line end."""
    body: int
    """Bytes of the decoded body."""

    def long_target(self) -> Refused:
        return Refused(414, f"the target is longer than {self.request_line} bytes")

    def many_fields(self) -> Refused:
        return Refused(431, f"more than {self.fields} header lines")

    def large_headers(self) -> Refused:
        return Refused(431, f"the header lines are longer than {self.headers} bytes")

    def large_body(self) -> Refused:
        return Refused(413, f"the body is longer than {self.body} bytes")


FIELD_OVERHEAD = len(": \r\n")
"""Bytes of a header line beside its name and its value."""
