"""``wsgid check``: would a start succeed, and what of its surroundings is not as it should be?"""

import os
import pwd
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import msgspec

from wsgid.app import WsgidApp
from wsgid.cli.checks import addresses, application, folder, system
from wsgid.cli.checks.apart import Work, apart
from wsgid.cli.checks.findings import Finding, Severity, error, ok, refusal, warning
from wsgid.cli.complaints import EXIT_FAILED, CannotDo
from wsgid.cli.control import ask_status
from wsgid.cli.daemons import look
from wsgid.config import Config
from wsgid.config_sources import ConfigError, Loaded, load
from wsgid.interfaces.commands import CommandOptions
from wsgid.master import reach, rights
from wsgid.master.errors import CannotStart
from wsgid.master.rights import ROOT, Identity

ASKING_TIME = 20.0
"""Seconds for all that is asked beside loading the application: four unreachable endpoints, and some margin."""

SUBJECT_WIDTH, SEVERITY_WIDTH = 12, 8


def check(options: CommandOptions) -> int:
    """Returns the exit code."""
    return tell(list(_all(options.told)), as_json=options.json)


def tell(findings: Sequence[Finding], *, as_json: bool) -> int:
    """Prints them; returns the exit code."""
    failed = any(each.severity is Severity.ERROR for each in findings)
    if as_json:
        told = {"ok": not failed, "findings": findings}
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        print("\n".join(as_text(findings)))
    return EXIT_FAILED if failed else 0


def as_text(findings: Sequence[Finding]) -> list[str]:
    """Lines for people; what is wrong comes last, where the prompt is."""
    order = list(Severity)
    lines = [line for each in sorted(findings, key=lambda each: order.index(each.severity)) for line in _lines(each)]
    counts = [sum(each.severity is severity for each in findings) for severity in (Severity.ERROR, Severity.WARNING)]
    return [*lines, "", f"{_counted(counts[0], 'error')}, {_counted(counts[1], 'warning')}"]


def _lines(finding: Finding) -> Iterator[str]:
    margin = " " * (SEVERITY_WIDTH + SUBJECT_WIDTH + 2)
    first, *more = finding.text.splitlines()
    yield f"{finding.severity:<{SEVERITY_WIDTH}} {finding.subject:<{SUBJECT_WIDTH}} {first}"
    yield from (f"{margin}{line}" for line in more)
    if finding.remedy:
        yield f"{margin}Remedy: {finding.remedy}"
    yield from (f"{margin}| {line}" for line in finding.details.splitlines())


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _all(told: Mapping[str, object]) -> Iterator[Finding]:
    """One thing after another, until one is wrong on which the rest depends."""
    try:
        loaded = load(told, os.environ)
    except ConfigError as wrong:
        yield from (refusal("options", each) for each in wrong.errors)
        return
    yield from _options(loaded)
    config = loaded.config
    app = WsgidApp(config.app_path, config.run_dir)
    if not app.is_valid():
        yield error("folder", f"{app.path} is no app folder: there is no {app.appdir}", "make one with `wsgid init`")
        return
    try:
        identity = rights.find_identity(config.user, config.group, config.app_path)
    except CannotStart as wrong:
        yield refusal("rights", wrong)
        return
    yield _who(identity, config)
    yield system.open_files()
    served = _served(app)
    yield from addresses.tcp_binds(config.bind, served)
    yield from addresses.tcp_binds(config.metrics, served, "--metrics")
    yield from addresses.syslog(config)
    if config.chroot:
        yield from _apart(partial(system.jail, config), config, None, ASKING_TIME, "chroot")
    yield from _apart(_asked(config, served), config, identity, ASKING_TIME, "rights")
    yield from _apart(lambda: list(application.loaded(config)), config, identity, config.start_timeout, "application")


def _options(loaded: Loaded) -> Iterator[Finding]:
    yield from (warning("options", each) for each in loaded.warnings)
    yield from system.watched(loaded.config)
    yield ok("options", "can be understood; `wsgid config` shows them")


def _who(identity: Identity | None, config: Config) -> Finding:
    if os.geteuid() != ROOT:
        return ok("rights", f"checked as user {_name(os.geteuid())}, who would start it; root may find something else")
    if identity is None or identity.uid == ROOT:
        return warning("rights", "everything would run as root, the application too", "name a user by --user")
    return ok("rights", f"started by root, it runs as {identity}")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _served(app: WsgidApp) -> list[str]:
    """The addresses of the folder's daemons that run now."""
    try:
        reports = [ask_status(app.rundir / str(each.pid)) for each in look(app).daemons]
    except CannotDo:
        return []  # whoever may not look there is told so by the rights
    return [address for each in reports if each for address in (*each.addresses, *each.metrics)]


def _asked(config: Config, served: Sequence[str]) -> Work:
    needed, sites = reach.needed(config.app_path), reach.site_folders()
    by_root = os.geteuid() == ROOT

    def ask() -> list[Finding]:
        return [
            *folder.readable(needed, sites),
            *folder.writable(config, by_root),
            *addresses.unix_binds(config.bind, served),
            *addresses.unix_binds(config.metrics, served, "--metrics"),
            *addresses.endpoints("--recv", config.recv),
            *addresses.endpoints("--send", config.send),
            *folder.uploads(config),
        ]

    return ask


def _apart(work: Work, config: Config, identity: Identity | None, limit: float, subject: str) -> Iterator[Finding]:
    done = apart(work, config, identity, limit)
    if done.findings is None:
        remedy = application.unfinished(out_of_time=done.out_of_time) if subject == application.SUBJECT else ""
        output = application.as_it_hung(done.output) if done.out_of_time else done.output
        yield error(subject, f"this could not be found out: {done.ended}", remedy, output)
        return
    for each in done.findings:
        printed = done.output and each.severity is Severity.ERROR and each.subject == application.SUBJECT
        details = f"{each.details}\n\nprinted meanwhile:\n{done.output}".strip() if printed else each.details
        yield msgspec.structs.replace(each, details=details)
