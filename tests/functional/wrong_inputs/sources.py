"""The command line, the environment and wsgid.json as such: what is no option, and what cannot be read."""

from tests.functional.wrong_inputs.row import Row, saved


def file(name: str, text: str, told: str) -> Row:
    return Row(f"wsgid.json {name}", "start", f"HERE/site/wsgid.json{told}", files={"site/wsgid.json": text})


ROWS = [
    # The command line
    Row(
        "an option that there is not",
        "start --wrokers 2",
        "No such option '--wrokers'. ...--workers... (see wsgid --help)",
    ),
    Row(
        "an option without its value", "start --workers", "Option '--workers' requires an argument. (see wsgid --help)"
    ),
    Row("a switch with a value", "start --debug=yes", "Option '--debug' does not take a value. (see wsgid --help)"),
    Row("a command that there is not", "stats", "there is no command 'stats', did you mean status? (see wsgid --help)"),
    Row(
        "a folder in place of a command",
        "site",
        "there is no command 'site', did you mean --app-path=site? (see wsgid --help)",
    ),
    Row(
        "a module in place of a command",
        "blog:app",
        "there is no command 'blog:app', did you mean --wsgi-app=blog:app? (see wsgid --help)",
    ),
    Row(
        "an app folder that is not there",
        "--app-path none",
        "--app-path: 'none' is not a directory that exists and can be reached",
    ),
    Row(
        "a folder that is no app folder",
        "--app-path site/app",
        "HERE/site/app is no app folder: the application's code must be in HERE/site/app/app",
    ),
    Row("a value on the command line", "start --workers 0", "--workers: '0' is not a whole number from 1 to 1000"),
    Row(
        "the current directory is gone",
        "start",
        "the current directory has been removed: change to one that exists",
        files={"gone/": ""},
    ),
    Row(
        "--recv without --send",
        "start --recv tcp://127.0.0.1:1",
        "--recv and --send go in pairs, but there are 1 of --recv (command line) and 0 of --send (default): give each "
        "Mongrel2 handler's send_spec as --recv and its recv_spec as --send",
    ),
    Row(
        "--bind twice",
        "start --bind 127.0.0.1:8000 --bind 127.0.0.1:8000",
        "127.0.0.1:8000 is given twice, by --bind (command line) and by --bind (command line): leave one away, or "
        "choose another address",
    ),
    Row(
        "one address for --bind and --metrics",
        "start --bind unix:web.sock",
        "unix:HERE/site/../web.sock is given twice, by --bind (command line) and by --metrics (wsgid.json): ...",
        files={"site/wsgid.json": '{"metrics": "unix:../web.sock"}'},
    ),
    # The environment
    Row(
        "a value in the environment",
        "start",
        "WSGID_THREADS: 'few' is not a whole number from 1 to 1000",
        environ={"WSGID_THREADS": "few"},
    ),
    Row(
        "several at once are all told",
        "start --workers 0",
        "--workers: '0' is not a whole number from 1 to 1000\n"
        "wsgid: WSGID_DEBUG: 'maybe' is not true or false\n"
        "wsgid: HERE/site/wsgid.json: timeout: -1 is not a number of seconds from 0 to 86400",
        environ={"WSGID_DEBUG": "maybe"},
        files={"site/wsgid.json": '{"timeout": -1}'},
    ),
    # wsgid.json
    file("is not JSON", '{\n  "workers": 2,\n}', ", line 3, column 1: not valid JSON: ..."),
    file("is not UTF-8", '{"x_a":\n "\udcff"}', ", line 2, column 3: not valid JSON: not UTF-8"),
    file("is nested too deeply", "[" * 200_000, ": not valid JSON: nested too deeply"),
    file("is a list", "[2]", ' must hold one JSON object, such as {"workers": 4}, but is [2]'),
    file("has a key twice", '{"workers": 2, "workers": 3}', ": the key 'workers' is given twice"),
    Row(
        "wsgid.json is a folder",
        "start",
        "HERE/site/wsgid.json cannot be read: Is a directory",
        files={"site/wsgid.json/": ""},
    ),
    saved("wrokers", "2", "'wrokers' is no option, did you mean workers?; keys of your own begin with x_"),
    saved("envs", '["A=1"]', 'envs: ["A=1"] is not an object of texts, such as {"LANG": "C.UTF-8"}'),
    saved("envs", '{"PORT": 80}', "envs: PORT is 80, which is not a text: write it in quotes"),
    saved(
        "envs",
        '{"A=B": "x"}',
        "envs: 'A=B' cannot be set to 'x': a name must be there, without '=', and neither may have a zero byte or half "
        "a surrogate pair",
    ),
]
