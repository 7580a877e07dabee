import hashlib
from collections.abc import Iterator
from pathlib import Path

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound, HTTPInternalServerError, HTTPNoContent
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, view_config

ITEM = "gr\xfc\xdfe & mehr"
"""An item's name that has to be escaped in a URL."""

STATIC = str(Path(__file__).parent / "static")


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


@view_config(route_name="absolute")
def leave_by_its_whole_url(request: Request) -> Response:
    return HTTPFound(request.route_url("index"))


@view_config(route_name="item")
def item(request: Request) -> Response:
    return Response(f"{request.matchdict['name']}: {request.GET.getall('tag')}", content_type="text/plain")


@view_config(route_name="urls", renderer="json")
def urls(request: Request) -> dict[str, str]:
    """Where this application has its pages, as it is told apart from its server."""
    return {
        "root": request.script_name,
        "here": request.url,
        "index": request.route_path("index"),
        "whole": request.route_url("index"),
        "item": request.route_path("item", name=ITEM),
        "static": request.static_path(f"{STATIC}/site.css"),
    }


@view_config(route_name="etag")
def tagged(request: Request) -> Response:
    return Response("unchanged", etag="one", conditional_response=True)


@view_config(route_name="nothing")
def nothing(request: Request) -> Response:
    return HTTPNoContent()


@view_config(route_name="error")
def fail(request: Request) -> Response:
    raise RuntimeError("as it was asked to")


@exception_view_config(Exception)
def failed(request: Request) -> Response:
    """Without it exceptions would be the server's to answer."""
    return HTTPInternalServerError()


@view_config(route_name="body", request_method="PUT", renderer="json")
def body(request: Request) -> dict[str, object]:
    content = request.body
    return {
        "type": request.content_type,
        "length": request.content_length,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


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
    config.add_route("item", "/items/{name}/")
    for name in (
        "form",
        "upload",
        "stream",
        "redirect",
        "absolute",
        "urls",
        "etag",
        "nothing",
        "error",
        "body",
        "cookies",
        "echo",
    ):
        config.add_route(name, f"/{name}")
    config.add_static_view("static", STATIC)
    config.add_notfound_view(append_slash=True)
    config.scan()
    application = config.make_wsgi_app()
