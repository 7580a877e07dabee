import itertools
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsgid.addresses import RIGHT_BIND, RIGHT_ENDPOINT
from wsgid.config import OPTIONS, Config
from wsgid.config_sources import ConfigError, Loaded, PluginPlace, Source, load, locate_plugins
from wsgid.options import (
    BOOLEAN,
    DIRECTORIES,
    DIRECTORY,
    FORWARDED_HEADERS,
    HEADER_VALUE,
    LIST,
    LOG_FORMAT,
    MASK,
    NUMBER,
    SCRIPT_NAME,
    SECONDS,
    SIZE,
    SWITCH,
    SYSLOG_FACILITY,
    SYSLOG_TAG,
    TEXT,
    Kind,
    Option,
)

NOTHING: Mapping[str, str] = {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app folder; the current directory of the run is the one above."""
    (tmp_path / "blog").mkdir()
    return tmp_path / "blog"


def loaded(folder: Path, saved: object = None, environ: Mapping[str, str] = NOTHING, **command_line: object) -> Loaded:
    """With ``saved`` in wsgid.json: as it stands when it is text or bytes, else as JSON."""
    if isinstance(saved, bytes):
        (folder / "wsgid.json").write_bytes(saved)
    elif saved is not None:
        (folder / "wsgid.json").write_text(saved if isinstance(saved, str) else json.dumps(saved))
    return load({"app_path": str(folder), **command_line}, environ, folder.parent)


# Which value counts


def test_the_defaults(folder: Path) -> None:
    result = loaded(folder)
    config = result.config
    assert config == Config(app_path=folder, bind=("127.0.0.1:8000",))
    assert (config.workers, config.threads, config.keep_alive) == (1, 1, True)
    assert (config.graceful_timeout, config.keepalive_timeout, config.header_timeout) == (30.0, 5.0, 10.0)
    assert (config.max_body, config.queue_size, config.backlog) == (1024**3, 1024, 2048)
    assert (config.debug, config.stdout, config.no_daemon, config.django) == (False, False, False, False)
    assert (config.wsgi_app, config.mongrel2_chroot) == (None, None)
    assert result.sources == {each.name: "default" for each in OPTIONS} | {"app_path": "command line"}
    assert result.warnings == []


SAMPLES: dict[Kind, tuple[str, str, str]] = {
    TEXT: ("one:app", "two:app", "three:app"),
    DIRECTORY: ("/usr", "/etc", "/tmp"),
    DIRECTORIES: ("/usr", "/etc", "/tmp"),
    BOOLEAN: ("true", "false", "true"),
    NUMBER: ("71", "72", "73"),
    SECONDS: ("1.5", "2.5", "3.5"),
    SWITCH: ("off", "on", "off"),
    MASK: ("022", "0077", "7"),
    HEADER_VALUE: ("one/1", "two/2", ""),
    SIZE: ("1m", "2m", "3m"),
    FORWARDED_HEADERS: ("forwarded", "x-forwarded", "forwarded"),
    LOG_FORMAT: ("json", "text", "json"),
    SYSLOG_FACILITY: ("user", "daemon", "local0"),
    SYSLOG_TAG: ("one", "two", "three"),
    SCRIPT_NAME: ("/one", "/two", "/three"),
    LIST: ("tcp://127.0.0.1:1", "tcp://127.0.0.1:2", "tcp://127.0.0.1:3"),
}
"""Of each kind: what the command line says, the environment, wsgid.json."""

OF_THEIR_OWN = {
    "access_log_format": ("json", "none", "{status} {bytes}"),
    "bind": ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"),
    "syslog": ("unix:/one", "unix:/two", "192.0.2.1:514"),
    "metrics": ("127.0.0.1:4", "127.0.0.1:5", "127.0.0.1:6"),
    "filter": ("worker-pid", "elapsed-time", "log-headers"),
    "forwarded_allow_ips": ("192.0.2.1", "10.0.0.0/8", "unix"),
}
"""Options that do not take any text."""
PAIR = ("recv", "send")
SUBSETS = [subset for size in range(1, 4) for subset in itertools.combinations((0, 1, 2), size)]
"""Of the three sources, in their order of precedence."""


@pytest.mark.parametrize("subset", SUBSETS, ids=lambda subset: "+".join(list(Source)[index] for index in subset))
@pytest.mark.parametrize("option", [each for each in OPTIONS if each.name != "app_path"], ids=lambda each: each.name)
def test_the_first_source_that_has_a_value_wins(option: Option, subset: Sequence[int], folder: Path) -> None:
    texts = OF_THEIR_OWN.get(option.name) or SAMPLES[option.kind]
    told: list[dict[str, str]] = [{}, {}, {}]
    for index in subset:
        told[index] = dict.fromkeys(PAIR if option.name in PAIR else (option.name,), texts[index])
    command_line, environment, saved = told
    environ = {"WSGID_" + name.upper(): text for name, text in environment.items()}
    result = loaded(folder, saved, environ, **command_line)
    winner = min(subset)
    assert getattr(result.config, option.name) == option.read(texts[winner], folder)
    assert result.sources[option.name] == list(Source)[winner]


NUMBERS = st.integers(1, 1000)


@given(
    st.lists(st.none() | NUMBERS, min_size=3, max_size=3), st.lists(st.none() | st.booleans(), min_size=3, max_size=3)
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # each example writes the file anew
def test_options_are_independent(folder: Path, workers: list[int | None], debug: list[bool | None]) -> None:
    both = list(zip(workers, debug, strict=True))
    command_line, environment, saved = (
        {name: value for name, value in zip(("workers", "debug"), values, strict=True) if value is not None}
        for values in both
    )
    environ = {"WSGID_" + name.upper(): str(value) for name, value in environment.items()}
    config = loaded(folder, saved, environ, **command_line).config
    assert config.workers == next((value for value in workers if value is not None), 1)
    assert config.debug == next((value for value in debug if value is not None), False)


# Each source


def test_old_files_hold_strings(folder: Path) -> None:
    saved = {
        "debug": "true",
        "workers": "4",
        "keep_alive": "False",
        "no_daemon": "True",
        "stdout": "false",
        "wsgi_app": "blog.wsgi.application",
        "recv": "tcp://127.0.0.1:9996",
        "send": "tcp://127.0.0.1:9997",
        "graceful_timeout": "7.5",
        "max_body": "10m",
    }
    config = loaded(folder, saved).config
    assert config == Config(
        app_path=folder,
        debug=True,
        workers=4,
        keep_alive=False,
        no_daemon=True,
        stdout=False,
        wsgi_app="blog.wsgi.application",
        recv=("tcp://127.0.0.1:9996",),
        send=("tcp://127.0.0.1:9997",),
        graceful_timeout=7.5,
        max_body=10 * 1024**2,
    )


def test_files_hold_real_types(folder: Path) -> None:
    saved = {"debug": True, "workers": 4, "header_timeout": 3, "max_body": 5, "bind": ["127.0.0.1:1", "[::1]:0"]}
    config = loaded(folder, saved).config
    assert config == Config(
        app_path=folder, debug=True, workers=4, header_timeout=3.0, max_body=5, bind=("127.0.0.1:1", "[::1]:0")
    )


@pytest.mark.parametrize("saved", ["{}", "\ufeff{}", ' {"workers": null, "envs": null}', '{"x_mine": [1], "x_": null}'])
def test_files_that_say_nothing(saved: str, folder: Path) -> None:
    assert loaded(folder, saved.encode()) == loaded(folder)


def test_there_need_be_no_file(folder: Path) -> None:
    assert not (folder / "wsgid.json").exists()
    assert loaded(folder).config.envs == {}


def test_loader_dirs_start_from_where_they_are_named(folder: Path) -> None:
    for each in (folder / "own", folder.parent / "shared", folder.parent / "own"):
        each.mkdir()
    assert loaded(folder, {"loader_dir": ["own", "../shared"]}).config.loader_dir == (
        folder / "own",
        folder / "../shared",
    )
    assert loaded(folder, loader_dir=("own", "shared")).config.loader_dir == (
        folder.parent / "own",
        folder.parent / "shared",
    )


def test_loader_dirs_of_a_jail_are_named_as_they_are_seen_from_inside(folder: Path) -> None:
    (folder / "own").mkdir()
    named = ("own", "/own", str(folder / "own"))
    assert loaded(folder, chroot=True, loader_dir=named).config.loader_dir == (folder / "own",) * 3
    assert loaded(folder, {"loader_dir": "/own", "chroot": "true"}).config.loader_dir == (folder / "own",)
    assert loaded(folder, {"chroot": True}, {"WSGID_LOADER_DIR": "own,/own"}).config.loader_dir == (folder / "own",) * 2
    with pytest.raises(ConfigError, match=r'^--loader-dir: \["usr"\] is not a directory that exists'):
        loaded(folder, chroot=True, loader_dir=("/usr",))


def test_where_plug_ins_are_found_does_not_depend_on_other_options(folder: Path) -> None:
    (folder / "own").mkdir()
    saved = {
        "chroot": True,
        "loader_dir": "/own",
        "filter": "worker-pid",
        "envs": {"A": "b"},
        "workers": "many",
        "wrokers": 3,
    }
    (folder / "wsgid.json").write_text(json.dumps(saved))
    found = locate_plugins({"app_path": "blog"}, {"WSGID_THREADS": "x"}, folder.parent)
    assert found == PluginPlace(folder, (folder / "own",), ("worker-pid",), {"A": "b"})
    with pytest.raises(ConfigError, match=r"^--app-path: "):
        locate_plugins({"app_path": "blgo"}, {}, folder.parent)


def test_envs_are_for_the_application(folder: Path) -> None:
    assert loaded(folder, {"envs": {"LANG": "C", "EMPTY": ""}}).config.envs == {"LANG": "C", "EMPTY": ""}


def test_the_environment_separates_by_commas(folder: Path) -> None:
    environ = {"WSGID_BIND": " 127.0.0.1:1,127.0.0.1:2 ,", "WSGID_WORKERS": "3"}
    assert loaded(folder, None, environ).config.bind == ("127.0.0.1:1", "127.0.0.1:2")


def test_an_empty_variable_is_not_set(folder: Path) -> None:
    result = loaded(folder, {"workers": 2}, {"WSGID_WORKERS": "", "WSGID_DEBUG": " ", "WSGID_RECV": ""})
    assert result.config.workers == 2
    assert result.sources["debug"] == "default"


def test_unknown_variables_are_warned_of(folder: Path) -> None:
    environ = {"WSGID_PORT_8000_TCP": "tcp://172.17.0.2:8000", "WSGID_WROKERS": "4", "WSGI": "", "PATH": "/bin"}
    assert loaded(folder, None, environ).warnings == [
        "WSGID_PORT_8000_TCP in the environment is no option; ignored",
        "WSGID_WROKERS in the environment is no option, did you mean WSGID_WORKERS?; ignored",
    ]


# Folders


def test_the_app_path_comes_from_the_nearest_source_too(folder: Path) -> None:
    def of(command_line: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Path, str]:
        result = load(command_line, environ, folder.parent)
        return result.config.app_path, result.sources["app_path"]

    (folder.parent / "shop").mkdir()
    assert of({"app_path": "blog"}, {"WSGID_APP_PATH": "shop"}) == (folder, "command line")
    assert of({}, {"WSGID_APP_PATH": "blog"}) == (folder, "environment")
    assert of({}, {}) == (folder.parent, "default")


def test_a_wrong_app_path_in_the_environment() -> None:
    with pytest.raises(ConfigError, match=r"^WSGID_APP_PATH: '/no' is not a directory that exists and can be reached$"):
        load({}, {"WSGID_APP_PATH": "/no"})


def test_without_a_directory_the_current_one_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert load({}, {}).config.app_path == folder


def test_a_link_to_the_app_folder_stays_a_link(folder: Path) -> None:
    link = folder.parent / "current"
    link.symlink_to(folder)
    assert loaded(link).config.app_path == link


def test_relative_paths_start_where_they_were_written(folder: Path) -> None:
    for place in (folder, folder.parent):
        (place / "jail").mkdir()
    saved = {"mongrel2_chroot": "jail", "bind": "unix:s", "recv": "ipc://r", "send": "ipc://w"}
    from_file = loaded(folder, saved).config
    assert from_file.mongrel2_chroot == folder / "jail"
    assert from_file.bind + from_file.recv + from_file.send == (
        f"unix:{folder}/s",
        f"ipc://{folder}/r",
        f"ipc://{folder}/w",
    )
    from_here = loaded(folder, None, {"WSGID_BIND": "unix:s"}, mongrel2_chroot="jail").config
    assert from_here.mongrel2_chroot == folder.parent / "jail"
    assert from_here.bind == (f"unix:{folder.parent}/s",)


@pytest.mark.parametrize("told", [".", "../blog", "../blog/../blog"])
def test_a_file_may_repeat_where_it_is(told: str, folder: Path) -> None:
    assert loaded(folder, {"app_path": told}).warnings == []


def test_a_file_cannot_move_itself(folder: Path) -> None:
    result = loaded(folder, {"app_path": "/srv/old"})
    assert result.config.app_path == folder
    assert result.warnings == [f"{folder}/wsgid.json: app_path is '/srv/old', but the file is in {folder}; ignored"]


# Edges


def test_http_is_served_only_when_nothing_else_is_asked_for(folder: Path) -> None:
    pair: dict[str, Any] = {"recv": ("tcp://127.0.0.1:1",), "send": ("tcp://127.0.0.1:2",)}
    assert loaded(folder).config.bind == ("127.0.0.1:8000",)
    assert loaded(folder, bind=("127.0.0.1:1",)).config.bind == ("127.0.0.1:1",)
    assert loaded(folder, **pair).config.bind == ()
    assert loaded(folder, **pair, bind=("127.0.0.1:1",)).config.bind == ("127.0.0.1:1",)
    assert loaded(folder, {"bind": []}).config.bind == ("127.0.0.1:8000",)


def test_addresses_that_are_not_the_same(folder: Path) -> None:
    config = loaded(folder, bind=("127.0.0.1:0", "127.0.0.1:0", "[::1]:80"), metrics=("127.0.0.1:0", "[::1]:81")).config
    assert len(config.bind + config.metrics) == 5
    assert loaded(folder, metrics="127.0.0.1:8000", recv=("ipc:///r",), send=("ipc:///s",)).config.bind == ()


def test_an_address_that_is_the_default_already(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"^127.0.0.1:8000 is given twice, by --bind \(default\) and by --metrics"):
        loaded(folder, metrics="127.0.0.1:8000")


def test_several_pairs(folder: Path) -> None:
    config = loaded(
        folder,
        recv=("tcp://127.0.0.1:1", "ipc:///run/r"),
        send=("tcp://127.0.0.1:2", "ipc:///run/s"),
    ).config
    assert config.recv == ("tcp://127.0.0.1:1", "ipc:///run/r")
    assert config.send == ("tcp://127.0.0.1:2", "ipc:///run/s")


# Errors


@dataclass(frozen=True)
class Wrong:
    """FILE in a message stands for the path of wsgid.json, FOLDER for the app folder."""

    name: str
    messages: Sequence[str]
    saved: object = None
    environ: Mapping[str, str] = field(default_factory=dict)
    command_line: Mapping[str, object] = field(default_factory=dict)


NOT_WORKERS = "is not a whole number from 1 to 1000"
OWN_KEYS = "keys of your own begin with x_"
CURE = "give each Mongrel2 handler's send_spec as --recv and its recv_spec as --send"
VARIABLE_RULE = "a name must be there, without '=', and neither may have a zero byte or half a surrogate pair"

WRONG = [
    Wrong("command line", [f"--workers: 'many' {NOT_WORKERS}"], command_line={"workers": "many"}),
    Wrong("environment", [f"WSGID_WORKERS: '0' {NOT_WORKERS}"], environ={"WSGID_WORKERS": "0"}),
    Wrong("file", [f"FILE: workers: [4] {NOT_WORKERS}"], saved={"workers": [4]}),
    Wrong("file text", [f"FILE: workers: 'many' {NOT_WORKERS}"], saved={"workers": "many"}),
    Wrong("boolean", ["FILE: debug: 'maybe' is not true or false"], saved={"debug": "maybe"}),
    Wrong(
        "app path",
        ["--app-path: 'no' is not a directory that exists and can be reached"],
        command_line={"app_path": "no"},
    ),
    Wrong(
        "app path is a file",
        ["--app-path: '/etc/passwd' is not a directory that exists and can be reached"],
        command_line={"app_path": "/etc/passwd"},
    ),
    Wrong("bind", [f"--bind: '8000' has no port number after a ':'; {RIGHT_BIND}"], command_line={"bind": ("8000",)}),
    Wrong(
        "endpoint",
        [f"WSGID_RECV: 'x' begins with neither tcp:// nor ipc://; {RIGHT_ENDPOINT}"],
        environ={"WSGID_RECV": "x"},
    ),
    Wrong(
        "half a pair",
        ["--recv and --send go in pairs, but there are 1 of --recv (wsgid.json) and 0 of --send (default): " + CURE],
        saved={"recv": "tcp://127.0.0.1:1"},
    ),
    Wrong(
        "too many answers",
        [
            "--recv and --send go in pairs, but there are 1 of --recv (environment) and 2 of --send (command line): "
            + CURE
        ],
        environ={"WSGID_RECV": "ipc://r"},
        command_line={"send": ("ipc://s", "ipc://t")},
    ),
    Wrong("unknown key", [f"FILE: 'wrokers' is no option, did you mean workers?; {OWN_KEYS}"], saved={"wrokers": 4}),
    Wrong("dashes", [f"FILE: 'wsgi-app' is no option, did you mean wsgi_app?; {OWN_KEYS}"], saved={"wsgi-app": "a:b"}),
    Wrong("envs misspelled", [f"FILE: 'env' is no option, did you mean envs?; {OWN_KEYS}"], saved={"env": {}}),
    Wrong("far key", [f"FILE: 'zzz' is no option; {OWN_KEYS}"], saved={"zzz": None, "x_zzz": None}),
    Wrong("no JSON", ["FILE, line 2, column 14: not valid JSON: Expecting value"], saved='{\n  "workers": four}'),
    Wrong("an empty file", ["FILE, line 1, column 1: not valid JSON: Expecting value"], saved=""),
    Wrong("no UTF-8", ["FILE, line 3, column 9: not valid JSON: not UTF-8"], saved=b'{\n\n"x_a": "\xff"}'),
    Wrong("no UTF-8 at once", ["FILE, line 1, column 1: not valid JSON: not UTF-8"], saved=b"\x80"),
    Wrong(
        "no object",
        ['FILE must hold one JSON object, such as {"workers": 4}, but is ["workers", 4]'],
        saved=["workers", 4],
    ),
    Wrong("a key twice", ["FILE: the key 'debug' is given twice"], saved='{"debug": true, "debug": false}'),
    Wrong(
        "too deep",
        ["FILE: not valid JSON: nested too deeply"],
        saved="[" * 100_000,
    ),
    Wrong(
        "envs", ["""FILE: envs: ["A"] is not an object of texts, such as {"LANG": "C.UTF-8"}"""], saved={"envs": ["A"]}
    ),
    Wrong(
        "envs value",
        ["FILE: envs: PORT is 8080, which is not a text: write it in quotes"],
        saved={"envs": {"PORT": 8080}},
    ),
    Wrong("envs name", [f"FILE: envs: '' cannot be set to 'x': {VARIABLE_RULE}"], saved={"envs": {"": "x"}}),
    Wrong("envs equals", [f"FILE: envs: 'A=B' cannot be set to 'x': {VARIABLE_RULE}"], saved={"envs": {"A=B": "x"}}),
    Wrong("envs zero", [rf"FILE: envs: 'A' cannot be set to 'x\x00': {VARIABLE_RULE}"], saved={"envs": {"A": "x\0"}}),
    Wrong(
        "envs surrogate",
        [rf"FILE: envs: 'A' cannot be set to '\ud800': {VARIABLE_RULE}"],
        saved={"envs": {"A": "\ud800"}},
    ),
    Wrong(
        "all at once",
        [
            "FILE: 'wrokers' is no option, did you mean workers?; " + OWN_KEYS,
            f"--recv: 'ipc://' names no path; {RIGHT_ENDPOINT}",
            f"WSGID_WORKERS: 'x' {NOT_WORKERS}",
            f"FILE: threads: 0 {NOT_WORKERS}",
        ],
        saved={"wrokers": 1, "threads": 0},
        environ={"WSGID_WORKERS": "x"},
        command_line={"recv": ("ipc://",)},
    ),
    Wrong(
        "all at once, without a folder",
        [
            "--app-path: 'no' is not a directory that exists and can be reached",
            f"WSGID_WORKERS: 'x' {NOT_WORKERS}",
        ],
        environ={"WSGID_WORKERS": "x"},
        command_line={"app_path": "no"},
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_what_is_wrong_is_told(wrong: Wrong, folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, wrong.saved, wrong.environ, **wrong.command_line)
    expected = [message.replace("FILE", f"{folder}/wsgid.json") for message in wrong.messages]
    assert list(caught.value.errors) == expected
    assert str(caught.value) == "\n".join(expected)


def test_a_wrong_value_that_does_not_count_does_no_harm(folder: Path) -> None:
    assert loaded(folder, {"workers": "many"}, {"WSGID_WORKERS": "more"}, workers="2").config.workers == 2


def test_a_file_that_cannot_be_read(folder: Path) -> None:
    (folder / "wsgid.json").mkdir()
    with pytest.raises(ConfigError, match=r"wsgid.json cannot be read: Is a directory$"):
        loaded(folder)


def test_a_current_directory_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    os.rmdir(gone)
    with pytest.raises(ConfigError, match=r"^the current directory has been removed: change to one that exists$"):
        load({}, {})


KEYS = st.sampled_from([each.name for each in OPTIONS] + ["envs", "x_y", "other"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.binary() | st.dictionaries(KEYS, VALUES, max_size=4).map(lambda saved: json.dumps(saved).encode()))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)  # each example writes the file anew
def test_any_file_gives_a_config_or_the_one_error(folder: Path, saved: bytes) -> None:
    try:
        result = loaded(folder, saved)
    except ConfigError:
        return
    assert isinstance(result.config, Config)
