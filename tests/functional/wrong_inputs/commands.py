"""Commands that cannot do what they are told."""

from tests.functional.wrong_inputs.row import Row

PLUGIN = """
from wsgid.core import Plugin
from wsgid.core.parser import CommandLineArgument, CommandLineOption
from wsgid.interfaces.commands import ICommand

class Wrong(Plugin):
    implements = [ICommand]
    def command_name(self): return "wrong"
    def name_matches(self, name): return name == "wrong"
    def extra_options(self): {options}
    def run(self, options, command_name): {run}
"""


def plugin(name: str, told: str, options: str = "return []", run: str = "return 0", code: int = 2) -> Row:
    text = PLUGIN.format(options=options, run=run)
    return Row(name, "--app-path site wrong", told, code, {"site/plugins/wrong.py": text})


RAISED = "HERE/site/plugins/wrong.py, line 10: ValueError: "
UNUSABLE = "Wrong (HERE/site/plugins/wrong.py, line 6): its extra_options() cannot be had: "
SEE = " (see wsgid plugins)"

STOPPED = "nothing runs on HERE/site"

ROWS = [
    # On daemons
    Row(
        "status of no app folder",
        "status",
        "HERE is no app folder: there is neither HERE/app nor HERE/run; name one with --app-path",
    ),
    Row(
        "an option of a start",
        "--workers 2 stop",
        "--workers is for the start of a daemon, it means nothing to stop (see wsgid stop --help)",
    ),
    Row("--pid that is no number", "stop --app-path site --pid one", "--pid: 'one' is not a process id"),
    Row("--pid of nobody", "stop --app-path site --pid 1", "--pid: 1 is no master on HERE/site: nothing runs there", 3),
    Row(
        "--pid of the dead",
        "stop --app-path site --pid 7",
        "--pid: the daemon 7 on HERE/site is dead",
        3,
        {"site/pid/master/7.pid": "", "site/run/": ""},
    ),
    Row(
        "a signal that there is not",
        "stop --app-path site --send-signal HELLO",
        "--send-signal: 'HELLO' is no signal: give a name such as TERM or HUP, or a number (see kill -l)",
    ),
    Row("a restart of nothing", "restart --app-path site", f"{STOPPED}: start it with `wsgid`", 3),
    Row(
        "a run directory that is a file",
        "status --app-path site",
        "HERE/site/run cannot be read: Not a directory",
        1,
        {"site/run": ""},
    ),
    Row("requests of nothing", "request list --app-path site", STOPPED, 3),
    Row("a group of commands alone", "request", "request is to do what? One of: list, kill, trace"),
    Row("top of nothing", "top --app-path site --once", STOPPED, 3),
    Row(
        "an interval that is too short",
        "top --app-path site --interval 0",
        "--interval: ... is not between ... and ... seconds",
    ),
    # init
    Row("no name for a folder", "init ''", "the folder's name is empty: a variable of the shell may be unset"),
    Row("two names for a folder", "init one --app-path two", "the folder is named twice, by itself and by --app-path"),
    Row(
        "an example beside code",
        "init site --example flask",
        "HERE/site/app has code already (main.py), so no example is put there: leave --example away, or name another "
        "folder",
        1,
        {"site/app/main.py": ""},
    ),
    Row(
        "an example that there is not",
        "init site --example rails",
        "Invalid value for '--example': 'rails' is not one of 'flask', 'django', 'plain'. (see wsgid init --help)",
    ),
    Row(
        "a folder in the place of a file",
        "init site/app/wsgi.py",
        "HERE/site/app/wsgi.py cannot be made: File exists; a file, or a link that leads nowhere, is in its place: ...",
        1,
    ),
    Row(
        "init with a file that is wrong",
        "init site",
        "HERE/site/wsgid.json, line 1, column 1: not valid JSON: ...",
        2,
        {"site/wsgid.json": "no"},
    ),
    Row(
        "init for a user that there is not",
        "init site --user no-such-user",
        "--user no-such-user: this machine has no user of that name; make one, or give a number",
        1,
    ),
    # config
    Row(
        "config of no app folder",
        "config --workers 2",
        "HERE is no app folder: there is neither HERE/app nor wsgid.json; make one with `wsgid init`, "
        "or name another with --app-path",
    ),
    Row(
        "config with a wrong value",
        "config --app-path site --workers two",
        "--workers: 'two' is not a whole number from 1 to 1000",
    ),
    Row(
        "config that leaves a wrong file",
        "config --app-path site --send ipc://x",
        "--recv and --send go in pairs...\nwsgid: so nothing is saved",
    ),
    Row(
        "config of a file that is wrong",
        "config --app-path site --debug",
        "...\nwsgid: so nothing is changed: put it right first",
        2,
        {"site/wsgid.json": "no"},
    ),
    Row(
        "config that shows what is wrong",
        "config --app-path site",
        "HERE/site/wsgid.json: 'wrokers' is no option, did you mean workers?; ...",
        2,
        {"site/wsgid.json": '{"wrokers": 1}'},
    ),
    Row(
        "--unset of nothing",
        "config --app-path site --unset wrokers",
        "--unset: 'wrokers' is no option, nor is it in wsgid.json, did you mean workers?",
    ),
    Row(
        "--unset of what is given",
        "config --app-path site --unset workers --workers 2",
        "--workers is given, and also to be unset: say one of both",
    ),
    Row(
        "config with --json",
        "config --app-path site --json --workers 2",
        "--json is for showing the options, and not for saving some",
    ),
    Row(
        "config where nobody may write",
        "config --app-path site --workers 2",
        "HERE/site/wsgid.json cannot be written: Permission denied; run this as the owner of HERE/site, or as root",
        1,
        by_root=False,
    ),
    # completion
    Row(
        "a shell that is not known",
        "completion tcsh",
        "Invalid value for 'SHELL': 'tcsh' is not one of 'bash', 'zsh', 'fish'. (see wsgid completion --help)",
    ),
    # mongrel2
    Row(
        "static files without a URL",
        "mongrel2 init --app-path site --static app/static",
        "--static: 'app/static' is not /URL=DIR, such as /static=app/static",
    ),
    Row(
        "an address that is a name",
        "mongrel2 init --app-path site --address localhost",
        "--address: 'localhost' is no IP address, such as 127.0.0.1 or ::1",
    ),
    Row(
        "several handlers for one configuration",
        "mongrel2 init --app-path site",
        "one pair of --recv and --send can be written here, not several",
        files={"site/wsgid.json": '{"recv": ["ipc://a", "ipc://b"], "send": ["ipc://c", "ipc://d"]}'},
    ),
    # Commands of plug-ins
    plugin(
        "a command that fails",
        "wrong failed: HERE/site/plugins/wrong.py, line 11: ZeroDivisionError: division by zero\n...",
        run="1 / 0",
        code=1,
    ),
    plugin(
        "a command that returns no exit code",
        "wrong: run() of Wrong (HERE/site/plugins/wrong.py, line 6) returned 'done', "
        "and must return an exit code or None",
        run="return 'done'",
        code=1,
    ),
    plugin(
        "an option with a wrong name",
        f"{RAISED}'Dry Run' cannot be the name of an option: letters and digits, with dashes between{SEE}",
        options="return [CommandLineOption('Dry Run')]",
    ),
    plugin(
        "an option with a wrong letter",
        f"{RAISED}--x: 'xy' is not one letter{SEE}",
        options="return [CommandLineOption('x', shortname='xy')]",
    ),
    plugin(
        "an option with a wrong type",
        f"{RAISED}--x: its type is <class 'dict'>, and must be one of str, int, float, bool, list{SEE}",
        options="return [CommandLineOption('x', type=dict)]",
    ),
    plugin(
        "a choice of numbers",
        f"{RAISED}--x: only a str can have choices{SEE}",
        options="return [CommandLineOption('x', type=int, choices=('1',))]",
    ),
    plugin(
        "an attribute with a wrong name",
        f"{RAISED}--x: 'a b' cannot be the name of an attribute{SEE}",
        options="return [CommandLineOption('x', dest='a b')]",
    ),
    plugin(
        "an option of a path of a third kind",
        f"{RAISED}--x: what it names is 'socket', and must be 'file' or 'dir', or nothing of both{SEE}",
        options="return [CommandLineOption('x', path='socket')]",
    ),
    plugin(
        "two options of one name",
        f"{UNUSABLE}two options are called --x{SEE}",
        options="return [CommandLineOption('x'), CommandLineOption('x')]",
    ),
    plugin(
        "an argument with a wrong name",
        f"{RAISED}'The ID' cannot be the name of an argument: letters and digits, with dashes between{SEE}",
        options="return [CommandLineArgument('The ID')]",
    ),
    plugin(
        "many arguments in front of another",
        f"{UNUSABLE}only the last argument may take many{SEE}",
        options="return [CommandLineArgument('a', many=True), CommandLineArgument('b')]",
    ),
]
