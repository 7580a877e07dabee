"""What Mongrel2 prints, in words that tell what to do.

Its lines are written for whoever has its source open: a failure is told by every function that it passes through, with
an ``errno`` that is mostly an older one, and each connection that never got to a handler leaves an error behind. What
means nothing here is dropped; what is not known is passed on as it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

_LINE = re.compile(r"[A-Z][a-z]{2}, .* GMT (?:\[(?P<level>[A-Z]+)\] \([^)]*\)|(?P<debug>DEBUG) \S+) (?P<text>.*)")

RUNNING: Final = "-- Mongrel2/"
ENDING: Final = "SHUTDOWN REQUESTED"
"""What lines of these moments have in them; after the latter it tells how everything comes apart."""

_EXPLAINED: Mapping[str, str] = {
    r"Setting key (?P<key>\S+) already exists, can't add .*": (
        "the setting {key} is refused, by a mistake of Mongrel2's own: it looks at only as many letters of a key as "
        "its value has; write the value longer or shorter, or put the setting further up"
    ),
    r"Can't announce on TCP port (?P<port>\d+)": (
        "the port {port} cannot be opened: another program has it, or it is below 1024 and takes root"
    ),
    r"Process (?P<pid>\d+) is still running, shut it down first\.": (
        "its pid file names the process {pid}, which lives: stop that, or remove the file if it is another program"
    ),
    r"Couldn't open (?P<file>.*) log file\.": "its log {file} cannot be written: is the folder there, and whose is it?",
    r"Failed to open log file: (?P<file>.*) for access logging\.": (
        "its access log {file} cannot be written: is the folder there, and whose is it?"
    ),
    r"Failed to open PID file (?P<file>.*) for writing\.": (
        "its pid file {file} cannot be written: is the folder there, and whose is it?"
    ),
    r"Failed to load (?P<what>cert|key) from (?P<file>.*)": (
        "the {what} {file} cannot be read as PEM: certdir, with a slash at its end, and the server's uuid name it"
    ),
    r"to use ssl, you must specify a certdir": "use_ssl is on, but the setting certdir is missing",
    r"No default_host set for server: .*, you need one host named: (?P<host>.*)": (
        "default_host is {host}, and no host has that name"
    ),
    r"End directory base with / in (?P<base>.*) or it won't work right\.": (
        "the base {base} of static files must end with a slash"
    ),
    r"Base directory is too long, must be less than (?P<most>\d+)": (
        "the base of static files is too long: less than {most} bytes (limits.dir_max_path)"
    ),
    r'SQL error "(?P<why>.*)" at: .*': "its configuration cannot be read: {why}",
    r"Failed to load server (?P<uuid>\S+) from (?P<file>.*)": "the server {uuid} of {file} cannot be started",
    r"Couldn't chroot to (?P<folder>\S*), assuming running in test mode\.": (
        "it stays outside of its root directory {folder}, for that takes root: the paths of the configuration are "
        "taken as they are"
    ),
    r"Failed to bind send socket trying again for: (?P<spec>.*)": (
        "the handler's {spec} cannot be opened just now; it is tried ten times"
    ),
    r"Too many bind attempts for handler (?P<spec>.*)": (
        "the handler's {spec} cannot be opened: what goes to it gets 404 from now on; stop who has it, or choose "
        "another address, and start again"
    ),
    r"Failed to set handler socket .* identity .*": "a handler's send_ident is not accepted: is it empty?",
    r"Too many handler requests.*": (
        "so many requests wait for the application that others get 502: does wsgid run, with the right --recv?"
    ),
    r"Error sending raw message to HTTP listener on FD .*": (
        "a client that read too slowly was cut off (download.flow_control prevents that)"
    ),
    r"Killed (?P<count>\d+) connections according to min_ping: .*": (
        "{count} connections that had fallen silent were ended (limits.min_ping and its like)"
    ),
    r"Read of .* which is over .* retry limit\.\.": (
        "a request whose head came in too many pieces got 400 (limits.client_read_retries)"
    ),
    r"Too many small packet read attempts\.": (
        "a request whose head came in too many pieces got 400 (limits.client_read_retries)"
    ),
    r"Request had more than (?P<most>\d+) headers allowed by limits\.header_count\.": (
        "a request with more than {most} headers was refused (limits.header_count)"
    ),
    r"Failed to normalize base path: (?P<base>.*)": (
        "the folder {base} of static files is not there, or not for its user: requests for them get 404"
    ),
    r"Failed to upload file\.": "an upload failed: is the folder of upload.temp_store there, and may it write in it?",
    r"Too many open files, no free idle slots\.": "it has too many connections for its limit of open files",
    r"Request for a host we don't have registered: (?P<host>.*)": (
        "a request for the host {host}, which is not served here, and there is no default host"
    ),
}

_DROPPED = (
    r"No handler to notify",
    r"Failed to open PID file .* for reading\.",
    r"Aborting since can't load server\.",
    r"Exiting due to error\.",
    r"Major failure in chroot/droppriv, aborting\.",
    r"PID file failure, aborting rather than trying to start\.",
    r"Failed to remove the dead PID file: .*",
    r"Failed to make the PID file .*",
    r"Failed adding your settings, look at previous errors for clues\.",
    r"Failed to load global settings\.",
    r"Wrong type, expected valid rows\.",
    r"bind failed with error other than EACCESS\.",
    r"Failed to bind to address with /usr/lib/authbind/helper",
    r"Failed to initialize ssl for server .*",
    r"Failed to create (?:server|directory) .*",
    r"Failed to load (?:backend type|routes for host|the hosts for server).*",
    r"Row is past end of result set: .*",
    r"Invalid schema for row, .*",
    r"Failed to (?:deliver to connection|parse message from handler)\b.*",
    r"Error delivering to MSG listener on FD .*",
    r"Error parsing request\.",
    r"Failed to normalize base path when requesting .*",
    r"Client closed the connection during upload\.",
    r"Failed to initialize handler, exiting\.",
)
"""What others tell better, and what any scan of ports brings about."""

_KNOWN: Final = [(re.compile(pattern), words) for pattern, words in _EXPLAINED.items()]
_NOTHING: Final = re.compile("|".join(f"(?:{each})" for each in _DROPPED))


class Messages:
    """Of one run, from its beginning on."""

    def __init__(self) -> None:
        self.running = False
        """Has it come up?"""
        self._ending = False
        self._last = ""

    def of(self, line: str) -> Iterator[str]:
        """What to tell people of this line: one text, or nothing."""
        found = _LINE.fullmatch(line.strip())
        text = found["text"] if found else line.strip()
        self.running |= text.startswith(RUNNING) and "Running" in text
        self._ending |= text.startswith(ENDING)
        chatter = found is not None and (found["level"] == "INFO" or found["debug"])
        if self._ending or not text or chatter or _NOTHING.fullmatch(text):
            return
        told = _explained(text)
        if told != self._last:  # the same for each client of a flood
            self._last = told
            yield told


def _explained(text: str) -> str:
    for pattern, words in _KNOWN:
        if found := pattern.fullmatch(text):
            return words.format(**found.groupdict())
    return text
