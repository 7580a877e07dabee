"""The subcommands of ``wsgid mongrel2``: what they take. What they do is imported when they are called."""

from collections.abc import Sequence

from wsgid.cli.own_commands import JSON, OwnGroup, Subcommand
from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.interfaces.commands import CommandOptions

ADDRESS, PORT = "0.0.0.0", 6767
"""Where a web server listens that is told nothing else. The port is that of Mongrel2's manual."""

EDGE = ("app_path", "recv", "send", "mongrel2_chroot", "script_name", "user", "group")
"""Options of the main command that Mongrel2's configuration has to agree with."""

CONFIG = CommandLineOption(
    "config", "Mongrel2's SQLite file.  [default: mongrel2/config.sqlite in the app folder]", metavar="FILE"
)
SERVER = CommandLineOption("server", "The server's uuid, where the file has several.", metavar="UUID")


STATIC = CommandLineOption(
    "static",
    "Let Mongrel2 serve the files of a folder: /URL=DIR. May be repeated. Django's STATIC_ROOT is found by itself.",
    list,
    metavar="/URL=DIR",
)
NO_STATIC = CommandLineOption("no-static", "Do not look for Django's STATIC_ROOT.", bool)


class Init(Subcommand):
    """Write a configuration of Mongrel2 for this app folder.

    Mongrel2 gets the folder mongrel2/ in it: its SQLite file, logs, sockets and uploads. With --mongrel2-chroot it runs
    in that directory instead, as the owner of it, which takes root; the SQLite file then has to lie where only root may
    write. The addresses are saved in wsgid.json, so that
    `wsgid` needs no option more.

    Exit code: 0 written, 1 when that failed, 2 when it may not be as it is told.
    """

    name = "init"
    places = EDGE

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [
            CONFIG,
            CommandLineOption("port", "Serve HTTP on this port.  [default: 6767]", int, PORT, metavar="N"),
            CommandLineOption(
                "address",
                "Serve HTTP on this IP address.  [default: 0.0.0.0, all of IPv4]",
                default_value=ADDRESS,
                metavar="IP",
            ),
            CommandLineOption(
                "host",
                "The site's name, as in the Host header. May be repeated; the first one gets all that no other does.  "
                "[default: localhost]",
                list,
                metavar="NAME",
            ),
            STATIC,
            NO_STATIC,
            CommandLineOption(
                "stream-uploads", "Have large bodies sent in parts, where no directory can be shared.", bool
            ),
            CommandLineOption("tls-cert", "Speak TLS, with this certificate (PEM).", metavar="FILE"),
            CommandLineOption("tls-key", "Its private key (PEM).", metavar="FILE"),
            CommandLineOption("force", "Replace a configuration that is there.", bool),
        ]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.mongrel2.init import init

        return init(options)


class Add(Subcommand):
    """Add this app folder to a Mongrel2 that has another one.

    It becomes a host of its own there, with a handler and addresses of its own; the port, TLS and the way of uploads
    are those that are there. The addresses are saved in wsgid.json. Mongrel2 has to be started anew.

    Exit code: 0 written, 1 when that failed, 2 when it may not be as it is told.
    """

    name = "add"
    places = ("app_path", "recv", "send", "script_name", "user", "group")

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [
            CommandLineOption("config", "The SQLite file of that Mongrel2.", metavar="FILE"),
            SERVER,
            CommandLineOption("host", "The site's name, as in the Host header. May be repeated.", list, metavar="NAME"),
            STATIC,
            NO_STATIC,
            CommandLineOption("force", "Replace the routes of a host that is there.", bool),
        ]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.mongrel2.add import add

        return add(options)


class Run(Subcommand):
    """Run Mongrel2 in the foreground.

    It runs as the user who the daemon is, and listens below 1024 where root started this. Signals are passed on:
    Ctrl-C or TERM ends it, HUP has it open its logs anew.

    Exit code: 0 when it was stopped, 1 when it did not start, or ended by itself.
    """

    name = "run"
    places = ("app_path", "user", "group")

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [CONFIG, SERVER]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.mongrel2.run import run

        return run(options)


class Check(Subcommand):
    """Examine a configuration of Mongrel2, and compare it with wsgid's options.

    What is wrong is told with the remedy; so is what is known to go wrong with Debian's Mongrel2. When it runs, it is
    asked by its control port whether it has this configuration.

    Exit code: 0 when nothing is wrong, though there may be warnings; 1 when something is.
    """

    name = "check"
    places = (*EDGE, "shared_handler")

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [CONFIG, SERVER, JSON]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.mongrel2.check import check

        return check(options)


class Status(Subcommand):
    """Show the connections and tasks of the Mongrel2 that runs.

    It is asked by its control port, which only its own user and root can reach. For how long a connection has been
    silent it knows in steps of limits.tick_timer, 10 seconds.

    Exit code: 0 when it runs, 3 when it does not, 1 when that cannot be told.
    """

    name = "status"
    places = ("app_path",)

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [CONFIG, SERVER, JSON]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.mongrel2.status import status

        return status(options)


class Show(Subcommand):
    """Show the configuration as text for m2sh.

    Types of files are left out: m2sh has a table of its own.

    Exit code: 0 shown, 1 when there is none that can be read.
    """

    name = "show"
    places = ("app_path",)

    def extra_options(self) -> Sequence[CommandLineOption | CommandLineArgument]:
        return [CONFIG]

    def run(self, options: CommandOptions, command_name: str) -> int:
        from wsgid.cli.mongrel2.show import show

        return show(options)


class Mongrel2(OwnGroup):
    """Set up, run and examine the Mongrel2 web server in front of an app folder."""

    name = "mongrel2"

    def subcommands(self) -> Sequence[Subcommand]:
        return [Init(), Add(), Run(), Check(), Status(), Show()]
