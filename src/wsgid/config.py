"""The table of options of one daemon.

Add a field to `Config` with `option`, and the command line, the environment, ``wsgid.json`` and the reference page have
it too. `wsgid.config_sources` fills it.
"""
# ruff: noqa: RUF009 - it warns of calls that give all instances one shared value; option() makes a dataclass field

from dataclasses import dataclass, field
from pathlib import Path

from wsgid.access_fields import COMBINED, access_log_format
from wsgid.addresses import absolute_bind, absolute_endpoint, syslog_address, trusted_peer
from wsgid.filters import SHIPPED, shipped_filter
from wsgid.options import (
    ForwardedHeaders,
    HeaderValue,
    LogFormat,
    Mask,
    ScriptName,
    Size,
    Switch,
    SyslogFacility,
    SyslogTag,
    option,
    read_table,
)

DEFAULT_BIND = "127.0.0.1:8000"

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
    log_format: LogFormat = option(
        "text",
        group=RUNNING,
        help="Records of the log as lines for people, or each as a JSON object on a line of its own (docs/logs.md).",
        fixed=True,
    )
    metrics: tuple[str, ...] = option(
        (),
        group=RUNNING,
        metavar="ADDRESS",
        default_text="none",
        each=absolute_bind,
        help="Answer Prometheus (/metrics) and probes (/healthz, /readyz) here: HOST:PORT, [IPV6]:PORT or unix:PATH. "
        "Whoever reaches it may ask. May be repeated.",
        fixed=True,
    )
    syslog: str | None = option(
        None,
        group=RUNNING,
        metavar="ADDRESS",
        default_text="none",
        each=syslog_address,
        help="Send both logs to syslogd, each record and line as a datagram: unix:/dev/log, or HOST:PORT by UDP. What "
        "the application prints goes where it goes without this.",
        fixed=True,
    )
    syslog_facility: SyslogFacility = option(
        "daemon",
        group=RUNNING,
        metavar="NAME",
        help="The facility that syslogd is told: user, daemon, or local0 to local7.",
        fixed=True,
    )
    syslog_tag: SyslogTag = option(
        "wsgid",
        group=RUNNING,
        help="The name of the program that syslogd is told, which tells one site from another.",
        fixed=True,
    )
    access_log_format: str = option(
        COMBINED,
        group=RUNNING,
        metavar="combined|json|none|TEXT",
        each=access_log_format,
        help="Lines of the access log: combined, which most programs read; json; none, and there is no such log; or a "
        'text with the names of fields in braces, such as {remote_addr} "{request}" {status} (docs/logs.md).',
        fixed=True,
    )
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
