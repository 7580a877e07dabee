"""What Mongrel2 does in more than one group of rules."""

from tests.functional.conformance.rule import Differs, Why

LAST_CHUNKED = Differs(
    Why.WRONG,
    "Mongrel2 mixes bytes of its memory into a large body that follows a chunked one: wsgid ends the connection with "
    "the answer to a request in chunks.",
    None,
)
