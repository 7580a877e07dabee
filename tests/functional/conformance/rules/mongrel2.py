"""What Mongrel2 does in more than one group of rules."""

from tests.functional.conformance.outcomes import by_mongrel2
from tests.functional.conformance.rule import Differs, Why

LAST_CHUNKED = Differs(
    Why.WRONG,
    "Mongrel2 mixes bytes of its memory into a large body that follows a chunked one: wsgid ends the connection with "
    "the answer to a request in chunks.",
    None,
)

REFUSES = Differs(Why.LEFT, "Mongrel2 refuses the request by itself.", by_mongrel2(400))
KNOWS_NO_WAY = Differs(Why.LEFT, "Mongrel2 refuses the request by itself, for no route leads there.", by_mongrel2(404))
