"""On which terms requests from Mongrel2 are taken: how they are named, how large they may be, who is trusted."""

from collections.abc import Callable

import msgspec

from wsgid.protocol.limits import HttpLimits
from wsgid.protocol.mongrel2_fields import Fields, Repeats
from wsgid.protocol.request_id import REQUEST_ID, doubt, is_request_id


class Terms(msgspec.Struct, frozen=True):
    next_key: Callable[[], str]
    """Gives the key of a new Request."""
    limits: HttpLimits
    trusts: Callable[[str], bool]
    """As `wsgid.protocol.trust.Trust`: of an address that Mongrel2 tells."""
    doubt: Callable[[str], None]
    """Told, in words, of what a trusted client said and was not believed."""

    def request_id(self, key: str, fields: Fields, repeats: Repeats, remote_addr: str) -> str:
        """The one that the client gave, if that is a front end; else the key."""
        given = fields.get(REQUEST_ID)
        if given is None and REQUEST_ID in repeats:
            given = ",".join(repeats[REQUEST_ID])  # several are none
        if given is None or not (remote_addr and self.trusts(remote_addr)):
            return key
        if is_request_id(given):
            return given
        self.doubt(f"request {key}: what a front end says is not believed: {doubt(given)}")
        return key
