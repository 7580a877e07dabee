"""The SQLite file that Mongrel2 reads its configuration from.

The tables and columns are those of its ``config.sql``. Its own tool m2sh writes the same ones; it is not used, for it
reports success on errors.
"""

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from wsgid.mongrel2_config.values import Configuration, Directory, Handler, Host, Module, Proxy, Route, Server, Target

TABLES = """
CREATE TABLE server (id INTEGER PRIMARY KEY, uuid TEXT, access_log TEXT, error_log TEXT, chroot TEXT, pid_file TEXT,
    control_port TEXT DEFAULT '', default_host TEXT, name TEXT DEFAULT '', bind_addr TEXT DEFAULT '0.0.0.0',
    port INTEGER, use_ssl INTEGER DEFAULT 0);
CREATE TABLE host (id INTEGER PRIMARY KEY, server_id INTEGER, maintenance BOOLEAN DEFAULT 0, name TEXT, matching TEXT);
CREATE TABLE handler (id INTEGER PRIMARY KEY, send_spec TEXT, send_ident TEXT, recv_spec TEXT, recv_ident TEXT,
    raw_payload INTEGER DEFAULT 0, protocol TEXT DEFAULT 'json');
CREATE TABLE proxy (id INTEGER PRIMARY KEY, addr TEXT, port INTEGER);
CREATE TABLE directory (id INTEGER PRIMARY KEY, base TEXT, index_file TEXT, default_ctype TEXT,
    cache_ttl INTEGER DEFAULT 0);
CREATE TABLE route (id INTEGER PRIMARY KEY, path TEXT, reversed BOOLEAN DEFAULT 0, host_id INTEGER, target_id INTEGER,
    target_type TEXT);
CREATE TABLE setting (id INTEGER PRIMARY KEY, key TEXT, value TEXT);
CREATE TABLE mimetype (id INTEGER PRIMARY KEY, mimetype TEXT, extension TEXT);
CREATE TABLE filter (id INTEGER PRIMARY KEY, server_id INTEGER, name TEXT, settings TEXT);
CREATE TABLE xrequest (id INTEGER PRIMARY KEY, server_id INTEGER, name TEXT, settings TEXT);
"""

COLUMNS = {
    "server": (
        *("id", "uuid", "access_log", "error_log", "chroot", "pid_file", "control_port", "default_host", "name"),
        *("bind_addr", "port", "use_ssl"),
    ),
    "host": ("id", "server_id", "name", "matching"),
    "handler": ("id", "send_spec", "send_ident", "recv_spec", "recv_ident", "raw_payload", "protocol"),
    "proxy": ("id", "addr", "port"),
    "directory": ("id", "base", "index_file", "default_ctype", "cache_ttl"),
    "route": ("id", "path", "host_id", "target_id", "target_type"),
    "setting": ("id", "key", "value"),
    "mimetype": ("id", "mimetype", "extension"),
    "filter": ("id", "server_id", "name", "settings"),
    "xrequest": ("id", "server_id", "name", "settings"),
}
"""What Mongrel2 1.12.2 asks for."""

NUMBERS = {"id", "server_id", "host_id", "target_id", "port", "use_ssl", "raw_payload", "cache_ttl"}
"""Columns of whole numbers; the others are texts."""

KINDS: Mapping[type[Target], str] = {Handler: "handler", Directory: "dir", Proxy: "proxy"}
"""``target_type`` of a route."""

Row = dict[str, Any]
Rows = dict[str, list[Row]]


class DatabaseError(Exception):
    """A file from which Mongrel2 could not start either: which, and why."""


def read(path: Path) -> Configuration:
    """Raises DatabaseError."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = {table: _select(database, table, columns) for table, columns in COLUMNS.items()}
    except sqlite3.Error as error:
        raise DatabaseError(f"{path} cannot be read as a configuration of Mongrel2: {error}") from None
    try:
        return _configuration(rows)
    except DatabaseError as error:
        raise DatabaseError(f"{path}: {error}") from None


def write(path: Path, configuration: Configuration) -> None:
    """In place of what is there, wholly or not at all. Raises OSError."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with closing(sqlite3.connect(unfinished)) as database:
            database.executescript(TABLES)
            for table, rows in to_rows(configuration).items():
                names = COLUMNS[table]
                marks = ", ".join("?" * len(names))
                database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
            database.commit()
        os.replace(unfinished, path)
    except sqlite3.Error as error:
        raise OSError(errno.EIO, str(error), str(path)) from None
    finally:
        unfinished.unlink(missing_ok=True)


