import hashlib
from collections.abc import Iterator

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config


@view_config(route_name="index")
def index(request: Request) -> Response:
    return Response("Hello from Pyramid")


@view_config(route_name="form", request_method="GET")
def form(request: Request) -> Response:
    return Response('<form method="post"><input name="name"></form>')


@view_config(route_name="form", request_method="POST")
def submit(request: Request) -> Response:
    return Response(f"name={request.POST['name']}")


@view_config(route_name="upload", request_method="POST", renderer="json")
def upload(request: Request) -> dict[str, object]:
    file = request.POST["file"]
    content = file.file.read()
    return {"name": file.filename, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@view_config(route_name="stream")
def stream(request: Request) -> Response:
    def parts() -> Iterator[bytes]:
        for number in range(1000):
            yield b"line %d\n" % number

    return Response(app_iter=parts(), content_type="text/plain")


@view_config(route_name="redirect")
def leave(request: Request) -> Response:
    return HTTPFound(request.route_path("index"))


@view_config(route_name="cookies", renderer="json")
def cookies(request: Request) -> dict[str, object]:
    """Tells those that came and sets two."""
    request.response.set_cookie("one", "1")
    request.response.set_cookie("two", "2")
    return dict(request.cookies)


@view_config(route_name="echo", renderer="json")
def echo(request: Request) -> dict[str, object]:
    return {name: value for name, value in request.environ.items() if isinstance(value, str | bool | int)}


with Configurator() as config:
    config.add_route("index", "/")
    for name in ("form", "upload", "stream", "redirect", "cookies", "echo"):
        config.add_route(name, f"/{name}")
    config.scan()
    application = config.make_wsgi_app()
