"""The logs of a daemon: the records of all its processes, and what the lines of access.log have in common with them."""

from wsgid.logs.descriptors import MAX_RECORD, STDERR, STDIN, STDOUT, DescriptorHandler, room
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
    print_by_lines,
    redirect_stdio,
    reopen,
    syslog,
    write_record,
)

__all__ = [
    "MAX_RECORD",
    "MODE",
    "STDERR",
    "STDIN",
    "STDOUT",
    "About",
    "DescriptorHandler",
    "JsonForm",
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
    "print_by_lines",
    "redirect_stdio",
    "reopen",
    "room",
    "syslog",
    "write_record",
]
