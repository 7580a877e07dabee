"""Applications that keep the rules of PEP 3333 and break them, for the rules in tests/functional/conformance.

Which one is asked for stands in the path, below ``/do/``; every other path is the mirror's. Where nothing is wrong on
purpose, the validator of the standard library stands between the gateway and the application.
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.validate import validator

import bodies
import environs
import files
import starts
from mirror import application as mirror

PREFIX = "/do/"


def probe(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Asked after every rule: is the connection as good as before, and the worker?"""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"probe"]


JUDGED: dict[str, WSGIApplication] = {"probe": probe, **bodies.JUDGED, **environs.JUDGED, **starts.JUDGED}

UNJUDGED: dict[str, WSGIApplication] = {**bodies.UNJUDGED, **files.UNJUDGED, **starts.UNJUDGED}
"""What is wrong with them is what they are for, or the validator would stand between the gateway and their type."""

DOES = {name: validator(each) for name, each in JUDGED.items()} | UNJUDGED

judged_mirror = validator(mirror)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path: str = environ["PATH_INFO"]
    if path.startswith(PREFIX):
        return DOES[path.removeprefix(PREFIX)](environ, start_response)
    # What it plays has calls of wsgi.input that the validator has never heard of.
    asked = mirror if environ["QUERY_STRING"].startswith("calls=") else judged_mirror
    return asked(environ, start_response)
