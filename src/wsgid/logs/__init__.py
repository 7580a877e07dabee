"""The logs of a daemon: the records of all its processes, and what the lines of access.log have in common with them."""

from wsgid.logs.descriptors import MAX_RECORD, STDERR, STDIN, STDOUT, DescriptorHandler, room
from wsgid.logs.forms import About, JsonForm, TextForm
from wsgid.logs.main_log import (
    MODE,
    about,
    configure,
    descriptor,
    enable_again,
    line,
    log_file,
    lost,
    open_log,
    print_by_lines,
    redirect_stdio,
    reopen,
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
    "TextForm",
    "about",
    "configure",
    "descriptor",
    "enable_again",
    "line",
    "log_file",
    "lost",
    "open_log",
    "print_by_lines",
    "redirect_stdio",
    "reopen",
    "room",
    "write_record",
]
