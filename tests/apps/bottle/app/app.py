import hashlib
from collections.abc import Iterator

from bottle import Bottle, redirect, request, response

app = Bottle()


@app.get("/")
def index() -> str:
    return "Hello from Bottle"


@app.get("/form")
def form() -> str:
    return '<form method="post"><input name="name"></form>'


@app.post("/form")
def submit() -> str:
    return f"name={request.forms.name}"


@app.post("/upload")
def upload() -> dict[str, object]:
    file = request.files["file"]
    content = file.file.read()
    return {"name": file.raw_filename, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@app.get("/stream")
def stream() -> Iterator[str]:
    response.content_type = "text/plain"
    for number in range(1000):
        yield f"line {number}\n"


@app.get("/redirect")
def leave() -> None:
    redirect("/")


@app.get("/cookies")
def cookies() -> dict[str, object]:
    """Tells those that came and sets two."""
    response.set_cookie("one", "1")
    response.set_cookie("two", "2")
    return dict(request.cookies)


@app.route("/echo", method=["GET", "POST", "PUT", "DELETE"])
def echo() -> dict[str, object]:
    return {name: value for name, value in request.environ.items() if isinstance(value, str | bool | int)}
