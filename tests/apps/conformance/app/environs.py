"""Questions about the environ that its text does not answer (PEP 3333, "environ Variables")."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from given import TEXT, given


def says_of_environ(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Its type, and that it can be changed without a trace in the next one."""
    said = f"{type(environ).__name__}, {environ.pop('conformance', 'as good as new')}"
    environ["conformance"] = "not the first to have it"
    start_response("200 OK", [TEXT])
    return [said.encode()]


def says_types(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The types of all values under names of CGI, each once."""
    types = {type(value).__name__ for name, value in environ.items() if name.isupper()}
    start_response("200 OK", [TEXT])
    return [" ".join(sorted(types)).encode()]


def complains(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """To wsgi.errors, in every way that it has to offer."""
    text, errors = given(environ, "text", "complaint"), environ["wsgi.errors"]
    errors.write(f"{text} written\n")
    errors.writelines([f"{text} in ", "pieces\n"])
    errors.flush()
    start_response("200 OK", [TEXT])
    return [b"complained"]


def mutters(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Half a line to wsgi.errors."""
    environ["wsgi.errors"].write("half a line")
    start_response("200 OK", [TEXT])
    return [b"muttered"]


JUDGED: dict[str, WSGIApplication] = {
    "says-of-environ": says_of_environ,
    "says-types": says_types,
    "complains": complains,
    "mutters": mutters,
}
