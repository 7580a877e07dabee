"""Real applications on real frameworks: what their authors and users rely on, the same over both edges."""

import base64
import gzip
import hashlib
import json
import random
import urllib.parse
from pathlib import Path

import pytest

from tests.apps.django_project import PASSWORD, USER
from tests.functional import clients
from tests.functional.browser import CSRF_FIELD, Browser
from tests.functional.conftest import MakeSite, Site

MEBIBYTE = random.Random(1).randbytes(1024 * 1024)

STREAMED = b"".join(b"line %d\n" % number for number in range(1000))

FRAMEWORKS = pytest.mark.parametrize("framework", ["bottle", "django", "falcon", "flask", "pyramid", "pyroutes"])


@FRAMEWORKS
def test_a_framework_has_all_it_needs(site: MakeSite, application: Path, framework: str) -> None:
    served = site(application)
    assert served.request("/").body.lower().startswith(f"hello from {framework}".encode())
    _forms(served)
    _uploads(served, framework)
    _streams(served)
    _redirects(served)
    _cookies(served)
    _environ(served)
    assert served.request("/nowhere").status == 404
    assert "Traceback" not in served.daemon.log


def _forms(served: Site) -> None:
    browser = Browser(served.url)
    assert "<form" in browser.get("/form").text
    assert browser.post("/form", {"name": "J\xfcrgen & S\xf6hne"}).text == "name=J\xfcrgen & S\xf6hne"


def _uploads(served: Site, framework: str) -> None:
    if framework == "pyroutes":  # see its application: no file of a form reaches it on today's Python
        told = served.request("/upload?name=a.bin", "PUT", MEBIBYTE)
    else:
        told = Browser(served.url).post("/upload", {"comment": "large"}, {"file": ("a.bin", MEBIBYTE)})
    digest = hashlib.sha256(MEBIBYTE).hexdigest()
    assert told.json() == {"name": "a.bin", "size": len(MEBIBYTE), "sha256": digest}


def _streams(served: Site) -> None:
    answer = served.request("/stream")
    assert (answer.body, answer.header("transfer-encoding")) == (STREAMED, "chunked")


def _redirects(served: Site) -> None:
    answer = served.request("/redirect")
    assert answer.status in (302, 303)
    location = answer.header("location")
    assert location is not None
    assert urllib.parse.urljoin(served.url, location) == f"{served.url}/"
    assert "hello" in Browser(served.url).get("/redirect").text.lower()


def _cookies(served: Site) -> None:
    browser = Browser(served.url)
    assert browser.get("/cookies").json() == {}
    assert {cookie.name: cookie.value for cookie in browser.cookies} == {"one": "1", "two": "2"}
    assert browser.get("/cookies").json() == {"one": "1", "two": "2"}


def _environ(served: Site) -> None:
    told = served.request("/echo?a=%C3%A9&b", "PUT", b"{}", {"Content-Type": "text/x-own", "X-Own": "yes"}).json()
    assert told["REQUEST_METHOD"] == "PUT"
    assert (told["SCRIPT_NAME"], told["PATH_INFO"], told["QUERY_STRING"]) == ("", "/echo", "a=%C3%A9&b")
    assert (told["CONTENT_TYPE"], told["CONTENT_LENGTH"], told["HTTP_X_OWN"]) == ("text/x-own", "2", "yes")
    assert told["HTTP_HOST"] == served.url.removeprefix("http://")
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["wsgi.run_once"]) == ("127.0.0.1", "http", False)


# Django's admin


def test_the_admin_of_a_new_project(site: MakeSite, django: Path) -> None:
    served = site(django)
    browser = Browser(served.url)
    _log_in(browser)
    _add_a_note(browser)
    _refuse_a_forged_form(browser)
    _log_out(browser)
    assert served.request("/attachment/1").body == MEBIBYTE
    assert served.request("/").text == "Hello from Django; notes: Gr\xfc\xdfe \u2713"
    assert served.request("/static/admin/css/base.css").header("content-type") == "text/css"


def _log_in(browser: Browser) -> None:
    target = "/admin/login/?next=/admin/"
    assert "Log in" in browser.get("/admin/").text
    assert "Please enter the correct username" in browser.submit(target, {"username": USER, "password": "?"}).text
    assert "Site administration" in browser.submit(target, {"username": USER, "password": PASSWORD}).text
    assert {"csrftoken", "sessionid"} <= {cookie.name for cookie in browser.cookies}


def _add_a_note(browser: Browser) -> None:
    fields = {"title": "Gr\xfc\xdfe \u2713", "text": "two\r\nlines", "_save": "Save"}
    page = browser.submit("/admin/notes/note/add/", fields, {"attachment": ("a.bin", MEBIBYTE)})
    assert "was added successfully" in page.text
    page = browser.get("/admin/notes/note/")
    assert "Gr\xfc\xdfe \u2713" in page.text
    assert "1 note" in page.text


