"""For an app folder that has no code, only pages: app/index.html and what lies beside it."""

from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from wsgid.core import Plugin
from wsgid.core.parser import CommandLineOption
from wsgid.interfaces.commands import CommandOptions, ICommand
from wsgid.loaders import IAppLoader


class PagesLoader(Plugin, IAppLoader):
    def can_load(self, app_path: str) -> bool:
        return Path(app_path, "app", "index.html").is_file()

    def load_app(self, app_path: str, app_full_name: str) -> "Pages":
        return Pages(pages(Path(app_path)))


class PagesCommand(Plugin, ICommand):
    """List the pages, by the paths they are served under."""

    def command_name(self) -> str:
        return "pages"

    def name_matches(self, command_name: str) -> bool:
        return command_name == "pages"

    def extra_options(self) -> list[CommandLineOption]:
        return [CommandLineOption("sizes", help="With their sizes in bytes.", type=bool)]

    def run(self, options: CommandOptions, command_name: str) -> None:
        for path, file in pages(options.app_path).items():
            print(f"{file.stat().st_size:8} {path}" if options.sizes else path)


class Pages:
    """The application: it serves these files and no others."""

    def __init__(self, files: dict[str, Path]) -> None:
        self.files = files

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        file = self.files.get(environ["PATH_INFO"] or "/")
        if file is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"no such page\n"]
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [file.read_bytes()]


def pages(app_path: Path) -> dict[str, Path]:
    files = sorted((app_path / "app").glob("*.html"))
    return {"/" if file.stem == "index" else f"/{file.stem}": file for file in files}
