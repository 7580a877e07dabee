"""Each option with a value that it cannot have, as a key of wsgid.json: its limits, its kind, its words."""

from tests.functional.wrong_inputs.row import Row, saved

DIRECTORY = "is not a directory that exists and can be reached"
TEXT = "is not a non-empty text"
LIST = f"{TEXT} or a list of such"
BOOLEAN = "is not true or false"
SIZE = "is not a size in bytes, such as 65536, 64k, 10m or 1g,"
A_DAY = "is not a number of seconds from 0 to 86400"
BIND = "write 127.0.0.1:8000, [::1]:8000 or unix:/run/app.sock"
ENDPOINT = "write tcp://127.0.0.1:9999 or ipc:///run/app.ipc, as in Mongrel2's configuration"

WRONG = {
    "wsgi_app": ('""', f"'' {TEXT}"),
    "django": ('"yes please"', f"'yes please' {BOOLEAN}"),
    "loader_dir": ('["app", "none"]', f'["app", "none"] {DIRECTORY}, or a list of such'),
    "filter": (
        '"worker_pid"',
        "there is no filter 'worker_pid', did you mean worker-pid?; there are worker-pid, elapsed-time, log-headers",
    ),
    "bind": ("8000", f"8000 {LIST}"),
    "recv": ('[""]', f'[""] {LIST}'),
    "send": ("{}", f"{{}} {LIST}"),
    "mongrel2_chroot": ('"app/wsgi.py"', f"'app/wsgi.py' {DIRECTORY}"),
    "shared_handler": ("2", f"2 {BOOLEAN}"),
    "forwarded_allow_ips": (
        '"10.0.0.0.0"',
        "'10.0.0.0.0' is neither an IP address nor a network; write 192.0.2.1, 10.0.0.0/8, 2001:db8::/32, unix, * or "
        "none, and the option again for each further one",
    ),
    "forwarded_headers": ('"x-real-ip"', "'x-real-ip' is not x-forwarded or forwarded"),
    "script_name": (
        '"/shop/"',
        "'/shop/' is not a path such as /shop: it begins with a slash, has none at its end, and is percent-encoded as "
        "clients send it",
    ),
    "server_header": (
        '"a\\nb"',
        r"'a\nb' is not a header value: printable ASCII, at most 128 characters, no blank at either end, or empty",
    ),
    "workers": ("0", "0 is not a whole number from 1 to 1000"),
    "threads": ("1001", "1001 is not a whole number from 1 to 1000"),
    "keep_alive": ("[]", f"[] {BOOLEAN}"),
    "max_requests": ("-1", "-1 is not a whole number from 0 to 1000000000"),
    "max_requests_jitter": ("1.5", "1.5 is not a whole number from 0 to 1000000000"),
    "max_rss": ('"1 GB"', f"'1 GB' {SIZE} from 0 to 1048576g"),
    "reload": ('"maybe"', f"'maybe' {BOOLEAN}"),
    "redeliver": ('"once"', "'once' is not on or off"),
    "quarantine": ("1001", "1001 is not a whole number from 0 to 1000"),
    "no_daemon": ('""', f"'' {BOOLEAN}"),
    "stdout": ('"-"', f"'-' {BOOLEAN}"),
    "debug": ("{}", f"{{}} {BOOLEAN}"),
    "log_format": ('"xml"', "'xml' is not text or json"),
    "metrics": ('"9100"', f"'9100' has no port number after a ':'; {BIND}"),
    "access_log_format": (
        '"{who}"',
        "...there is no field {who}...",
    ),
    "syslog": ('"log.example.org"', "'log.example.org' has no port number after a ':'; ..."),
    "syslog_facility": (
        '"mail"',
        "'mail' is not user or daemon or local0 or local1 or local2 or local3 or local4 or local5 or local6 or local7",
    ),
    "syslog_tag": ('"my site"', "'my site' is not a name of at most 32 letters, digits and - . _"),
    "run_dir": ('"none"', f"'none' {DIRECTORY}"),
    "user": ('" "', f"' ' {TEXT}"),
    "group": ("0", f"0 {TEXT}"),
    "umask": ("22", "22 is not a file mode mask in octal, such as 022 or 0077, as text"),
    "chroot": ('"/srv"', f"'/srv' {BOOLEAN}"),
    "graceful_timeout": ("-1", f"-1 {A_DAY}"),
    "start_timeout": ("0", "0 is not a number of seconds from 0.1 to 86400"),
    "timeout": ('"30s"', f"'30s' {A_DAY}"),
    "queue_timeout": ("86401", f"86401 {A_DAY}"),
    "keepalive_timeout": ('"nan"', f"'nan' {A_DAY}"),
    "header_timeout": ("0", "0 is not a number of seconds from 0.01 to 86400"),
    "body_timeout": ('"infinity"', "'infinity' is not a number of seconds from 0.01 to 86400"),
    "min_body_rate": ('"1k"', "'1k' is not a whole number from 0 to 1048576"),
    "limit_request_line": ("63", "63 is not a whole number from 64 to 65536"),
    "limit_request_fields": ("0", "0 is not a whole number from 1 to 32768"),
    "limit_request_headers": ("1048577", "1048577 is not a whole number from 64 to 1048576"),
    "max_body": ('"2048g"', f"'2048g' {SIZE} from 0 to 1024g"),
    "answer_memory": ('"2g"', f"'2g' {SIZE} from 0 to 1g"),
    "answer_spool": ("1000", f"1000 {SIZE} 0 or from 1m to 1024g"),
    "answer_memory_total": ("-1", f"-1 {SIZE} from 0 to 1024g"),
    "answer_spool_total": ('"1k"', f"'1k' {SIZE} 0 or from 1m to 1024g"),
    "queue_size": ("0", "0 is not a whole number from 1 to 1000000"),
    "backlog": ("65536", "65536 is not a whole number from 1 to 65535"),
}
"""By name: a value as JSON, and what is said of it. ``app_path`` is in `sources`: the file cannot have it."""

