"""The options of one daemon, and where their values come from.

`Config` is the table of options: add a field with `option`, and the command line, the environment, ``wsgid.json`` and
the reference page have it too. `load` merges the sources. The first of them that has a value wins: the command line,
the environment, ``wsgid.json`` in the app folder, the default.
"""
# ruff: noqa: RUF009 - it warns of calls that give all instances one shared value; option() makes a dataclass field

import enum
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wsgid.addresses import absolute_bind, absolute_endpoint, trusted_peer
from wsgid.filters import SHIPPED, shipped_filter
from wsgid.options import (
    VARIABLE_PREFIX,
    ForwardedHeaders,
    HeaderValue,
    Mask,
    Option,
    ScriptName,
    Size,
    Switch,
    nearest,
    option,
    read_table,
    shown,
)

FILE = "wsgid.json"
DEFAULT_BIND = "127.0.0.1:8000"
ENVS = "envs"
OWN_PREFIX = "x_"
"""Keys of ``wsgid.json`` that begin so are the user's own."""

APPLICATION = "Application"
EDGES = "Where requests come from"
PROCESSES = "Processes"
RUNNING = "Running and logging"
RIGHTS = "Rights"
TIMES = "Time limits"
LIMITS = "Size limits"

A_DAY = 24 * 3600
"""Seconds. Longer than any honest time limit; infinity would break the arithmetic of the clocks."""
MAX_PARALLEL = 1000
"""Worker processes, or threads of each: far beyond what serves, yet a slip of the keyboard cannot fell the machine."""
MAX_REQUESTS = 10**9
MAX_QUARANTINE = 1000
MAX_RSS = 1024**5
"""Bytes: 1 PiB."""
MAX_HEADERS = 1024**2
"""Bytes: what a frame of the channel is prepared to carry."""
MAX_REQUEST_LINE = 65536
"""Bytes: the channel carries the target up to three times beside the headers."""
MAX_FIELDS = 32768
"""As in gunicorn."""
MAX_QUEUE = 1_000_000
MAX_BACKLOG = 65535
"""The kernel cuts it to net.core.somaxconn anyway, 4096 as it comes: see listen(2)."""
MAX_BODY_RATE = 1024**2
"""Bytes a second: few clients are faster at every moment."""
MAX_BODY = 1024**4
"""Bytes: 1 TiB."""
MIN_SPOOL = 1024**2
"""Bytes: with a few of them each few would cost a job of a thread."""
MAX_ANSWER_MEMORY = 1024**3
"""Bytes: 1 GiB, and that for each client that is slow."""
MAX_ANSWER_MEMORY_TOTAL = 1024**4
"""Bytes: 1 TiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    app_path: Path = option(
        Path("."),
        group=APPLICATION,
        default_text="the current directory",
        help="The app folder: its app/ holds the code, its logs/ the log.",
        fixed=True,
    )
    wsgi_app: str | None = option(
        None,
        group=APPLICATION,
        metavar="NAME",
        default_text="found by looking into app/",
        help="The application, as package.module:object or package.module.object.",
    )
    django: bool = option(
        False, group=APPLICATION, help="Load a Django project, even where something else is found too."
    )
    loader_dir: tuple[Path, ...] = option(
        (),
        group=APPLICATION,
        default_text="none",
        help="Look for plug-ins here too, beside plugins/ in the app folder; with --chroot a path in there. May be "
        "repeated.",
    )

    filter: tuple[str, ...] = option(
        (),
        group=APPLICATION,
        metavar="NAME",
        default_text="none",
        each=shipped_filter,
        help=f"Switch on a request filter that comes with wsgid: {', '.join(SHIPPED)}. May be repeated.",
    )

    bind: tuple[str, ...] = option(
        (),
        group=EDGES,
        metavar="ADDRESS",
        default_text=f"{DEFAULT_BIND} without --recv and --send",
        each=absolute_bind,
        help="Serve HTTP here: HOST:PORT, [IPV6]:PORT or unix:PATH. May be repeated.",
        fixed=True,
    )
    recv: tuple[str, ...] = option(
        (),
        group=EDGES,
        metavar="ENDPOINT",
        default_text="none",
        each=absolute_endpoint,
        help="Take requests from Mongrel2 at this ZeroMQ endpoint, which its configuration calls send_spec: "
        "tcp://HOST:PORT or ipc://PATH. May be repeated, in pairs with --send.",
        fixed=True,
    )
    send: tuple[str, ...] = option(
        (),
        group=EDGES,
        metavar="ENDPOINT",
        default_text="none",
        each=absolute_endpoint,
        help="Send the answers of the --recv in the same place here: recv_spec in Mongrel2's configuration.",
        fixed=True,
    )
    mongrel2_chroot: Path | None = option(
        None,
        group=EDGES,
        default_text="none",
        help="The directory that is / to Mongrel2; put before the paths of uploads that it names.",
        fixed=True,
    )

    shared_handler: bool = option(
        False,
        group=EDGES,
        help="Other daemons take requests from the same Mongrel2 handlers. Then neither upload.stream nor "
        "download.flow_control is served.",
        fixed=True,
    )

    # Whoever has the machine's own front end behind him comes from one of these, and nobody else does.
    forwarded_allow_ips: tuple[str, ...] = option(
        ("127.0.0.1", "::1", "unix"),
        group=EDGES,
        metavar="PEER",
        each=trusted_peer,
        help="The front ends that are believed when they say who their client is (docs/front-ends.md): an address, a "
        "network such as 10.0.0.0/8, unix for the UNIX sockets, * for everybody, none for nobody. May be repeated.",
        fixed=True,
    )
    forwarded_headers: ForwardedHeaders = option(
        "x-forwarded",
        group=EDGES,
        help="How they say so: by X-Forwarded-For, -Proto and -Host, or by Forwarded (RFC 7239).",
        fixed=True,
    )
    script_name: ScriptName = option(
        "",
        group=EDGES,
        default_text="empty, the whole server",
        help="Where the application's root lies: SCRIPT_NAME of what comes by HTTP, where other paths get 404. Behind "
        "Mongrel2 the route says it.",
        fixed=True,
    )

    server_header: HeaderValue = option(
        "wsgid",
        group=EDGES,
        help="The Server header of answers whose application gives none, and of refusals. Empty: there is none.",
        fixed=True,
    )

    workers: int = option(1, group=PROCESSES, limits=(1, MAX_PARALLEL), help="Worker processes.")
    threads: int = option(
        1, group=PROCESSES, limits=(1, MAX_PARALLEL), help="Requests that each worker serves at the same time."
    )
    keep_alive: bool = option(True, group=PROCESSES, help="Replace workers that die.")
    max_requests: int = option(
        0,
        group=PROCESSES,
        limits=(0, MAX_REQUESTS),
        default_text="0, no limit",
        help="Requests after which a worker is replaced: its successor comes first, then it leaves.",
    )
    max_requests_jitter: int | None = option(
        None,
        group=PROCESSES,
        limits=(0, MAX_REQUESTS),
        default_text="a tenth of --max-requests",
        help="Up to so many requests more, by chance for each worker, so that they do not all come to it at once.",
    )
    max_rss: Size = option(
        0,
        group=PROCESSES,
        limits=(0, MAX_RSS),
        default_text="0, no limit",
        help="Memory (resident set) above which a worker is replaced: its successor comes first, then it leaves.",
    )
    reload: bool = option(
        False,
        group=PROCESSES,
        fixed=True,
        help="For development: load the application anew whenever a file of its code changes.",
    )
    redeliver: Switch = option(
        True,
        group=PROCESSES,
        help="Give a GET or HEAD whose worker died, before anything was answered, to another worker, once. What it did "
        "until then is done twice.",
    )
    quarantine: int = option(
        0,
        group=PROCESSES,
        limits=(0, MAX_QUARANTINE),
        default_text="0, off",
        help="Refuse a method and path with 503 for a minute once so many workers died over it within a minute. Those "
        "that were killed for a time limit do not count.",
    )

    no_daemon: bool = option(False, group=RUNNING, help="Stay in the foreground.", fixed=True)
    stdout: bool = option(False, group=RUNNING, help="Log to standard output instead of logs/wsgid.log.", fixed=True)
    debug: bool = option(False, group=RUNNING, help="Log in more detail.")
    run_dir: Path | None = option(
        None,
        group=RUNNING,
        default_text="run/ in the app folder",
        fixed=True,
        help="Where the sockets and pid files of the daemon are kept, for an app folder that must not be written to.",
    )

    user: str | None = option(
        None,
        group=RIGHTS,
        metavar="NAME",
        default_text="the owner of the app folder, when started by root",
        fixed=True,
        help="Run as this user, a name or a number.",
    )
    group: str | None = option(
        None,
        group=RIGHTS,
        metavar="NAME",
        default_text="the user's own; without --user the app folder's, when started by root",
        fixed=True,
        help="Run with this group, a name or a number.",
    )
    umask: Mask | None = option(
        None, group=RIGHTS, default_text="as it was at the start", fixed=True, help="File mode mask of all processes."
    )
    chroot: bool = option(
        False,
        group=RIGHTS,
        fixed=True,
        help="Make the app folder the root directory: only interpreter and libraries are there beside it. Takes root.",
    )

    graceful_timeout: float = option(
        30.0,
        group=TIMES,
        limits=(0, A_DAY),
        help="How long requests in progress may take to finish when their worker is replaced, and at the end.",
    )
    start_timeout: float = option(
        60.0, group=TIMES, limits=(0.1, A_DAY), help="How long a worker may take to load the application."
    )
    timeout: float = option(
        0.0,
        group=TIMES,
        limits=(0, A_DAY),
        default_text="0, no limit",
        help="How long the application may take for a request; then its client gets 504 and the worker is replaced.",
    )
    queue_timeout: float = option(
        30.0,
        group=TIMES,
        limits=(0, A_DAY),
        help="How long a request may wait for a worker; then it is refused with 503. 0: no limit.",
    )
    keepalive_timeout: float = option(
        5.0,
        group=TIMES,
        limits=(0, A_DAY),
        help="How long an HTTP connection is kept for its next request.",
        fixed=True,
    )
    header_timeout: float = option(
        10.0,
        group=TIMES,
        limits=(0.01, A_DAY),
        help="How long an HTTP client may take to send a request's headers.",
        fixed=True,
    )
    # The time is nginx's (client_body_timeout), the rate Apache's (mod_reqtimeout).
    body_timeout: float = option(
        60.0,
        group=TIMES,
        limits=(0.01, A_DAY),
        help="How long an HTTP client may send nothing of a request's body, or be behind --min-body-rate.",
        fixed=True,
    )
    min_body_rate: int = option(
        500,
        group=TIMES,
        metavar="BYTES",
        limits=(0, MAX_BODY_RATE),
        help="Bytes a second that an HTTP client has to send of a request's body. 0: any, as long as it sends.",
        fixed=True,
    )

    # RFC 9112 section 3 asks for at least 8000 bytes of request line; the number itself is Apache's and gunicorn's.
    limit_request_line: int = option(
        8190,
        group=LIMITS,
        metavar="BYTES",
        limits=(64, MAX_REQUEST_LINE),
        help="Most bytes of a request's target, path and query; a longer one is refused with 414.",
        fixed=True,
    )
    limit_request_fields: int = option(
        100,
        group=LIMITS,
        limits=(1, MAX_FIELDS),
        help="Most header lines of a request; one with more is refused with 431.",
        fixed=True,
    )
    limit_request_headers: int = option(
        65536,
        group=LIMITS,
        metavar="BYTES",
        limits=(64, MAX_HEADERS),
        help="Most bytes of all header lines of a request; one with more is refused with 431.",
        fixed=True,
    )
    max_body: Size = option(
        1024**3,
        group=LIMITS,
        limits=(0, MAX_BODY),
        help="Largest body of a request; a bigger one is refused with 413.",
        fixed=True,
    )
    answer_memory: Size = option(
        1024**2,
        group=LIMITS,
        limits=(0, MAX_ANSWER_MEMORY),
        help="Most bytes of an answer that are kept in memory for a client that reads more slowly than it is answered; "
        "what exceeds them is kept in a file.",
    )
    answer_spool: Size = option(
        1024**3,
        group=LIMITS,
        limits=(MIN_SPOOL, MAX_BODY),
        or_zero=True,
        help="Most bytes of an answer that are kept in that file, in the run directory; then its worker waits for the "
        "client. 0: no file.",
    )
    # Of 256 answers with the memory that each may have; a machine that serves so many slow clients has it.
    answer_memory_total: Size = option(
        256 * 1024**2,
        group=LIMITS,
        limits=(0, MAX_ANSWER_MEMORY_TOTAL),
        help="Most memory for all such answers together; when it is used up, they go straight to their files.",
    )
    # Ten of the largest.
    answer_spool_total: Size = option(
        10 * 1024**3,
        group=LIMITS,
        limits=(MIN_SPOOL, MAX_BODY),
        or_zero=True,
        help="Most bytes in all such files together; when they are used up, the workers wait for the clients.",
    )
    queue_size: int = option(
        1024,
        group=LIMITS,
        limits=(1, MAX_QUEUE),
        help="Most requests waiting for a worker; further ones are refused with 503.",
    )
    backlog: int = option(
        2048,
        group=LIMITS,
        limits=(1, MAX_BACKLOG),
        help="Most connections waiting to be accepted, for each --bind.",
        fixed=True,
    )

    envs: dict[str, str] = field(default_factory=dict)
    """Environment variables for the application. Only ``wsgid.json`` has them: elsewhere one can simply set them."""


OPTIONS = read_table(Config)
_BY_NAME = {each.name: each for each in OPTIONS}
_BY_VARIABLE = {each.variable: each for each in OPTIONS}
_APP_PATH, _RUN_DIR = _BY_NAME["app_path"], _BY_NAME["run_dir"]
_LOADER_DIR, _CHROOT, _FILTER = _BY_NAME["loader_dir"], _BY_NAME["chroot"], _BY_NAME["filter"]


class Source(enum.StrEnum):
    """In the order of precedence."""

    COMMAND_LINE = "command line"
    ENVIRONMENT = "environment"
    FILE = "wsgid.json"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Loaded:
    config: Config
    sources: dict[str, str]
    """Of each option, by name: a `Source`."""
    warnings: list[str]
    """For the log: what was ignored, and why."""


class ConfigError(Exception):
    """All that is wrong with the options: one sentence each, which names source, option and value."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(self.errors))


