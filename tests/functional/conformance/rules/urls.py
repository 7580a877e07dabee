"""From the target of a request to SCRIPT_NAME, PATH_INFO and QUERY_STRING (RFC 3875)."""

from tests.functional.conformance.outcomes import Answer, Told, by_mongrel2, refused
from tests.functional.conformance.requests import get
from tests.functional.conformance.rule import PREFIXED, ROUTES, Differs, Group, Rule, Why

PATH = "RFC 3875 section 4.1.5"
QUERY = "RFC 3875 section 4.1.7"
SCRIPT = "RFC 3875 section 4.1.13"
UNICODE = 'PEP 3333, "Unicode Issues"'
CHARACTERS = "RFC 3986 section 3.3"

TOO_STRICT = Differs(
    Why.LEFT,
    "Mongrel2 refuses brackets, braces and others that RFC 3986 wants encoded, though browsers send some in queries.",
    by_mongrel2(400),
)


def url(name: str, source: str, text: str, target: str, mongrel2: Differs | None = None, **environ: Told) -> Rule:
    return Rule(name, source, text, get(target), Answer(200, environ=environ), mongrel2=mongrel2)


URLS = (
    url("path-decoded", PATH, "PATH_INFO is decoded.", "/a%20b/%63?d", PATH_INFO="/a b/c"),
    url("path-decoded-once", PATH, "PATH_INFO is decoded once.", "/%2541", PATH_INFO="/%41"),
    url(
        "path-in-any-case",
        "RFC 3986 section 2.1",
        "Escapes in a path are read in either case.",
        "/%c3%C3",
        PATH_INFO="/\xc3\xc3",
    ),
    url(
        "path-with-an-encoded-slash",
        PATH,
        "An encoded slash is a slash in PATH_INFO; REQUEST_URI tells them apart.",
        "/a%2Fb",
        PATH_INFO="/a/b",
        REQUEST_URI="/a%2Fb",
    ),
    url(
        "path-with-an-encoded-nul", PATH, "A path with %00 is the application's to judge.", "/a%00b", PATH_INFO="/a\0b"
    ),
    url(
        "path-with-encoded-line-ends",
        PATH,
        "A path with encoded line ends is the application's to judge.",
        "/a%0D%0Ab",
        PATH_INFO="/a\r\nb",
    ),
    url(
        "path-of-utf-8",
        UNICODE,
        "Decoded bytes of a path are characters of latin-1.",
        "/caf%C3%A9",
        PATH_INFO="/caf\xc3\xa9",
    ),
    url(
        "path-of-no-utf-8",
        UNICODE,
        "A path that is no UTF-8 is the application's to judge.",
        "/%FF%fe%80",
        PATH_INFO="/\xff\xfe\x80",
    ),
    url("path-with-plus", PATH, "`+` in a path is no space.", "/a+b", PATH_INFO="/a+b"),
    url(
        "path-with-parameters",
        CHARACTERS,
        "Parameters behind `;` are part of the path.",
        "/a;b=c/d",
        PATH_INFO="/a;b=c/d",
    ),
    url(
        "path-with-reserved",
        CHARACTERS,
        "All reserved characters may stand in a path.",
        "/:@!$&'()*,=~",
        PATH_INFO="/:@!$&'()*,=~",
    ),
    url(
        "path-with-dots",
        "RFC 3986 section 5.2.4",
        "`.` and `..` in a path stay as they are.",
        "/a/../b/./c",
        PATH_INFO="/a/../b/./c",
    ),
    url(
        "path-with-encoded-dots",
        "RFC 3986 section 5.2.4",
        "Encoded `.` and `..` are decoded and stay.",
        "/a/%2e%2E/b",
        PATH_INFO="/a/../b",
    ),
    url("path-with-empty-segments", CHARACTERS, "Empty segments of a path stay.", "/a//b///", PATH_INFO="/a//b///"),
    url(
        "path-with-two-slashes",
        CHARACTERS,
        "A target that begins with `//` is a path.",
        "//x/y",
        PATH_INFO="//x/y",
        HTTP_HOST="www.example.org:81",
    ),
    url(
        "path-with-no-escape",
        "RFC 3986 section 2.1",
        "`%` that begins no escape stays as it is.",
        "/%zz%4",
        Differs(Why.LEFT, "Mongrel2 refuses `%` that begins no escape.", by_mongrel2(400)),
        PATH_INFO="/%zz%4",
    ),
    url(
        "path-with-brackets",
        CHARACTERS,
        "A path may have characters that should have been encoded.",
        "/[a]{b}|c^",
        TOO_STRICT,
        PATH_INFO="/[a]{b}|c^",
    ),
    url("query-not-decoded", QUERY, "QUERY_STRING is not decoded.", "/?a=%20+%2B", QUERY_STRING="a=%20+%2B"),
    url(
        "query-with-slashes",
        QUERY,
        "A query may have slashes and question marks.",
        "/a?/b?c",
        QUERY_STRING="/b?c",
        PATH_INFO="/a",
    ),
    url("query-encoded", QUERY, "An encoded `?` begins no query.", "/a%3Fb", QUERY_STRING="", PATH_INFO="/a?b"),
    url(
        "query-with-brackets",
        "RFC 3986 section 3.4",
        "A query may have characters that should have been encoded.",
        "/?a[]=1",
        TOO_STRICT,
        QUERY_STRING="a[]=1",
    ),
    url(
        "fragment-dropped",
        "RFC 9112 section 3.2",
        "A fragment is no part of a target, and is dropped.",
        "/a?b#c?d",
        PATH_INFO="/a",
        QUERY_STRING="b",
        REQUEST_URI="/a?b",
    ),
)

