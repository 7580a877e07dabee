"""The options that the dispatcher goes by while it serves: a restart may change them."""

import msgspec


class Policy(msgspec.Struct, frozen=True):
    """Named as the options (`Config`), with their units; 0 is "no limit" or "off" where the option says so."""

    timeout: float
    queue_timeout: float
    queue_size: int
    redeliver: bool
    graceful_timeout: float
    quarantine: int
    max_requests: int
    max_requests_jitter: int
    answer_memory: int
    answer_spool: int
    answer_memory_total: int
    answer_spool_total: int
