"""What a front end says of its client, and when it is believed (docs/front-ends.md)."""

import re
from dataclasses import replace

from tests.functional.conformance.outcomes import Answer, Known, Record, Told
from tests.functional.conformance.requests import get
from tests.functional.conformance.rule import PREFIXED, SMALL, Differs, Group, Rule, Why

PAGE = "docs/front-ends.md"
FORWARDED = "RFC 7239 section 4"

PEER: dict[str, Told] = {
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "www.example.org:81",
    "SERVER_PORT": Known.PORT,
}
"""As it is without a word of a front end."""


def told_by(environ: dict[str, Told], doubt: str = "") -> Answer:
    """``doubt`` is in the log, at its level DEBUG: a client can have it written as often as it likes."""
    log: tuple[Record, ...] = ((" DEBUG ", doubt),) if doubt else ()
    return Answer(200, environ={**PEER, **environ}, remote=str(environ.get("REMOTE_ADDR", "127.0.0.1")), log=log)


ITS_OWN_WORD = "Mongrel2 itself says who its client is: wsgid believes that, and nothing that the client sends."
DROPPED = "'x_forwarded_for' is dropped"

MONGREL2S = Differs(
    Why.OTHERWISE,
    ITS_OWN_WORD,
    told_by({"SERVER_PORT": "81"}),
)


def believed(
    name: str, text: str, environ: dict[str, Told], *fields: str, doubt: str = "", mongrel2: Differs = MONGREL2S
) -> Rule:
    return Rule(f"front-end-{name}", PAGE, text, get("/", *fields), told_by(environ, doubt), mongrel2=mongrel2)


def by_forwarded(name: str, text: str, environ: dict[str, Told], *fields: str, doubt: str = "") -> Rule:
    return Rule(
        f"front-end-forwarded-{name}",
        FORWARDED,
        text,
        get("/e%20e", *fields),
        told_by(environ, doubt),
        mongrel2=MONGREL2S,
        setup=PREFIXED,
    )


ALL = ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example")