def to_rows(configuration: Configuration) -> dict[str, list[tuple[object, ...]]]:
    """What each table holds, with the columns of `COLUMNS`."""
    hosts = [(number, host) for number, server in enumerate(configuration.servers, 1) for host in server.hosts]
    targets = {kind: _targets(configuration, kind) for kind in KINDS}
    routes = [(number, route) for number, (_, host) in enumerate(hosts, 1) for route in host.routes]
    return {
        "server": [_server(number, server) for number, server in enumerate(configuration.servers, 1)],
        "host": [(number, server, host.name, host.matching) for number, (server, host) in enumerate(hosts, 1)],
        "handler": [_handler(number, each) for each, number in targets[Handler].items() if isinstance(each, Handler)],
        "proxy": [(number, each.addr, each.port) for each, number in targets[Proxy].items() if isinstance(each, Proxy)],
        "directory": [
            (number, each.base, each.index_file, each.default_ctype, each.cache_ttl)
            for each, number in targets[Directory].items()
            if isinstance(each, Directory)
        ],
        "route": [
            (number, route.path, host, targets[type(route.target)][route.target], KINDS[type(route.target)])
            for number, (host, route) in enumerate(routes, 1)
        ],
        "setting": [(number, *pair) for number, pair in enumerate(configuration.settings.items(), 1)],
        "mimetype": [
            (number, kind, extension) for number, (extension, kind) in enumerate(configuration.mime_types.items(), 1)
        ],
        "filter": list(_modules(server.filters for server in configuration.servers)),
        "xrequest": list(_modules(server.xrequests for server in configuration.servers)),
    }


def _targets(configuration: Configuration, kind: type[Target]) -> dict[Target, int]:
    """Those of this kind, with the numbers that their rows get."""
    all_of_them = (route.target for server in configuration.servers for _, route in server.routes())
    distinct = dict.fromkeys(target for target in all_of_them if isinstance(target, kind))
    return {target: number for number, target in enumerate(distinct, 1)}


def _server(number: int, server: Server) -> tuple[object, ...]:
    files = (server.access_log, server.error_log, server.chroot, server.pid_file, server.control_port)
    address = (server.bind_addr, server.port, int(server.use_ssl))
    return (number, server.uuid, *files, server.default_host, server.name, *address)


def _handler(number: int, each: Handler) -> tuple[object, ...]:
    specs = (each.send_spec, each.send_ident, each.recv_spec, each.recv_ident)
    return (number, *specs, each.raw_payload, each.protocol)


def _modules(of_servers: Iterable[tuple[Module, ...]]) -> Iterator[tuple[object, ...]]:
    rows = ((server, module) for server, modules in enumerate(of_servers, 1) for module in modules)
    return ((number, server, module.name, module.settings) for number, (server, module) in enumerate(rows, 1))


def _select(database: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> list[Row]:
    """Raises sqlite3.Error; DatabaseError for NULL, at which Mongrel2 does not start, and for a text that should be a
    number; a number that should be a text is the text that Mongrel2 reads."""
    rows = [
        dict(zip(columns, row, strict=True))
        for row in database.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id")
    ]
    for row in rows:
        for column, value in row.items():
            if value is None:
                raise DatabaseError(f"{table} {row['id']}: {column} is NULL: put an empty text or 0 there")
            row[column] = _typed(value, f"{table} {row['id']}: {column}", number=column in NUMBERS)
    return rows


def _typed(value: object, where: str, *, number: bool) -> str | int:
    """Raises DatabaseError."""
    if number and not isinstance(value, int):
        raise DatabaseError(f"{where} is {value!r}: put a whole number there")
    if not isinstance(value, (str, int, float)):
        raise DatabaseError(f"{where} is {value!r}: put a text there")
    return value if isinstance(value, int) and number else str(value)


def _configuration(rows: Rows) -> Configuration:
    targets: dict[tuple[str, int], Target] = {
        **{("handler", each["id"]): Handler(**_without_id(each)) for each in rows["handler"]},
        **{("dir", each["id"]): Directory(**_without_id(each)) for each in rows["directory"]},
        **{("proxy", each["id"]): Proxy(**_without_id(each)) for each in rows["proxy"]},
    }
    return Configuration(
        tuple(_read_server(each, rows, targets) for each in rows["server"]),
        {each["key"]: each["value"] for each in rows["setting"]},
        {each["extension"]: each["mimetype"] for each in rows["mimetype"]},
    )


def _read_server(row: Row, rows: Rows, targets: Mapping[tuple[str, int], Target]) -> Server:
    number = row["id"]
    values = {**_without_id(row), "use_ssl": bool(row["use_ssl"])}
    filters, xrequests = (
        tuple(Module(each["name"], each["settings"]) for each in rows[table] if each["server_id"] == number)
        for table in ("filter", "xrequest")
    )
    hosts = tuple(_read_host(each, rows, targets) for each in rows["host"] if each["server_id"] == number)
    return Server(**values, hosts=hosts, filters=filters, xrequests=xrequests)


def _read_host(row: Row, rows: Rows, targets: Mapping[tuple[str, int], Target]) -> Host:
    routes = []
    for each in rows["route"]:
        if each["host_id"] == row["id"]:
            target = targets.get((each["target_type"], each["target_id"]))
            if target is None:
                raise DatabaseError(
                    f"the route {each['path']} leads to {each['target_type']} {each['target_id']}, which is not there"
                )
            routes.append(Route(each["path"], target))
    return Host(row["name"], row["matching"], tuple(routes))


def _without_id(row: Row) -> Row:
    return {column: value for column, value in row.items() if column != "id"}
