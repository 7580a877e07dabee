"""The names that authors of plug-ins import."""

import logging

from wsgid.app import WsgidApp

__all__ = ["WsgidApp", "log"]

log = logging.getLogger("wsgid")
"""A standard logger; what it is given goes to ``logs/wsgid.log``, or to the terminal with ``--stdout``."""
