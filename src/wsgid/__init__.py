"""wsgid turns any WSGI application into a proper *nix daemon."""

__version__ = "0.8.0.dev0"