ON_THE_COMMAND_LINE = ("no_daemon", "stdout")
"""Of a start that is tried; nobody asks the file then."""

ADDRESSES = {
    "bind": {
        "http://127.0.0.1:80": f"has a '/', where only host and port belong; {BIND}",
        "/run/app.sock": "has a '/', where only host and port belong; write unix:/run/app.sock",
        "8000": f"has no port number after a ':'; {BIND}",
        "127.0.0.1:65536": f"has port 65536, the highest is 65535; {BIND}",
        ":80": f"names no host: every interface is 0.0.0.0 or [::]; {BIND}",
        "*:80": f"names no host: every interface is 0.0.0.0 or [::]; {BIND}",
        "::1:80": f"has more than one ':': an IPv6 address is written in brackets; {BIND}",
        "[::g]:80": f"has '::g', which is no IPv6 address; {BIND}",
        "127.0.0.256:80": f"has '127.0.0.256', which is no IPv4 address; {BIND}",
        "my host:80": f"has 'my host', which is no host name; {BIND}",
        "unix:": f"names no path; {BIND}",
        "unix:/" + "x" * 107: f"has a path of 108 bytes, a socket's is at most 107; {BIND}",
    },
    "recv": {
        "127.0.0.1:7101": f"begins with neither tcp:// nor ipc://; {ENDPOINT}",
        "tcp://*:7101": f"names no host: Mongrel2 is connected to, so its machine must be named; {ENDPOINT}",
        "tcp://127.0.0.1:0": f"has port 0, which cannot be connected to; {ENDPOINT}",
        "ipc://*": f"has a wildcard, which cannot be connected to; {ENDPOINT}",
    },
    "syslog": {"127.0.0.1:0": "has port 0, to which nothing can be sent; ..."},
    "send": {"ipc://": f"names no path; {ENDPOINT}"},
    "forwarded-allow-ips": {
        "10.0.0.1/8": "has more bits than its network: write 10.0.0.0/8, or 10.0.0.1 alone",
        "fe80::1%eth0": "is neither an IP address nor a network; ...",
    },
}

ROWS = [
    *(
        saved(name, value, f"{name}: {told}", line="--app-path site" if name in ON_THE_COMMAND_LINE else "start")
        for name, (value, told) in WRONG.items()
    ),
    *(
        Row(f"--{option} {text:.30}", f"start --{option} '{text}'", f"--{option}: '{text}' {told}")
        for option, wrong in ADDRESSES.items()
        for text, told in wrong.items()
    ),
    Row(
        "--bind with a zero byte",
        "start",
        f"HERE/site/wsgid.json: bind: 'unix:a\\x00b' has a zero byte in its path; {BIND}",
        files={"site/wsgid.json": '{"bind": "unix:a\\u0000b"}'},
    ),
]
