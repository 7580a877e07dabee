import logging

from wsgid import app, core, plugins
from wsgid.core import message


def test_what_authors_of_plug_ins_import() -> None:
    assert sorted(core.__all__) == ["Message", "Plugin", "WsgidApp", "log"]
    assert core.Message is message.Message
    assert core.Plugin is plugins.Plugin
    assert core.WsgidApp is app.WsgidApp
    assert core.log is logging.getLogger("wsgid")
