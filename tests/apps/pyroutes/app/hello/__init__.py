import hashlib
import json
from collections.abc import Iterator

from pyroutes import route
from pyroutes.http.request import Request
from pyroutes.http.response import Redirect, Response
from pyroutes.template import TemplateRenderer


@route("/")
def index(request: Request) -> str:
    return "Hello from pyroutes"


@route("/form")
def form(request: Request) -> str:
    if request.POST:
        return f"name={request.POST['name']}"
    return str(TemplateRenderer().render("form.xml", {}))


@route("/upload")
def upload(request: Request) -> Response:
    # By PUT, ?name=...: of a form's files pyroutes 0.5.1 passes on only those that were closed before (a FieldStorage
    # of today closes its files when nobody refers to it any more).
    content = request.PUT.read()
    facts = {"name": request.GET["name"], "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return Response(json.dumps(facts), {"Content-Type": "application/json"})


@route("/stream")
def stream(request: Request) -> Response:
    def parts() -> Iterator[bytes]:
        for number in range(1000):
            yield b"line %d\n" % number

    return Response(parts(), {"Content-Type": "text/plain"})


@route("/redirect")
def leave(request: Request) -> Response:
    return Redirect("/")


@route("/cookies")
def cookies(request: Request) -> Response:
    """Tells those that came and sets two."""
    names = ("one", "two")
    came = {name: value for name in names if (value := request.COOKIES.get_unsigned_cookie(name)) is not None}
    response = Response(json.dumps(came), {"Content-Type": "application/json"})
    for value, name in enumerate(names, 1):
        response.cookies.add_unsigned_cookie(name, value)
    return response


@route("/echo")
def echo(request: Request) -> Response:
    facts = {name: value for name, value in request.ENV.items() if isinstance(value, str | bool | int)}
    return Response(json.dumps(facts), {"Content-Type": "application/json"})
