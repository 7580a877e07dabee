"""What has been found out, for people and for programs."""

import enum

import msgspec


class Severity(enum.StrEnum):
    OK = "ok"
    WARNING = "warning"
    """It may be meant so."""
    ERROR = "error"
    """A daemon cannot be started, or not serve what it is asked for."""


class Finding(msgspec.Struct, frozen=True):
    severity: Severity
    subject: str
    """``options``, ``addresses``: by which they are told apart."""
    text: str
    remedy: str = ""
    details: str = ""
    """More lines: a traceback, what the application has printed."""


def ok(subject: str, text: str) -> Finding:
    return Finding(Severity.OK, subject, text)


def warning(subject: str, text: str, remedy: str = "", details: str = "") -> Finding:
    return Finding(Severity.WARNING, subject, text, remedy, details)


def error(subject: str, text: str, remedy: str = "", details: str = "") -> Finding:
    return Finding(Severity.ERROR, subject, text, remedy, details)


def refusal(subject: str, said: object) -> Finding:
    """What stops a start says itself what is wrong and, behind the last colon or semicolon, what to do."""
    return Finding(Severity.ERROR, subject, str(said))
