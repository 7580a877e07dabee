"""The logs of a daemon: the records of all its processes, and what the lines of access.log have in common with them."""

from wsgid.logs.descriptors import MAX_RECORD, DescriptorHandler
from wsgid.logs.forms import About, JsonForm, TextForm
from wsgid.logs.handler import RecordHandler
from wsgid.logs.main_log import (
    MODE,
    about,
    configure,
    descriptor,
    enable_again,
    has_file,
    line,
    log_file,
    lost,
    open_log,
    open_stdout,
    print_by_lines,
    redirect_stdio,
    reopen,
    stdout,
    syslog,
    write_record,
)
from wsgid.logs.outlet import STDERR, STDIN, STDOUT, Outlet, room

__all__ = [
    "MAX_RECORD",
    "MODE",
    "STDERR",
    "STDIN",
    "STDOUT",
    "About",
    "DescriptorHandler",
    "JsonForm",
    "Outlet",
    "RecordHandler",
    "TextForm",
    "about",
    "configure",
    "descriptor",
    "enable_again",
    "has_file",
    "line",
    "log_file",
    "lost",
    "open_log",
    "open_stdout",
    "print_by_lines",
    "redirect_stdio",
    "reopen",
    "room",
    "stdout",
    "syslog",
    "write_record",
]