def load(command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None = None) -> Loaded:
    """The options, from all their sources.

    ``command_line`` holds, by option name, only what was given there: text, True or False for a boolean, a tuple of
    text for a repeatable option. Relative paths are taken from ``cwd`` (None: the current directory), those in
    ``wsgid.json`` from the app folder. The only effects are to read ``wsgid.json`` and to see whether named directories
    exist; so a restart can call it again, with the ``cwd`` of the start. Raises ConfigError.
    """
    errors: list[str] = []
    warnings: list[str] = []
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    layers = _first_layers(command_line, environ, cwd, warnings)
    _choose_app_path(layers, values, sources, errors)
    if app_path := values.get("app_path"):
        saved = _read_file(app_path / FILE, errors)
        values[ENVS] = _pop_envs(saved, app_path / FILE, errors)
        _drop_app_path(saved, app_path, warnings)
        layers.append(_Layer(Source.FILE, app_path, _known(saved, app_path / FILE, errors)))
    for each in OPTIONS:
        if each not in (_APP_PATH, _LOADER_DIR):
            _choose(each, layers, values, sources, errors)
    _choose_loader_dirs(layers, values, sources, errors)
    _check_pairs(values, sources, errors)
    if errors:
        raise ConfigError(errors)
    if not (values["bind"] or values["recv"]):
        values["bind"] = (DEFAULT_BIND,)
    return Loaded(Config(**values), sources, warnings)


