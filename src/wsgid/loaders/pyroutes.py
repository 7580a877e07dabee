"""A pyroutes project, its contents copied into ``app/``.

``pyroutes-admin.py`` lays a project out as ``handler.py`` (imports pyroutes' application and everything of the project,
so that the routes are known), ``pyroutes_settings.py`` and a package of the project's name.
"""

from pathlib import Path
from wsgiref.types import WSGIApplication

from wsgid.loaders.callables import as_application
from wsgid.loaders.importing import import_named
from wsgid.loaders.interface import IExplainingLoader
from wsgid.plugins import Plugin

HANDLER = "handler"
SETTINGS = "pyroutes_settings.py"


class PyroutesLoader(Plugin, IExplainingLoader):
    """Imports ``handler.py``; routes register themselves when they are imported."""

    def can_load(self, app_path: str) -> bool:
        return not self.why_not(app_path)

    def load_app(self, app_path: str, app_full_name: str) -> WSGIApplication:
        handler = import_named(HANDLER, "wsgid")
        # A handler may wrap pyroutes' application in middleware, or leave it unnamed and only import the routes.
        application = getattr(handler, "application", None) or import_named("pyroutes", "wsgid").application
        return as_application(application, f"{HANDLER}:application")

    def why_not(self, app_path: str) -> list[str]:
        """The reason why this is no pyroutes project; empty when it is one."""
        handler = Path(app_path, "app", f"{HANDLER}.py")
        if not handler.is_file():
            return [f"pyroutes: no app/{HANDLER}.py"]
        if handler.with_name(SETTINGS).is_file() or b"pyroutes" in handler.read_bytes():
            return []
        return [f"pyroutes: app/{HANDLER}.py does not mention pyroutes, and there is no app/{SETTINGS}"]
