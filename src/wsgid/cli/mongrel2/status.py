"""``wsgid mongrel2 status``: what a running Mongrel2 says of itself by its control port."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from wsgid.cli.complaints import EXIT_FAILED, CannotDo
from wsgid.cli.daemons import EXIT_STOPPED
from wsgid.cli.mongrel2.control_port import ControlPort, NotRunning, Row, Unanswered
from wsgid.cli.mongrel2.place import config_file, read, server
from wsgid.interfaces.commands import CommandOptions
from wsgid.mongrel2_config.whereabouts import Whereabouts

MOST_SHOWN = 50
"""Connections: two screens. --json has them all."""

KINDS = {0: "new", 1: "HTTP", 2: "JSON or XML", 3: "WebSocket"}

CONNECTION = ("connection", "kind", "silent", "received", "sent")


class Told(msgspec.Struct, frozen=True):
    server: Mapping[str, str | int]
    connections: Sequence[Row]
    tasks: Sequence[Row]


def status(options: CommandOptions) -> int:
    """Returns the exit code. Raises CannotDo."""
    file = config_file(options.app_path, options.config)
    configuration = read(file)
    chosen = server(configuration, file, options.server)
    port = ControlPort(Whereabouts(chosen, file.parent).control_port(configuration))
    try:
        told = Told(port.ask("info")[0], port.ask("status", {"what": "net"}), port.ask("status", {"what": "tasks"}))
    except NotRunning as error:
        raise CannotDo(f"mongrel2: {error}", exit_code=EXIT_STOPPED) from None
    except Unanswered as error:
        raise CannotDo(f"mongrel2: {error}", exit_code=EXIT_FAILED) from None
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        print("\n".join(as_text(told)))
    return 0


def as_text(told: Told) -> Iterator[str]:
    where = f"{told.server['bind_addr']}:{told.server['port']}"
    root = f" in {told.server['chroot']}" if told.server["chroot"] else ""
    yield f"mongrel2 {told.server['uuid']}, on {where}{root}: {_counted(len(told.connections), 'connection')}"
    yield f"tasks: {_tasks(told.tasks)}"
    if told.connections:
        rows = [CONNECTION, *map(_cells, told.connections[:MOST_SHOWN])]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        yield ""
        for row in rows:
            yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        if len(told.connections) > MOST_SHOWN:
            yield f"and {len(told.connections) - MOST_SHOWN} more (--json)"


def _cells(row: Row) -> tuple[str, ...]:
    number, kind = row["id"], row["type"]
    name = "-" if number == -1 else str(number)  # it gets one with its first request to a handler
    silent = min(int(row["last_read"]), int(row["last_write"]))
    return name, KINDS.get(int(kind), str(kind)), f"{silent} s", str(row["bytes_read"]), str(row["bytes_written"])


def _tasks(tasks: Sequence[Row]) -> str:
    """By what they are, and what they wait for."""
    counts = Counter((str(each["name"]) or "-", str(each["state"]) or str(each["status"])) for each in tasks)
    return ", ".join(f"{count} {name} ({state})" for (name, state), count in sorted(counts.items())) or "none"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
