"""What upload filters return."""

from http import HTTPStatus

import pytest

from wsgid.worker.filters.verdict import MAX_BODY, UnusableVerdict, refusal


@pytest.mark.parametrize("returned", [None, True])
def test_it_may_go_on(returned: object) -> None:
    assert refusal(returned) is None


@pytest.mark.parametrize(
    ("returned", "status", "body"),
    [
        (False, "403 Forbidden", b"403 Forbidden\n"),
        (401, "401 Unauthorized", b"401 Unauthorized\n"),
        (HTTPStatus.INSUFFICIENT_STORAGE, "507 Insufficient Storage", b"507 Insufficient Storage\n"),
        (499, "499 Refused", b"499 Refused\n"),
        ("402 Caf\xe9 closed", "402 Caf\xe9 closed", b"402 Caf\xe9 closed\n"),
        ((False, b"no"), "403 Forbidden", b"no"),
        ([413, "h\xf6chstens 5 MB"], "413 Request Entity Too Large", "h\xf6chstens 5 MB".encode()),
        (("400 Bad Request", ""), "400 Bad Request", b""),
        ((400, bytes(MAX_BODY)), "400 Bad Request", bytes(MAX_BODY)),
    ],
)
def test_it_is_refused(returned: object, status: str, body: bytes) -> None:
    refused = refusal(returned)
    assert refused is not None
    head, given = refused
    assert (head.status, given) == (status, body)
    assert head.content_length == len(body)
    assert head.headers == [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("no", "'no' as a status: return a code from 400 to 599, or text such as '403 Forbidden'"),
        ("200 OK", "'200 OK' as a status"),
        ("403 Forbidden\r\nX: y", "as a status"),
        (0, "0 as a status"),
        (302, "302 as a status"),
        (1000, "1000 as a status"),
        (-1, "-1 as a status"),
        ((True, b"yes"), "True as a status"),
        ((None, b"yes"), "None as a status"),
        (4.5, "4.5 as a status"),
        ((403, b"", []), "return True, False, a status, or a pair of status and body"),
        ((), "return True, False, a status, or a pair of status and body"),
        ((403, None), "None as a body: return str or bytes"),
        ((403, bytes(MAX_BODY + 1)), "a body of 16385 bytes: return at most 16384"),
    ],
)
def test_it_is_of_no_use(returned: object, told: str) -> None:
    with pytest.raises(UnusableVerdict) as caught:
        refusal(returned)
    assert told in str(caught.value)