NO_ROUTES = Differs(Why.OTHERWISE, "There are no routes over HTTP, but --script-name.", ())


def route(name: str, text: str, target: str, script_name: str, path_info: str) -> Rule:
    told = Answer(200, environ={"SCRIPT_NAME": script_name, "PATH_INFO": path_info})
    return Rule(f"route-{name}", SCRIPT, text, get(target), told, http=NO_ROUTES)


ROUTED = (
    route("root", "Under the route / SCRIPT_NAME is empty.", "/other", "", "/other"),
    route("prefix", "The route is SCRIPT_NAME, the rest of the path is PATH_INFO.", "/mounted/a/b", "/mounted", "/a/b"),
    route("itself", "PATH_INFO is empty where the path is the route.", "/mounted", "/mounted", ""),
    route("with-slash", "A slash behind the route is PATH_INFO.", "/mounted/", "/mounted", "/"),
    route(
        "ending-in-slash", "A slash at the end of the route is no part of SCRIPT_NAME.", "/slashed/a", "/slashed", "/a"
    ),
    route(
        "ending-in-slash-itself",
        "A slash at the end of both route and path is PATH_INFO.",
        "/slashed/",
        "/slashed",
        "/",
    ),
    route("encoded", "SCRIPT_NAME is decoded.", "/e%20e/a%20b", "/e e", "/a b"),
    route("pattern", "Of a route with a pattern SCRIPT_NAME is what stands before it.", "/pattern/a", "/pattern", "/a"),
    route(
        "longer-word",
        "A route that ends within a word of the path is no SCRIPT_NAME.",
        "/mountedly/a",
        "",
        "/mountedly/a",
    ),
    route(
        "longer-than-the-path",
        "A route that is longer than the path is no SCRIPT_NAME.",
        "/longer/than",
        "",
        "/longer/than",
    ),
    route("with-two-slashes", "PATH_INFO behind a route may begin with two slashes.", "/mounted//a", "/mounted", "//a"),
    route("encoded-otherwise", "Routes are compared with the path as it was sent.", "/m%6Funted/a", "", "/mounted/a"),
)

MONGREL2_HAS_ROUTES = Differs(
    Why.OTHERWISE, "Behind Mongrel2 its routes say the same, and --script-name changes nothing.", ()
)


def mounted(name: str, text: str, target: str, script_name: str, path_info: str) -> Rule:
    told = Answer(200, environ={"SCRIPT_NAME": script_name, "PATH_INFO": path_info})
    return Rule(f"script-name-{name}", SCRIPT, text, get(target), told, mongrel2=MONGREL2_HAS_ROUTES, setup=PREFIXED)


def outside(name: str, text: str, target: str) -> Rule:
    sent = get(target)
    return Rule(f"script-name-{name}", SCRIPT, text, sent, refused(404), mongrel2=MONGREL2_HAS_ROUTES, setup=PREFIXED)


SCRIPT_NAMES = (
    mounted(
        "prefix", "--script-name is SCRIPT_NAME, the rest of the path is PATH_INFO.", "/e%20e/a%20b", "/e e", "/a b"
    ),
    mounted("itself", "PATH_INFO is empty where the path is --script-name.", "/e%20e?a=b", "/e e", ""),
    mounted("with-slash", "A slash behind --script-name is PATH_INFO.", "/e%20e/", "/e e", "/"),
    mounted("absolute", "--script-name counts in a URL as target, too.", "http://other/e%20e/a", "/e e", "/a"),
    outside("outside", "A path outside --script-name gets 404 from wsgid.", "/other"),
    outside("root", "`/` is outside --script-name.", "/"),
    outside("longer-word", "A path that ends --script-name within a word is outside.", "/e%20ex/a"),
    outside("encoded-otherwise", "Paths are compared with --script-name as they were sent.", "/%65%20e/a"),
)

ALL_ROUTES = f"The routes are {', '.join(f'`{each}`' for each in ROUTES)}."

GROUPS = (
    Group("URLs", URLS),
    Group("SCRIPT_NAME by Mongrel2's routes", ROUTED, ALL_ROUTES),
    Group("SCRIPT_NAME by --script-name", SCRIPT_NAMES, "The option is `--script-name /e%20e`."),
)
