"""Requests of rules, as short as can be."""

from urllib.parse import quote, urlencode

HOST = "www.example.org:81"


def raw(*lines: str, body: bytes = b"") -> bytes:
    """Just these lines; one character is one byte."""
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def get(target: str = "/", *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    return raw(f"{method} {target} HTTP/{version}", f"Host: {HOST}", *fields)


def head(target: str = "/", *fields: str, version: str = "1.1") -> bytes:
    return get(target, *fields, method="HEAD", version=version)


def post(target: str, body: bytes, *fields: str, method: str = "POST", version: str = "1.1") -> bytes:
    """With a Content-Length."""
    return get(target, f"Content-Length: {len(body)}", *fields, method=method, version=version) + body


def chunked(*parts: bytes) -> bytes:
    """A body in just these chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def post_chunked(target: str, *parts: bytes) -> bytes:
    return get(target, "Transfer-Encoding: chunked", method="POST") + chunked(*parts)


def do(name: str, **given: object) -> str:
    """The target by which tests/apps/conformance does this, with values as Python writes them."""
    query = urlencode({key: ascii(value) for key, value in given.items()}, quote_via=quote)
    return f"/do/{name}?{query}"


def long(size: int) -> list[tuple[str, str]]:
    """Headers of an answer of so many bytes."""
    return [("Content-Type", "text/plain"), ("Content-Length", str(size))]
