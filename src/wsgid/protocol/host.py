"""SERVER_NAME and SERVER_PORT from a Host header."""

import functools
import re
from typing import Final

UNKNOWN: Final = "localhost"
"""The name when there is none: WSGI wants one that is never empty (PEP 3333, "environ Variables")."""

# RFC 3986, section 3.2.2. Percent-encoded names and IPvFuture are legal there, but nothing resolves them and links
# made of them are of no use: unknown. A registered name is at most 255 bytes long.
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+,;=-]{1,255})(?::([0-9]{0,5}))?")


@functools.lru_cache(maxsize=256)
def split_host(host: str, default_port: str) -> tuple[str, str]:
    """Name and port, as CGI's SERVER_NAME and SERVER_PORT (RFC 3875, sections 4.1.14 and 4.1.15).

    ``[::1]:8000`` gives ``("[::1]", "8000")``: with its brackets, as RFC 3875 writes it and as PEP 3333's URL
    reconstruction needs it. A missing or empty port is ``default_port``. A host that is empty or not one by RFC 3986
    gives ``("localhost", default_port)``; its text is in HTTP_HOST all the same.
    """
    match = _HOST.fullmatch(host)
    if match is None:
        return UNKNOWN, default_port
    name, port = match.groups()
    if not port:
        return name, default_port
    if int(port) > 65535:
        return UNKNOWN, default_port
    return name, port
