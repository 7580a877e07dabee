"""What front ends say of their clients: any headers give something that makes sense, and clients cannot change it.

An input is lines of headers, as ``name: value``, or values alone.
"""

import re

from tests.unit.protocol.forwarded_rules import (
    ALL_TRUSTED,
    FORWARDED,
    X_FORWARDED,
    check_no_client_changes_it,
    check_sense,
)
from wsgid.protocol.values import Header

NO_VALUE = re.compile("[\0-\x08\x0b-\x1f\x7f]")
"""Control characters but TAB and LF: neither edge lets them through."""


def check(data: bytes) -> None:
    lines = NO_VALUE.sub(" ", data.decode("latin-1")).split("\n")
    headers = [header_of(line) for line in lines]
    for front_ends in (X_FORWARDED, FORWARDED, ALL_TRUSTED):
        check_sense(headers, front_ends)
    *own_lines, same_line = [value for _, value in headers]
    check_no_client_changes_it(own_lines, same_line, "192.0.2.1", ["10.0.0.2"])
    check_no_client_changes_it(own_lines, same_line, "2001:db8::1", [])


def header_of(line: str) -> Header:
    name, _, value = line.partition(": ")
    return name.lower(), value.strip(" \t")


def seeds() -> list[bytes]:
    return [
        b"X-Forwarded-For: 192.0.2.1, 10.0.0.1:80\nX-Forwarded-Proto: https\nX-Forwarded-Host: shop.example:84",
        b"X-Forwarded-For: ::1\nX-Forwarded-For: [2001:db8::1]:80, unix:\nX-Request-Id: abc-1",
        b'Forwarded: for="[2001:db8::1]:80";proto=https;host="a,b \\" \\\\", for=10.0.0.1\nHost: a',
        b'Forwarded: for=unknown, for=_h;by="unix:"\nForwarded: For=192.0.2.43, for="10.0.0.9:_p"\nX-Request-Id: a=',
    ]