@dataclass(frozen=True, slots=True)
class Place:
    """Where daemons are to be found."""

    app_path: Path
    run_dir: Path | None
    warnings: list[str]
    """What could not be read, and may have named another place."""


def locate(command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None = None) -> Place:
    """As `load`, but only ``app_path`` and ``run_dir``: a daemon can be stopped whatever has become wrong with the
    other options. Raises ConfigError."""
    errors: list[str] = []
    unread: list[str] = []
    values: dict[str, Any] = {}
    layers = _first_layers(command_line, environ, cwd, [])
    _choose_app_path(layers, values, {}, errors)
    if app_path := values.get("app_path"):
        saved = _read_file(app_path / FILE, unread)
        layers.append(_Layer(Source.FILE, app_path, _known(saved, app_path / FILE, [])))
        _choose(_RUN_DIR, layers, values, {}, errors)
    if errors:
        raise ConfigError(errors)
    return Place(values["app_path"], values["run_dir"], unread)


@dataclass(frozen=True, slots=True)
class PluginPlace:
    """Where an app folder's plug-ins are to be found, and what they find in their environment."""

    app_path: Path
    loader_dirs: tuple[Path, ...]
    filters: tuple[str, ...]
    """Those of ours that are switched on."""
    envs: Mapping[str, str]


