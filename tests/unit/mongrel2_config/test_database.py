import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from wsgid.mongrel2_config.database import COLUMNS, DatabaseError, read, write
from wsgid.mongrel2_config.site import Site, configuration
from wsgid.mongrel2_config.values import Configuration, Host, Module, Proxy, Route


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.sqlite"


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as database:
        for each in statements:
            database.execute(each)
        database.commit()


def test_what_is_written_is_read(file: Path, site: Site, chrooted: Site) -> None:
    [first] = configuration(site).servers
    [second] = configuration(chrooted).servers
    proxy = Host("proxied", ".example.com", (Route("/", Proxy("127.0.0.1", 8080)),))
    second = replace(second, uuid="second", hosts=(*second.hosts, proxy), filters=(Module("null.so", "0:}"),))
    made = Configuration((first, second), {"b": "1", "a": "2"}, {".css": "text/css"})
    write(file, made)
    assert read(file) == made
    assert list(read(file).settings) == ["b", "a"], "Mongrel2 reads them in this order"


def test_it_replaces_what_is_there_and_leaves_nothing_else(file: Path, site: Site) -> None:
    file.write_text("something else")
    write(file, configuration(site))
    write(file, configuration(replace(site, port=80)))
    assert read(file).servers[0].port == 80
    assert os.listdir(file.parent) == [file.name]


def test_what_cannot_be_written_changes_nothing(file: Path, site: Site) -> None:
    write(file, configuration(site))
    wrong = configuration(replace(site, port=object()))  # type: ignore[arg-type]
    with pytest.raises(OSError, match=r"config\.sqlite"):
        write(file, wrong)
    assert read(file) == configuration(site)
    assert os.listdir(file.parent) == [file.name]


class TestUnreadable:
    def test_no_database(self, file: Path) -> None:
        file.write_text("servers = [main]")
        with pytest.raises(DatabaseError, match=r"config\.sqlite .*not a database"):
            read(file)

    def test_another_database(self, file: Path) -> None:
        change(file, "CREATE TABLE lines (text TEXT)")
        with pytest.raises(DatabaseError, match="no such table: server"):
            read(file)

    def test_nothing_at_all(self, file: Path) -> None:
        with pytest.raises(DatabaseError, match="unable to open"):
            read(file)
        assert not file.exists(), "looking makes no file"

    def test_null(self, file: Path, site: Site) -> None:
        write(file, configuration(site))
        change(file, "UPDATE server SET control_port = NULL")
        with pytest.raises(DatabaseError, match="server 1: control_port is NULL"):
            read(file)

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            ("UPDATE server SET port = 'abc'", "server 1: port is 'abc': put a whole number there"),
            ("UPDATE server SET port = 80.5", "server 1: port is 80.5: put a whole number there"),
            ("UPDATE setting SET value = x'00' WHERE id = 1", r"setting 1: value is b'\\x00': put a text there"),
        ],
    )
    def test_what_is_of_another_type(self, file: Path, site: Site, statement: str, told: str) -> None:
        write(file, configuration(site))
        change(file, statement)
        with pytest.raises(DatabaseError, match=told):
            read(file)

    def test_a_route_to_nowhere(self, file: Path, site: Site) -> None:
        write(file, configuration(site))
        change(file, "DELETE FROM handler")
        with pytest.raises(DatabaseError, match="the route / leads to handler 1, which is not there"):
            read(file)


def test_a_number_is_the_text_that_it_is(file: Path, site: Site) -> None:
    write(file, configuration(site))
    change(file, "DROP TABLE setting", "CREATE TABLE setting (id INTEGER PRIMARY KEY, key, value)")
    change(file, "INSERT INTO setting VALUES (1, 'superpoll.max_fd', 1024)")
    assert read(file).settings == {"superpoll.max_fd": "1024"}


def test_columns_of_other_versions_do_no_harm(file: Path, site: Site) -> None:
    write(file, configuration(site))
    change(file, "ALTER TABLE server ADD COLUMN error_log_level INTEGER")  # Mongrel2 1.13
    assert read(file) == configuration(site)
    assert "error_log_level" not in COLUMNS["server"]
