"""``wsgid request list``, ``kill`` and ``trace``: the requests that are in progress at this moment."""

import shutil
import sys
from collections.abc import Mapping

import msgspec

from wsgid.app import WsgidApp
from wsgid.channel.commands import Command as Said
from wsgid.channel.commands import Kill, Killed, Listed, Listing, NotThere, Reply, Requests, Trace, Traced
from wsgid.cli.complaints import EXIT_FAILED, EXIT_REFUSED, CannotDo, complain
from wsgid.cli.control import NoAnswer, ask
from wsgid.cli.daemons import EXIT_STOPPED, Daemon, folder, look_for
from wsgid.cli.request_text import as_table, as_trace, named
from wsgid.protocol.request_id import doubt, is_request_id

EXIT_NOT_THERE = 4
EXIT_SEVERAL = 5

ANSWER_TIME = 5.0
"""Seconds for an answer. A dispatcher that is silent for so long is replaced by its master."""

MOST_KEYS = 20
"""Requests of one id that are named. One may be given to thousands by a front end that numbers badly."""

TRACE_TIME = 15.0
"""Seconds for a stack: a worker that does not answer is written down from outside, which the dispatcher gives up after
six seconds."""


class FoundRequest(msgspec.Struct, frozen=True):
    daemon: int
    """Its master's process id."""
    request: Listed


class FoundRequests(msgspec.Struct, frozen=True):
    requests: list[FoundRequest]
    unnamed: int
    """Those that a daemon has beyond the thousand oldest."""
    silent: list[int]
    """Daemons that do not answer, by their masters' process ids."""


def list_requests(options: Mapping[str, object]) -> int:
    """Returns the exit code. Raises CannotDo."""
    app = folder(options)
    found = _ask_all(options, app, "")
    if options.get("json"):
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    elif found.requests or not found.silent:  # of those that do not answer nothing is known
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print("\n".join(as_table([(each.daemon, each.request) for each in found.requests], found.unnamed, width)))
    return EXIT_FAILED if found.silent else 0


def kill_request(options: Mapping[str, object]) -> int:
    """Returns the exit code. Raises CannotDo."""
    app = folder(options)
    target = _the_one(options, app)
    reply = _ask_about(target, Kill(target.request.key), app, ANSWER_TIME)
    if not isinstance(reply, Killed):
        raise _not_understood(target.daemon)
    worker = "" if reply.worker is None else f"; worker {reply.worker} is replaced, the log gets its stacks"
    print(f"wsgid {target.daemon}: {named(target.request)} is killed: {reply.outcome}{worker}")
    return 0


def trace_request(options: Mapping[str, object]) -> int:
    """Returns the exit code. Raises CannotDo."""
    app = folder(options)
    target = _the_one(options, app)
    reply = _ask_about(target, Trace(target.request.key), app, TRACE_TIME)
    if not isinstance(reply, Traced):
        raise _not_understood(target.daemon)
    print(as_trace(reply))
    return 0


def _the_one(options: Mapping[str, object], app: WsgidApp) -> FoundRequest:
    """The request that is meant. Raises CannotDo."""
    name = str(options.get("id", ""))
    if not is_request_id(name):
        raise CannotDo(doubt(name), exit_code=EXIT_REFUSED)
    found = _ask_all(options, app, name)
    if not found.requests:
        where = "of the daemons that answer " if found.silent else ""
        raise CannotDo(
            f"there is no request {name!r}: none {where}has it in progress, or not any more",
            exit_code=EXIT_FAILED if found.silent else EXIT_NOT_THERE,
        )
    if len(found.requests) > 1:
        count = len(found.requests) + found.unnamed
        told = found.requests[:MOST_KEYS]
        keys = [f"  {each.request.key}: {named(each.request)}, of the daemon {each.daemon}" for each in told]
        if len(told) < count:
            keys.append(f"  and {count - len(told)} more")
        raise CannotDo(
            f"{count} requests are called {name!r}: say the key of the one that is meant, or --pid",
            *keys,
            exit_code=EXIT_SEVERAL,
        )
    return found.requests[0]


def _ask_all(options: Mapping[str, object], app: WsgidApp, name: str) -> FoundRequests:
    """Complains of those that do not answer. Raises CannotDo."""
    daemons = look_for(options.get("pid"), app).daemons
    if not daemons:
        raise CannotDo(f"nothing runs on {app.path}", exit_code=EXIT_STOPPED)
    found = FoundRequests([], 0, [])
    for daemon in daemons:
        listing = _listing(daemon, app, name)
        if listing is None:
            found.silent.append(daemon.pid)
            continue
        found.requests.extend(FoundRequest(daemon.pid, each) for each in listing.requests)
        found = msgspec.structs.replace(found, unnamed=found.unnamed + listing.unnamed)
    return found


def _listing(daemon: Daemon, app: WsgidApp, name: str) -> Listing | None:
    try:
        reply = ask(app.rundir / str(daemon.pid), Requests(name), ANSWER_TIME)
    except NoAnswer as error:
        complain([f"the daemon {daemon.pid} does not answer: {error}"])
        return None
    if not isinstance(reply, Listing):
        raise _not_understood(daemon.pid)
    return reply


def _ask_about(target: FoundRequest, command: Said, app: WsgidApp, limit: float) -> Reply:
    """Raises CannotDo."""
    try:
        reply = ask(app.rundir / str(target.daemon), command, limit)
    except NoAnswer as error:
        raise CannotDo(f"the daemon {target.daemon} does not answer: {error}") from None
    if isinstance(reply, NotThere):
        raise CannotDo(f"{named(target.request)}: {reply.why}", exit_code=EXIT_NOT_THERE)
    return reply


def _not_understood(daemon: int) -> CannotDo:
    return CannotDo(f"the daemon {daemon} does not speak as this version of wsgid does")
