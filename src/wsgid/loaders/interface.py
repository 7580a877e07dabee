"""What every loader is, ours and those of other people."""

from abc import abstractmethod
from wsgiref.types import WSGIApplication

from wsgid.plugins import Interface


class IAppLoader(Interface):
    """Turns the code in an app folder into a WSGI application.

    ``app_path`` is the app folder as ``--app-path`` names it, made absolute; the code lies in its ``app/``, which is
    first on ``sys.path`` when a loader is asked. Both methods are called in the worker that will serve the application.
    """

    @abstractmethod
    def can_load(self, app_path: str) -> bool:
        """Is the code one that this loader knows? Runs none of it."""

    @abstractmethod
    def load_app(self, app_path: str, app_full_name: str) -> WSGIApplication:
        """The application. ``app_full_name`` is what ``--wsgi-app`` says, ``""`` without that option.

        May raise anything: an exception is shown to the user with the file and the line that caused it. Raise
        ``LoadError`` to say it in words of your own.
        """


class IExplainingLoader(IAppLoader):
    """A loader that can also say why it does not know the code: for the error when none does."""

    @abstractmethod
    def why_not(self, app_path: str) -> list[str]:
        """Lines for people; none when it does."""
