"""Values of options that are right each by itself, and cannot be had together."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from wsgid.addresses import TcpAddress, parse_bind
from wsgid.config import DEFAULT_BIND


def conflicts(values: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each, with the sources. An option that is wrong by itself is not among the values, and has been
    told."""
    if {"recv", "send"} <= values.keys():
        yield from _unpaired(values, sources)
    if {"bind", "metrics", "recv"} <= values.keys():
        yield from _bound_twice(values, sources)


def _unpaired(values: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[str]:
    recv, send = len(values["recv"]), len(values["send"])
    if recv != send:
        yield (
            f"--recv and --send go in pairs, but there are {recv} of --recv ({sources['recv']}) and {send} of --send "
            f"({sources['send']}): give each Mongrel2 handler's send_spec as --recv and its recv_spec as --send"
        )


def _bound_twice(values: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[str]:
    binds = values["bind"] or (() if values["recv"] else (DEFAULT_BIND,))
    seen: dict[str, str] = {}
    for name, addresses in (("bind", binds), ("metrics", values["metrics"])):
        here = f"--{name} ({sources[name]})"
        for address in addresses:
            key = _bound(address)
            if key in seen:
                yield (
                    f"{address} is given twice, by {seen[key]} and by {here}: leave one away, or choose another address"
                )
            elif key is not None:
                seen[key] = here


def _bound(address: str) -> str | None:
    """By which two spellings of an address are the same; None for port 0, which is another one each time."""
    parsed = parse_bind(address)
    if isinstance(parsed, TcpAddress):
        return str(parsed) if parsed.port else None
    return os.path.realpath(parsed.path)
