"""A browser without a window: cookies, redirects, forms with Django's CSRF token, uploads."""

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping

from tests.deadlines import seconds
from tests.functional.clients import Answer

CSRF_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Browser:
    """Stays on one site; ``url`` is without a slash at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        # No proxies, whatever the environment says: everything is on this machine.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def get(self, target: str) -> Answer:
        """Follows redirects, as post() does; the answer is the last one."""
        return self._open(urllib.request.Request(self.url + target))

    def post(
        self, target: str, fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]] | None = None
    ) -> Answer:
        """Sends a form; ``files`` maps a field to a file's name and contents."""
        body, content_type = _multipart(fields, files) if files else _urlencoded(fields)
        headers = {"Content-Type": content_type, "Referer": self.url + target}
        return self._open(urllib.request.Request(self.url + target, body, headers))

    def submit(
        self, target: str, fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]] | None = None
    ) -> Answer:
        """Gets the page with the form, takes the CSRF token from it and posts the form to the same page."""
        page = self.get(target)
        token = CSRF_FIELD.search(page.text)
        assert token, f"no form with a CSRF token on {target}: {page.status} {page.text[:500]}"
        return self.post(target, {"csrfmiddlewaretoken": token[1], **fields}, files)

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            response = self._opener.open(request, timeout=seconds())
        except urllib.error.HTTPError as error:  # any answer of 400 and up: an answer all the same
            response = error
        with response:
            headers = [(name.lower(), value) for name, value in response.headers.items()]
            return Answer(response.status, response.reason, headers, response.read())


def _urlencoded(fields: Mapping[str, str]) -> tuple[bytes, str]:
    return urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _multipart(fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]) -> tuple[bytes, str]:
    """RFC 7578: the body and its Content-Type."""
    boundary = uuid.uuid4().hex
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [(f'name="{name}"; filename="{file}"', contents) for name, (file, contents) in files.items()]
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {what}\r\n\r\n".encode() + contents + b"\r\n"
        for what, contents in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