def locate_plugins(
    command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None = None
) -> PluginPlace:
    """As `load`, but only what has to do with plug-ins. Raises ConfigError."""
    errors: list[str] = []
    values: dict[str, Any] = {}
    layers = _first_layers(command_line, environ, cwd, [])
    _choose_app_path(layers, values, {}, errors)
    if app_path := values.get("app_path"):
        saved = _read_file(app_path / FILE, errors)
        values[ENVS] = _pop_envs(saved, app_path / FILE, errors)
        layers.append(_Layer(Source.FILE, app_path, _known(saved, app_path / FILE, [])))
        for each in (_CHROOT, _FILTER):
            _choose(each, layers, values, {}, errors)
        _choose_loader_dirs(layers, values, {}, errors)
    if errors:
        raise ConfigError(errors)
    return PluginPlace(values["app_path"], values["loader_dir"], values["filter"], values[ENVS])


@dataclass(frozen=True, slots=True)
class _Layer:
    """What one source says."""

    source: Source
    base: Path
    """Where relative paths start."""
    values: Mapping[str, object]

    def place(self, option: Option) -> str:
        """Where people find the value."""
        match self.source:
            case Source.ENVIRONMENT:
                return option.variable
            case Source.FILE:
                return f"{self.base / FILE}: {option.name}"
            case _:
                return option.flag

    def seen_from_inside(self, option: Option, app_path: Path) -> "_Layer":
        """The same for an option that names folders in the app folder, which is ``/`` there. It is also where it is
        outside, so its full path is right as well."""
        told = self.values.get(option.name)
        if told is None:
            return self
        named = (told,) if isinstance(told, str) else told
        inside = tuple(_below(each, app_path) for each in named) if isinstance(named, list | tuple) else named
        return replace(self, base=app_path, values={**self.values, option.name: inside})


