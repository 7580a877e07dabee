"""The names that authors of plug-ins import."""

import logging

from wsgid.app import WsgidApp
from wsgid.core.message import Message
from wsgid.plugins import Plugin

__all__ = ["Message", "Plugin", "WsgidApp", "log"]

log = logging.getLogger("wsgid")
"""A standard logger; what it is given goes to ``logs/wsgid.log``, or to the terminal with ``--stdout``."""
