"""Right options that cannot be had: users, sockets, files and folders in the way, the jail."""

from tests.functional.wrong_inputs.row import Row


def start(name: str, line: str, told: str, **more: object) -> Row:
    return Row(name, f"start {line}".strip(), told, **{"code": 1, **more})  # type: ignore[arg-type]  # fields of Row


ROWS = [
    start(
        "a user that there is not",
        "--user no-such-user",
        "--user no-such-user: this machine has no user of that name; make one, or give a number",
    ),
    start(
        "a group that there is not",
        "--user 12345 --group no-such-group",
        "--group no-such-group: this machine has no group of that name; make one, or give a number",
    ),
    start(
        "a user whose number is too high",
        "--user 4294967295",
        "--user 4294967295: the highest number of a user is 4294967294",
    ),
    start(
        "another user, and not by root",
        "--user root",
        "--user root: only root can become another user, and this process is that of user ...: start wsgid as root or "
        "as root, or leave --user away",
        by_root=False,
    ),
    start(
        "another group, and not by root",
        "--group root",
        "--group root: only root can choose another group, and this process has group ...: start wsgid as root, or "
        "leave --group away",
        by_root=False,
    ),
    start(
        "a jail, and not by root",
        "--chroot",
        "--chroot: only root can make a jail, and this process is not root's: start wsgid as root, it will become the "
        "owner of the app folder, or --user; or leave --chroot away",
        by_root=False,
    ),
    start(
        "a socket outside of the jail",
        "--chroot --bind unix:/run/x.sock",
        "--bind: /run/x.sock lies outside the app folder, where --chroot lets nobody go: choose a path in HERE/site",
    ),
    start(
        "a folder of logs that is a file",
        "--no-stdout",
        "HERE/site/logs: File exists; ...",
        files={"site/logs": ""},
    ),
    start(
        "a log that is a folder",
        "--no-stdout",
        "HERE/site/logs/wsgid.log: Is a directory; ...",
        files={"site/logs/wsgid.log/": ""},
    ),
    start(
        "a folder that may not be written to",
        "",
        "HERE/site/run: Permission denied; run wsgid as the owner of the app folder, or let the user of this process "
        "write to its subfolders",
        by_root=False,
    ),
    start(
        "a host name that there is not",
        "--bind no-such-host.invalid:80",
        "--bind no-such-host.invalid:80: the host name cannot be resolved: ...; "
        "write an address of this machine instead",
    ),
    start(
        "an address of another machine",
        "--bind 192.0.2.1:80",
        "--bind 192.0.2.1:80: cannot assign requested address: no network interface of this machine has it; "
        "0.0.0.0 and "
        "[::] stand for all there are",
    ),
    start(
        "a socket in a folder that is not there",
        "--bind unix:none/web.sock",
        "--bind unix:HERE/none/web.sock: no such file or directory: its folder does not exist; make it",
    ),
    start(
        "a socket in the place of a file",
        "--bind unix:site/app/wsgi.py",
        "--bind unix:HERE/site/app/wsgi.py: there is a file of that name that is no socket; move it, or choose another "
        "path",
    ),
]
