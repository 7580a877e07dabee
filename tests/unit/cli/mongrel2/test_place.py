from dataclasses import replace
from pathlib import Path

import pytest

from wsgid.cli.complaints import CannotDo
from wsgid.cli.mongrel2.place import config_file, read, server
from wsgid.mongrel2_config import database
from wsgid.mongrel2_config.values import Configuration


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config_file(Path("/srv/mysite"), None) == Path("/srv/mysite/mongrel2/config.sqlite")
    assert config_file(Path("/srv/mysite"), "m2.sqlite") == tmp_path / "m2.sqlite"


def test_what_cannot_be_read_is_told(tmp_path: Path, made: Configuration) -> None:
    file = tmp_path / "config.sqlite"
    with pytest.raises(CannotDo, match="is not there: `wsgid mongrel2 init` writes one"):
        read(file)
    file.write_text("garbage")
    with pytest.raises(CannotDo, match="not a database"):
        read(file)
    database.write(file, made)
    assert read(file) == made


class TestServer:
    def test_the_only_one(self, made: Configuration) -> None:
        assert server(made, Path("m"), None) is made.servers[0]
        assert server(made, Path("m"), "mysite") is made.servers[0]

    def test_one_of_several(self, made: Configuration) -> None:
        other = replace(made.servers[0], uuid="other")
        both = replace(made, servers=(made.servers[0], other))
        assert server(both, Path("m"), "other") is other
        with pytest.raises(CannotDo, match="m has several servers, name one by --server: mysite, other"):
            server(both, Path("m"), None)

    def test_one_that_is_not_there(self, made: Configuration) -> None:
        with pytest.raises(CannotDo, match="m has no server other; there is: mysite"):
            server(made, Path("m"), "other")
