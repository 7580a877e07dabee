import logging

from wsgid import app, core


def test_what_authors_of_plug_ins_import() -> None:
    assert sorted(core.__all__) == ["WsgidApp", "log"]
    assert core.WsgidApp is app.WsgidApp
    assert core.log is logging.getLogger("wsgid")
