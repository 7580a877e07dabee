import hashlib
import json
from collections.abc import Iterator

from flask import Flask, Response, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

application = Flask(__name__)

ITEM = "gr\xfc\xdfe & mehr"
"""An item's name that has to be escaped in a URL."""


@application.get("/")
def index() -> str:
    return "Hello from Flask"


@application.route("/form", methods=["GET", "POST"])
def form() -> str:
    if request.method == "POST":
        return f"name={request.form['name']}"
    return '<form method="post"><input name="name"></form>'


@application.post("/upload")
def upload() -> dict[str, object]:
    file = request.files["file"]
    content = file.read()
    return {"name": file.filename, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@application.get("/stream")
def stream() -> Response:
    def parts() -> Iterator[str]:
        for number in range(1000):
            yield f"line {number}\n"

    return Response(parts(), mimetype="text/plain")


@application.get("/redirect")
def leave() -> BaseResponse:
    return redirect(url_for("index"))


@application.get("/absolute")
def leave_by_its_whole_url() -> BaseResponse:
    return redirect(url_for("index", _external=True))


@application.get("/items/<name>/")
def item(name: str) -> Response:
    return Response(f"{name}: {request.args.getlist('tag')}", mimetype="text/plain")


@application.get("/urls")
def urls() -> dict[str, str]:
    """Where this application has its pages, as it is told apart from its server."""
    return {
        "root": request.root_path,
        "here": request.url,
        "index": url_for("index"),
        "whole": url_for("index", _external=True),
        "item": url_for("item", name=ITEM),
        "static": url_for("static", filename="site.css"),
    }


@application.get("/etag")
def tagged() -> BaseResponse:
    response = Response("unchanged")
    response.set_etag("one")
    return response.make_conditional(request)


@application.get("/nothing")
def nothing() -> tuple[str, int]:
    return "", 204


@application.get("/error")
def fail() -> str:
    raise RuntimeError("as it was asked to")


@application.put("/body")
def body() -> dict[str, object]:
    content = request.get_data()
    return {
        "type": request.content_type,
        "length": request.content_length,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@application.get("/cookies")
def cookies() -> Response:
    """Tells those that came and sets two."""
    response = jsonify(request.cookies)
    response.set_cookie("one", "1")
    response.set_cookie("two", "2")
    return response


@application.route("/echo", methods=["GET", "POST", "PUT", "DELETE"])
def echo() -> Response:
    facts = {name: value for name, value in request.environ.items() if isinstance(value, str | bool | int)}
    return Response(json.dumps(facts), mimetype="application/json")