CLIENTS = (
    believed(
        "client",
        "The address that a trusted front end tells is REMOTE_ADDR, in the access log, too; there is no REMOTE_PORT.",
        {"REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": None, "HTTP_X_FORWARDED_FOR": "192.0.2.1"},
        "X-Forwarded-For: 192.0.2.1",
    ),
    believed(
        "chain",
        "Of several addresses the last counts that is not trusted itself: what stands before it anybody may have said.",
        {"REMOTE_ADDR": "192.0.2.1"},
        "X-Forwarded-For: 6.6.6.6, 192.0.2.1:4711",
        "X-Forwarded-For: 127.0.0.1",
    ),
    believed(
        "of-ipv6",
        "The address may be one of IPv6, in brackets where it has a port.",
        {"REMOTE_ADDR": "2001:db8::1"},
        "X-Forwarded-For: [2001:db8::1]:4711",
    ),
    believed(
        "no-address",
        "What is no address is not believed, nor what stands before it.",
        {},
        "X-Forwarded-For: 192.0.2.1, me",
        doubt="'me' is not an address",
    ),
    believed(
        "scheme",
        "The scheme that it tells is `wsgi.url_scheme`, and SERVER_PORT is Host's.",
        {"wsgi.url_scheme": "https", "SERVER_NAME": "www.example.org", "SERVER_PORT": "81"},
        "X-Forwarded-Proto: https",
    ),
    believed(
        "no-scheme",
        "A scheme other than http and https is not believed.",
        {},
        "X-Forwarded-Proto: gopher",
        doubt="'gopher' is neither http nor https",
    ),
    believed(
        "host",
        "The host that it tells is Host, SERVER_NAME and SERVER_PORT.",
        {"HTTP_HOST": "shop.example:82", "SERVER_NAME": "shop.example", "SERVER_PORT": "82"},
        "X-Forwarded-Host: shop.example:82",
    ),
    believed(
        "no-host",
        "What is no host is not believed.",
        {},
        "X-Forwarded-Host: not a host",
        doubt="'not a host' is not a host",
    ),
    believed(
        "underscores",
        "Names with `_` are not believed.",
        {},
        "X_Forwarded_For: 192.0.2.1",
        doubt=DROPPED,
        mongrel2=replace(MONGREL2S, expect=told_by({"SERVER_PORT": "81"}, DROPPED)),
    ),
    believed(
        "other-way",
        "Forwarded is not believed where the option is `--forwarded-headers x-forwarded`, as it comes.",
        {"HTTP_FORWARDED": "for=192.0.2.1;proto=https"},
        "Forwarded: for=192.0.2.1;proto=https",
    ),
    by_forwarded(
        "client",
        "With `--forwarded-headers forwarded` address, scheme and host are those of Forwarded.",
        {"REMOTE_ADDR": "192.0.2.1", "wsgi.url_scheme": "https", "HTTP_HOST": "shop.example", "SERVER_PORT": "443"},
        "Forwarded: for=192.0.2.1;proto=https;host=shop.example",
    ),
    by_forwarded(
        "quoted",
        "Values of Forwarded may be quoted, with commas and semicolons in them.",
        {"REMOTE_ADDR": "2001:db8::1"},
        'Forwarded: for=6.6.6.6;by="a,b;c", for="[2001:db8::1]:4711"',
    ),
    by_forwarded(
        "unknown",
        "Where Forwarded says that it does not know, what stands before it is not believed.",
        {},
        "Forwarded: for=192.0.2.1, for=unknown",
    ),
    by_forwarded(
        "garbage",
        "What is no Forwarded is not believed.",
        {},
        "Forwarded: for=192.0.2.1, garbage",
        doubt="'garbage' is not an element of Forwarded",
    ),
    by_forwarded("other-way", "X-Forwarded-... is not believed then.", {}, *ALL),
    Rule(
        "front-end-not-trusted",
        PAGE,
        "Of somebody who is not among --forwarded-allow-ips nothing is believed.",
        get("/", *ALL),
        told_by({"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "shop.example"}),
        mongrel2=MONGREL2S,
        setup=SMALL,
    ),
    Rule(
        "forwarded-for-as-sent",
        PAGE,
        "What was said is among the headers as it was sent, believed or not.",
        get("/", ALL[0]),
        Answer(200, environ={"HTTP_X_FORWARDED_FOR": "192.0.2.1"}),
        mongrel2=Differs(
            Why.WRONG,
            "Mongrel2 writes its client's address over X-Forwarded-For, unless it is set up with no_clobber_xff.",
            Answer(200, environ={"HTTP_X_FORWARDED_FOR": "127.0.0.1"}),
        ),
        setup=SMALL,
    ),
)


OURS = re.compile(r"[0-9a-f]+-[0-9]+")


def called(name: str, *, doubt: str = "") -> Answer:
    log: tuple[Record, ...] = ((" DEBUG ", doubt),) if doubt else ()
    told: Told = name or OURS
    return Answer(200, headers={"x-request-id": Known.REQUEST_ID}, environ={"wsgid.request_id": told}, log=log)


def ask(*names: str) -> bytes:
    return get("/", *(f"X-Request-Id: {name}" for name in names))


REFUSED = get("/", "X-Request-Id: refused-1", "Host: another")
NAMED_REFUSAL = Answer(400, headers={"x-request-id": "refused-1"}, closes=True, end="refused")

IDS = (
    Rule(
        "id-of-a-front-end",
        PAGE,
        "The X-Request-Id of a trusted front end is `wsgid.request_id`, in the logs and in the answer.",
        ask("Root=1-2:3/x+y"),
        called("Root=1-2:3/x+y"),
    ),
    Rule("id-of-a-refusal", PAGE, "That is so for a request that is refused.", REFUSED, NAMED_REFUSAL),
    Rule(
        "id-not-trusted",
        PAGE,
        "X-Request-Id of anybody else is a header as any other.",
        ask("abc-1"),
        called(""),
        setup=SMALL,
    ),
    Rule(
        "id-with-blanks",
        PAGE,
        "An X-Request-Id that would make two words of itself in a log is not taken over.",
        ask("a b"),
        called("", doubt="'a b' is not a request id"),
    ),
    Rule(
        "id-of-most-characters",
        PAGE,
        "An X-Request-Id may have 128 characters.",
        ask("x" * 128),
        called("x" * 128),
    ),
    Rule(
        "id-with-quotes",
        PAGE,
        "An X-Request-Id with quotes is not taken over.",
        ask('a"b'),
        called("", doubt="is not a request id"),
    ),
    Rule(
        "id-too-long",
        PAGE,
        "One of more than 128 characters is not taken over.",
        ask("x" * 129),
        called("", doubt="is not a request id"),
    ),
    Rule(
        "id-twice",
        PAGE,
        "Of several X-Request-Id none is taken over.",
        ask("a", "b"),
        called("", doubt="'a,b' is not a request id"),
    ),
)

GROUPS = (
    Group("Front ends", CLIENTS, "The test is the front end, and trusted where the rule does not say otherwise."),
    Group("Request ids of front ends", IDS),
)
