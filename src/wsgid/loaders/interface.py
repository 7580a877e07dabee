"""What every loader is, ours and those of other people."""

from typing import Protocol
from wsgiref.types import WSGIApplication


class IAppLoader(Protocol):
    """Turns the code in an app folder into a WSGI application.

    ``app_path`` is the app folder as ``--app-path`` names it, made absolute; the code lies in its ``app/``, which is
    first on ``sys.path`` when a loader is asked. Both methods are called in the worker that will serve the application.
    """

    def can_load(self, app_path: str) -> bool:
        """Is the code one that this loader knows? Runs none of it."""

    def load_app(self, app_path: str, app_full_name: str) -> WSGIApplication:
        """The application. ``app_full_name`` is what ``--wsgi-app`` says, ``""`` without that option.

        May raise anything: an exception is shown to the user with the file and the line of the application that
        caused it. Raise ``LoadError`` to say it in words of your own.
        """