def _refuse_a_forged_form(browser: Browser) -> None:
    forged = {"csrfmiddlewaretoken": "x" * 64, "title": "forged", "_save": "Save"}
    answer = browser.post("/admin/notes/note/add/", forged)
    assert answer.status == 403
    assert "CSRF" in answer.text
    assert "forged" not in browser.get("/admin/notes/note/").text


def _log_out(browser: Browser) -> None:
    token = CSRF_FIELD.search(browser.get("/admin/").text)
    assert token is not None
    assert "Logged out" in browser.post("/admin/logout/", {"csrfmiddlewaretoken": token[1]}).text
    assert "Log in" in browser.get("/admin/notes/note/").text


# httpbin, as it comes from the package index


def test_httpbin_as_it_comes(site: MakeSite) -> None:
    served = site("httpbin")
    _httpbin_methods(served)
    _httpbin_forms(served)
    _httpbin_statuses(served)
    _httpbin_cookies(served)
    _httpbin_bytes(served)
    _httpbin_encodings(served)
    _httpbin_auth(served)


def _httpbin_methods(served: Site) -> None:
    told = served.request("/get?a=1&a=2&b=%20", headers={"X-Own": "yes"}).json()
    assert told["args"] == {"a": ["1", "2"], "b": " "}
    assert told["headers"]["X-Own"] == "yes"
    assert told["url"] == f"{served.url}/get?a=1&a=2&b=%20"
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        told = served.request(f"/{method.lower()}", method, b'{"a": [1]}', {"Content-Type": "application/json"}).json()
        assert told["json"] == {"a": [1]}
        assert told["headers"]["Content-Length"] == "10"
    told = clients.request(f"{served.url}/post", "POST", iter([b"in ", b"two chunks"])).json()
    assert told["data"] == "in two chunks"
    assert served.request("/headers", headers={"Accept": "x/y"}).json()["headers"]["Accept"] == "x/y"


def _httpbin_forms(served: Site) -> None:
    browser = Browser(served.url)
    assert browser.post("/post", {"a": "1", "b": "\xfc"}).json()["form"] == {"a": "1", "b": "\xfc"}
    told = browser.post("/post", {"a": "1"}, {"f": ("f.txt", b"a file's contents")}).json()
    assert (told["form"], told["files"]) == ({"a": "1"}, {"f": "a file's contents"})


def _httpbin_statuses(served: Site) -> None:
    for code in (200, 201, 204, 304, 400, 404, 418, 429, 500, 503):
        for method in ("GET", "HEAD", "POST"):
            assert served.request(f"/status/{code}", method).status == code
    assert served.request("/redirect/1").header("location") == "/get"
    assert Browser(served.url).get("/redirect/3").json()["url"] == f"{served.url}/get"
    ranged = served.request("/range/1000", headers={"Range": "bytes=10-19"})
    assert (ranged.status, ranged.header("content-range")) == (206, "bytes 10-19/1000")
    assert ranged.body == b"klmnopqrst"


def _httpbin_cookies(served: Site) -> None:
    browser = Browser(served.url)
    assert browser.get("/cookies/set?a=1&b=2").json() == {"cookies": {"a": "1", "b": "2"}}
    assert browser.get("/cookies/delete?a").json() == {"cookies": {"b": "2"}}


def _httpbin_bytes(served: Site) -> None:
    for seed, count in ((1, 1), (2, 20_000), (3, 100 * 1024)):
        wanted = _random_bytes(seed, count)
        assert served.request(f"/bytes/{count}?seed={seed}").body == wanted
        assert served.request(f"/stream-bytes/{count}?seed={seed}&chunk_size=999").body == wanted
    dripped = served.request("/drip?numbytes=4&duration=0.1")
    assert (dripped.body, dripped.header("content-length")) == (b"****", "4")
    assert [json.loads(line)["id"] for line in served.request("/stream/3").body.splitlines()] == [0, 1, 2]
    assert served.request("/image/png").body.startswith(b"\x89PNG\r\n\x1a\n")


def _random_bytes(seed: int, count: int) -> bytes:
    """As httpbin makes them."""
    made = random.Random(seed)
    return bytes(made.randint(0, 255) for _ in range(count))


def _httpbin_encodings(served: Site) -> None:
    answer = served.request("/gzip", headers={"Accept-Encoding": "gzip"})
    assert answer.header("content-encoding") == "gzip"
    assert json.loads(gzip.decompress(answer.body))["gzipped"] is True
    assert "\u2200x\u2208\u211d" in served.request("/encoding/utf8").text


def _httpbin_auth(served: Site) -> None:
    target = "/basic-auth/user/secret"
    refused = served.request(target)
    assert refused.status == 401
    assert refused.header("www-authenticate") == 'Basic realm="Fake Realm"'
    credentials = base64.b64encode(b"user:secret").decode()
    told = served.request(target, headers={"Authorization": f"Basic {credentials}"}).json()
    assert told == {"authenticated": True, "user": "user"}
