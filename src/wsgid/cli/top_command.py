"""``wsgid top``, as the command line knows it. What it does is imported when it is called."""

from collections.abc import Sequence

from wsgid.cli.own_commands import PID, OwnCommand, as_given
from wsgid.core.parser import CommandLineOption
from wsgid.interfaces.commands import CommandOptions


class Top(OwnCommand):
    """Watch what the daemons are doing, on a screen of its own.

    Workers with the request that each is at and its age, requests per second, the queue and how long its first has
    waited, waiting and service times, memory, and which workers have ended and why. q or Ctrl-C ends it. Where there is
    no terminal, it is written once.

    Exit code: 0 ended; 3 when nothing runs.
    """

    name = "top"

    def extra_options(self) -> Sequence[CommandLineOption]:
        return [
            PID,
            CommandLineOption("once", "Write it once, after one interval.", bool),
            CommandLineOption("json", "A line of JSON for each interval, with all that is known.", bool),
            CommandLineOption("interval", "Seconds between two looks.  [default: 2]", float, metavar="SECONDS"),
        ]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.top.run import top

        return top({**as_given(options), "interval": options.interval})  # as_given leaves out what is 0
