"""Requests of one connection, all sent at once, each with the behaviour that answers it."""

from dataclasses import dataclass
from typing import Literal

from tests.apps.behaviours.app.wsgi import Behaviour, encode
from tests.unit.protocol.mongrel2_writer import REQUEST_LINE, tnetstring_message

HEADER = "X-Behaviour"


@dataclass(frozen=True)
class Asked:
    method: str
    version: Literal["1.0", "1.1"]
    connection: str
    """The header's value; ``""``: there is none."""
    body: int | None
    """Bytes; None: there is no body, nor a header that speaks of one."""
    chunked: bool

    @property
    def keeps_alive(self) -> bool:
        """What the client wants (RFC 9112 section 9.3)."""
        options = {each.strip().lower() for each in self.connection.split(",")}
        return "close" not in options and (self.version == "1.1" or "keep-alive" in options)


@dataclass(frozen=True)
class Turn:
    asked: Asked
    behaviour: Behaviour

    def http(self, target: str, *, chunks: bool = True) -> bytes:
        """``chunks``: it may be chunked."""
        asked = self.asked
        headers = {"Host": "a", HEADER: encode(self.behaviour)}
        if asked.connection:
            headers["Connection"] = asked.connection
        body = b"b" * (asked.body or 0)
        if asked.body is not None and asked.chunked and chunks:
            headers["Transfer-Encoding"] = "chunked"
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        elif asked.body is not None:
            headers["Content-Length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{asked.method} {target} HTTP/{asked.version}\r\n{lines}\r\n".encode() + body

    def mongrel2(self, target: str, number: str, credits: int) -> bytes:
        """As Mongrel2 passes it on, never chunked: such bodies come by way of files. ``credits``: what it says to a
        connection's first request with flow control, or 0."""
        asked = self.asked
        version = f"HTTP/{asked.version}"
        line = {**REQUEST_LINE, "METHOD": asked.method, "URI": target, "PATH": target, "VERSION": version}
        if credits:
            line["DOWNLOAD_CREDITS"] = str(credits)
        headers = {"host": "a", HEADER.lower(): encode(self.behaviour)}
        if asked.connection:
            headers["connection"] = asked.connection
        if asked.body is not None:
            headers["content-length"] = str(asked.body)
        return tnetstring_message(line, headers, b"b" * (asked.body or 0), f"srv-1 {number} {target}")


@dataclass(frozen=True)
class Conversation:
    turns: list[Turn]
    """The last of them asks for the connection's end."""
    slow: bool
    """The client takes what it is sent by bits."""
