"""httpbin as it comes from the package index."""

from httpbin import app

__all__ = ["app"]