def _first_layers(
    command_line: Mapping[str, object], environ: Mapping[str, str], cwd: Path | None, warnings: list[str]
) -> list[_Layer]:
    """The sources that are known before the app folder is. Raises ConfigError."""
    start = cwd or _current_directory()
    return [
        _Layer(Source.COMMAND_LINE, start, command_line),
        _Layer(Source.ENVIRONMENT, start, _from_environment(environ, warnings)),
    ]


def _choose_app_path(layers: list[_Layer], values: dict[str, Any], sources: dict[str, str], errors: list[str]) -> None:
    default = _Layer(Source.DEFAULT, layers[0].base, {"app_path": "."})
    _choose(_APP_PATH, [*layers, default], values, sources, errors)


def _choose_loader_dirs(
    layers: Iterable[_Layer], values: dict[str, Any], sources: dict[str, str], errors: list[str]
) -> None:
    """With ``--chroot`` they are named as they are seen from inside."""
    if values.get("chroot") and "app_path" in values:
        layers = [each.seen_from_inside(_LOADER_DIR, values["app_path"]) for each in layers]
    _choose(_LOADER_DIR, layers, values, sources, errors)


def _choose(
    option: Option, layers: Iterable[_Layer], values: dict[str, Any], sources: dict[str, str], errors: list[str]
) -> None:
    """Takes the value from the first layer that has one. What is overridden is not judged: it does no harm."""
    for layer in layers:
        if option.name in layer.values:
            sources[option.name] = layer.source
            try:
                values[option.name] = option.read(layer.values[option.name], layer.base)
            except ValueError as error:
                errors.append(f"{layer.place(option)}: {error}")
            return
    values[option.name], sources[option.name] = option.default, Source.DEFAULT


def _below(path: object, app_path: Path) -> object:
    if not isinstance(path, str) or Path(path).is_relative_to(app_path):
        return path
    return path.lstrip("/")


