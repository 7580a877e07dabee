"""``wsgid request list``, ``kill`` and ``trace``, as the command line knows them.

What they do is imported when they are called.
"""

from collections.abc import Sequence

from wsgid.cli.own_commands import JSON, PID, OwnGroup, Subcommand, as_given
from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.interfaces.commands import CommandOptions

REQUEST_ID = CommandLineArgument("id", "The request's id, as in the logs, or its key, as `wsgid request list` has it.")


class ListRequests(Subcommand):
    """Show the requests in progress: being served, waiting for a worker, arriving, being sent.

    Acts on the daemons of the app folder.

    Exit code: 0 listed, 1 when a daemon does not answer, 3 when nothing runs.
    """

    name = "list"

    def extra_options(self) -> Sequence[CommandLineOption]:
        return [PID, JSON]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.request import list_requests

        return list_requests(as_given(options))


class KillRequest(Subcommand):
    """End a request: its client gets 503, its worker is killed and replaced.

    As after --timeout: the log gets the stacks of the worker, which has up to five seconds for its other requests. A
    request that still waits for a worker is refused; an answer that is only being sent is cut.

    Exit code: 0 killed, 1 when a daemon does not answer, 3 when nothing runs, 4 when there is no such request (any
    more), 5 when several have that id.
    """

    name = "kill"

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [REQUEST_ID, PID]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.request import kill_request

        return kill_request(as_given(options))


class TraceRequest(Subcommand):
    """Show where in the code a request is, the innermost call last.

    Nothing happens to it.

    Exit code: 0 shown, 1 when a daemon does not answer, 3 when nothing runs, 4 when no worker has such a request in
    hand (any more), 5 when several have that id.
    """

    name = "trace"

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [REQUEST_ID, PID]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.request import trace_request

        return trace_request(as_given(options))


class Request(OwnGroup):
    """List the requests of now, end one, or show where one is."""

    name = "request"

    def subcommands(self) -> Sequence[Subcommand]:
        return [ListRequests(), KillRequest(), TraceRequest()]
