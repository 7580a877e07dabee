"""Requests, answers and policies to try things with."""

from typing import Any

from wsgid.channel.policy import Policy
from wsgid.protocol.http_answer import written
from wsgid.protocol.values import Head, Request, WrittenHead


def a_request(**changes: Any) -> Request:
    """Its key is its id, unless there is another among the changes."""
    values: dict[str, Any] = {
        "key": changes.get("id", "id-1"),
        "id": "id-1",
        "method": "GET",
        "target": "/path?query",
        "script_name": "",
        "path": "/path",
        "query": "query",
        "version": "HTTP/1.1",
        "headers": [("host", "a")],
        "scheme": "http",
        "server_name": "127.0.0.1",
        "server_port": "80",
        "remote_addr": "192.0.2.1",
        "remote_port": "1024",
        "server_id": "http",
        "client_id": "1",
        "content_length": None,
        "body": b"",
        "body_in_file": False,
    }
    return Request(**{**values, **changes})


def a_head(status: str = "200 OK", *headers: tuple[str, str], length: int | None = None) -> WrittenHead:
    if length is not None:
        headers = (*headers, ("Content-Length", str(length)))
    return written(Head(status, list(headers), length))


def a_policy(**changes: Any) -> Policy:
    """No limits but that of the queue."""
    values: dict[str, Any] = {
        "timeout": 0.0,
        "queue_timeout": 0.0,
        "queue_size": 100,
        "redeliver": True,
        "graceful_timeout": 30.0,
        "quarantine": 0,
        "max_requests": 0,
        "max_requests_jitter": 0,
        "answer_memory": 1024 * 1024,
        "answer_spool": 4 * 1024 * 1024,
        "answer_memory_total": 64 * 1024 * 1024,
        "answer_spool_total": 64 * 1024 * 1024,
    }
    return Policy(**{**values, **changes})