def _check_pairs(values: Mapping[str, Any], sources: Mapping[str, str], errors: list[str]) -> None:
    if not {"recv", "send"} <= values.keys():  # one of them is wrong by itself, and has been told
        return
    recv, send = len(values["recv"]), len(values["send"])
    if recv != send:
        errors.append(
            f"--recv and --send go in pairs, but there are {recv} of --recv ({sources['recv']}) and {send} of --send "
            f"({sources['send']}): give each Mongrel2 handler's send_spec as --recv and its recv_spec as --send"
        )


def _current_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError(["the current directory has been removed: change to one that exists"]) from None


def _from_environment(environ: Mapping[str, str], warnings: list[str]) -> dict[str, object]:
    """An empty variable counts as not set: shells and composition files pass on unset ones like that."""
    values: dict[str, object] = {}
    for variable, text in sorted(environ.items()):
        option = _BY_VARIABLE.get(variable)
        if option is None:
            if variable.startswith(VARIABLE_PREFIX):
                # Not an error: orchestrators inject names such as WSGID_PORT_8000_TCP for a service called wsgid.
                hint = nearest(variable, _BY_VARIABLE, VARIABLE_PREFIX)
                warnings.append(f"{variable} in the environment is no option{hint}; ignored")
        elif text.strip():
            values[option.name] = _split(text) if option.is_repeatable else text
    return values


def _split(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _read_file(path: Path, errors: list[str]) -> dict[str, object]:
    """What the file holds; nothing when it is not there or wrong."""
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_unrepeated)
    except FileNotFoundError:
        return {}
    except OSError as error:
        errors.append(f"{path} cannot be read: {error.strerror}")
    except json.JSONDecodeError as error:
        errors.append(f"{path}, line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        errors.append(f"{path}, line {line}, column {column}: not valid JSON: not UTF-8")
    except RecursionError:
        errors.append(f"{path}: not valid JSON: nested too deeply")
    except ValueError as error:
        errors.append(f"{path}: {error}")
    else:
        if isinstance(content, dict):
            return content
        errors.append(f'{path} must hold one JSON object, such as {{"workers": 4}}, but is {shown(content)}')
    return {}


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """json itself would quietly take the last of two equal keys."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the key {shown(key)} is given twice")
    return dict(pairs)


def _known(saved: Mapping[str, object], path: Path, errors: list[str]) -> dict[str, object]:
    """The options among the keys, without those that are null and so say nothing.

    Any other key is a slip of the pen, unless it is marked as the user's own.
    """
    for key in saved:
        if key not in _BY_NAME and not key.startswith(OWN_PREFIX):
            hint = nearest(key.replace("-", "_"), [*_BY_NAME, ENVS])
            errors.append(f"{path}: {shown(key)} is no option{hint}; keys of your own begin with {OWN_PREFIX}")
    return {key: value for key, value in saved.items() if key in _BY_NAME and value is not None}


def _drop_app_path(saved: dict[str, object], app_path: Path, warnings: list[str]) -> None:
    """The file is found by the app path, so it cannot move it. The same path again is just redundant."""
    told = saved.pop("app_path", None)
    if told is not None and not (isinstance(told, str) and (app_path / told).resolve() == app_path.resolve()):
        warnings.append(f"{app_path / FILE}: app_path is {shown(told)}, but the file is in {app_path}; ignored")


def _pop_envs(saved: dict[str, object], path: Path, errors: list[str]) -> dict[str, str]:
    envs = saved.pop(ENVS, None)
    if envs is None:
        return {}
    if not isinstance(envs, dict):
        errors.append(f'{path}: {ENVS}: {shown(envs)} is not an object of texts, such as {{"LANG": "C.UTF-8"}}')
        return {}
    for name, value in envs.items():
        if not isinstance(value, str):
            errors.append(f"{path}: {ENVS}: {name} is {shown(value)}, which is not a text: write it in quotes")
        elif not _can_be_set(name, value):
            errors.append(
                f"{path}: {ENVS}: {shown(name)} cannot be set to {shown(value)}: a name must be there, without '=', "
                "and neither may have a zero byte or half a surrogate pair"
            )
    return envs


def _can_be_set(name: str, value: str) -> bool:
    try:
        os.fsencode(name + value)
    except UnicodeEncodeError:
        return False
    return bool(name) and "=" not in name and "\0" not in name + value
