"""The application. This file is yours: change it, then `wsgid restart`."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "Hello from Flask\n"
