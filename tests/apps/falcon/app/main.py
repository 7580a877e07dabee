import hashlib
from collections.abc import Iterator

import falcon


class Index:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.text = "Hello from Falcon"


class Form:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.content_type = falcon.MEDIA_HTML
        response.text = '<form method="post"><input name="name"></form>'

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        response.text = f"name={request.get_media()['name']}"


class Upload:
    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        for part in request.get_media():
            content = part.get_data()
            digest = hashlib.sha256(content).hexdigest()
            response.media = {"name": part.filename, "size": len(content), "sha256": digest}


class Stream:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.content_type = falcon.MEDIA_TEXT
        response.stream = self._parts()

    def _parts(self) -> Iterator[bytes]:
        for number in range(1000):
            yield b"line %d\n" % number


class Leave:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        raise falcon.HTTPFound("/")


class Cookies:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Tells those that came and sets two."""
        response.media = request.cookies
        response.set_cookie("one", "1", secure=False)
        response.set_cookie("two", "2", secure=False)


class Echo:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.media = {n: v for n, v in request.env.items() if isinstance(v, str | bool | int)}

    on_post = on_put = on_delete = on_get


def create_app() -> falcon.App[falcon.Request, falcon.Response]:
    app = falcon.App()
    app.add_route("/", Index())
    app.add_route("/form", Form())
    app.add_route("/upload", Upload())
    app.add_route("/stream", Stream())
    app.add_route("/redirect", Leave())
    app.add_route("/cookies", Cookies())
    app.add_route("/echo", Echo())
    return app
