"""wsgid turns any WSGI application into a proper *nix daemon."""

__version__ = "0.8.0.dev0"

SERVER_SOFTWARE = f"wsgid/{__version__}"
"""SERVER_SOFTWARE of the environ (PEP 3333)."""
