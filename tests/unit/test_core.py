import logging

from wsgid import app, core, plugins


def test_what_authors_of_plug_ins_import() -> None:
    assert sorted(core.__all__) == ["Plugin", "WsgidApp", "log"]
    assert core.Plugin is plugins.Plugin
    assert core.WsgidApp is app.WsgidApp
    assert core.log is logging.getLogger("wsgid")
