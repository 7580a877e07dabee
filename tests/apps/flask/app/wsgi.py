import hashlib
import json
from collections.abc import Iterator

from flask import Flask, Response, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

application = Flask(__name__)


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
