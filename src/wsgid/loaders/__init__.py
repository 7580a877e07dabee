"""Code on disk to a WSGI callable."""

from wsgid.loaders.failure import LoadError, describe_failure
from wsgid.loaders.interface import IAppLoader
from wsgid.loaders.load import load_application

__all__ = ["IAppLoader", "LoadError", "describe_failure", "load_application"]
