import logging
import logging.config
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deadlines import seconds
from tests.syslog_receiver import Receiver
from tests.unit.main_log import logger_kept
from wsgid.config import Config
from wsgid.logs import MAX_RECORD, DescriptorHandler, configure, descriptor, enable_again, has_file, reopen, syslog

RECORD = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (?P<level>[A-Z]+) {1,2}(?P<role>\w+)\[(?P<pid>\d+)\] (?P<text>.*)"
)

log = logging.getLogger("wsgid.dispatcher")


@pytest.fixture(autouse=True)
def logger_as_it_was() -> Iterator[None]:
    with logger_kept():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path


def lines(folder: Path) -> list[str]:
    return (folder / "logs/wsgid.log").read_text(encoding="utf-8").splitlines()


def handler() -> DescriptorHandler:
    (only,) = logging.getLogger("wsgid").handlers
    assert isinstance(only, DescriptorHandler)
    return only


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a fresh interpreter that buffers as it does by default, with the app folder as its argument."""
    prelude = (
        "import logging, os, sys\nfrom pathlib import Path\nfrom wsgid.config import Config\nfrom wsgid import logs\n"
    )
    return subprocess.run(
        [sys.executable, "-c", prelude + code, folder],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds(),
        check=True,
    )


# What a record looks like


def test_a_record_is_one_line(folder: Path) -> None:
    configure(Config(app_path=folder), "worker")
    log.info("hello %s", "wörld")
    log.error("help")
    first, second = (RECORD.fullmatch(line) for line in lines(folder))
    assert first
    assert (first["level"], first["role"], first["text"]) == ("INFO", "worker", "hello wörld")
    assert int(first["pid"]) == os.getpid()
    assert f"{first['time']} INFO  worker[" in lines(folder)[0], "levels of four letters are padded"
    assert second
    assert f"{second['time']} ERROR worker[" in lines(folder)[1]


def test_a_traceback_is_part_of_its_record(folder: Path) -> None:
    configure(Config(app_path=folder), "worker")
    try:
        raise LookupError("nothing\nthere")
    except LookupError:
        log.exception("it failed")
    head, *rest = lines(folder)
    assert head.endswith(" it failed")
    assert rest[0] == "    Traceback (most recent call last):"
    assert rest[-2:] == ["    LookupError: nothing", "    there"]


def test_text_from_clients_forges_nothing(folder: Path) -> None:
    configure(Config(app_path=folder), "worker")
    log.info("path %s", "/a\n2026-11-21 07:33:24,123 ERROR master[1] help\r\x1b[2J\x9b\x00\x7f\u2028\u2029\tend")
    head, rest = lines(folder)
    assert head.endswith("path /a")
    assert rest == r"    2026-11-21 07:33:24,123 ERROR master[1] help\x0d\x1b[2J\x9b\x00\x7f\u2028\u2029" + "\tend"


def test_what_utf8_cannot_say_is_spelled_out(folder: Path) -> None:
    configure(Config(app_path=folder), "worker")
    log.info("file %s", "caf\udce9")
    assert lines(folder)[0].endswith(r"file caf\udce9")


def test_a_record_too_long_keeps_both_ends(folder: Path) -> None:
    configure(Config(app_path=folder), "worker")
    log.info("begin%send", "x" * (2 * MAX_RECORD))
    head, middle, tail = lines(folder)
    assert " beginxxx" in head
    assert re.fullmatch(r"    \(\d+ bytes left out\)", middle)
    assert tail.endswith("xxxend")
    assert len("\n".join(lines(folder))) < MAX_RECORD + 100


# What is logged


def test_debug_is_logged_when_asked_for(folder: Path) -> None:
    configure(Config(app_path=folder), "master")
    log.debug("quiet")
    configure(Config(app_path=folder, debug=True), "master")
    log.debug("loud")
    assert [line.rpartition(" ")[2] for line in lines(folder)] == ["loud"]


def test_other_loggers_are_left_alone(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    configure(Config(app_path=folder), "master")
    logging.getLogger("someone.else").warning("mine")
    log.warning("ours")
    assert [line.rpartition(" ")[2] for line in lines(folder)] == ["ours"]
    assert caplog.messages == ["mine"]


def test_configuring_again_closes_the_old_descriptor(folder: Path) -> None:
    configure(Config(app_path=folder), "master")
    old = handler()
    before = old.descriptor
    configure(Config(app_path=folder), "worker")
    log.info("once")
    assert old.descriptor == -1
    assert handler().descriptor != before
    with pytest.raises(OSError):
        os.fstat(before)
    assert [RECORD.sub(r"\g<role> \g<text>", line) for line in lines(folder)] == ["worker once"]


def test_a_log_that_cannot_be_opened_leaves_all_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    configure(Config(app_path=tmp_path), "master")
    before = handler()
    with pytest.raises(FileNotFoundError, match=r"nowhere/logs/wsgid\.log"):
        configure(Config(app_path=tmp_path / "nowhere"), "worker")
    assert handler() is before
    assert before.descriptor > 2


def test_the_log_is_not_inherited_and_not_for_everybody(folder: Path) -> None:
    umask = os.umask(0)
    try:
        configure(Config(app_path=folder), "master")
    finally:
        os.umask(umask)
    assert not os.get_inheritable(handler().descriptor)
    assert (folder / "logs/wsgid.log").stat().st_mode & 0o777 == 0o640


def test_importing_changes_nothing(folder: Path) -> None:
    run(
        "root, ours = logging.getLogger(), logging.getLogger('wsgid')\n"
        "assert not root.handlers and not ours.handlers and ours.propagate and ours.level == logging.NOTSET\n"
        "assert not logging.getLogger('wsgid.master').handlers",
        folder,
    )
    assert not (folder / "logs/wsgid.log").exists()


# Logs that are moved away


def move(folder: Path) -> list[str]:
    """Moves the log away as logrotate does; what is in it."""
    (folder / "logs/wsgid.log").rename(folder / "logs/wsgid.log.1")
    return (folder / "logs/wsgid.log.1").read_text().splitlines()


def test_reopening_keeps_the_descriptor(folder: Path) -> None:
    config = Config(app_path=folder)
    configure(config, "worker")
    number = descriptor()
    assert number == handler().descriptor
    log.info("old")
    assert [line.rpartition(" ")[2] for line in move(folder)] == ["old"]
    reopen(config)
    log.info("new")
    assert descriptor() == number
    assert not os.get_inheritable(number)
    assert [RECORD.sub(r"\g<text>", line) for line in lines(folder)] == ["the log is reopened", "new"]
    assert len((folder / "logs/wsgid.log.1").read_text().splitlines()) == 1


def test_reopening_leaves_nothing_open(folder: Path) -> None:
    config = Config(app_path=folder)
    configure(config, "worker")
    before = os.listdir("/proc/self/fd")
    reopen(config)
    assert lines(folder) == [], "the file is still the same"
    move(folder)
    reopen(config)
    assert os.listdir("/proc/self/fd") == before


def test_a_log_that_cannot_be_reopened_stays_in_use(folder: Path) -> None:
    config = Config(app_path=folder)
    configure(config, "worker")
    move(folder)
    (folder / "logs/wsgid.log").mkdir()
    reopen(config)
    log.info("still here")
    told, after = (folder / "logs/wsgid.log.1").read_text().splitlines()
    assert "ERROR" in told
    assert "the old file" in told
    assert "Is a directory" in told
    assert str(folder / "logs/wsgid.log") in told
    assert after.endswith("still here")


def test_before_there_is_a_log_it_is_standard_error() -> None:
    assert descriptor() == 2


@pytest.mark.parametrize("moved", ["before the fork", "before the child opens it", "before reopening"])
def test_what_is_printed_follows_the_log(folder: Path, moved: str) -> None:
    """Also in a child that has opened a new file for its records, while its standard output was still the old one."""
    code = f"""
moved = {moved!r}
config = Config(app_path=Path(sys.argv[1]))
def move(when):
    if moved == when:
        logs.log_file(config).rename(logs.log_file(config).with_name("old"))
logs.configure(config, "master")
logs.redirect_stdio(config)
move("before the fork")
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
move("before the child opens it")
logs.configure(config, "worker")
move("before reopening")
logs.reopen(config)
print("printed")
print("complained", file=sys.stderr)
os.system("echo inherited")
assert len(os.listdir("/proc/self/fd")) == 5  # the standard three, the log, and the one that lists
os._exit(0)
"""
    run(code, folder)
    texts = [RECORD.sub(r"\g<text>", line) for line in lines(folder)]
    assert texts == ["the log is reopened", "printed", "complained", "inherited"]


def test_what_the_application_has_put_elsewhere_stays_there(folder: Path) -> None:
    code = """
config = Config(app_path=Path(sys.argv[1]))
logs.configure(config, "worker")
logs.redirect_stdio(config)
os.dup2(os.open(config.app_path / "own", os.O_WRONLY | os.O_CREAT), 1)
os.close(2)
logs.log_file(config).rename(config.app_path / "old")
logs.reopen(config)
os.write(1, b"own words")
try:
    os.fstat(2)
except OSError:
    os.write(1, b", and 2 is closed")
"""
    run(code, folder)
    assert (folder / "own").read_text() == "own words, and 2 is closed"


def test_a_log_on_standard_output_is_not_reopened(folder: Path) -> None:
    code = """
config = Config(app_path=Path(sys.argv[1]), stdout=True)
logs.configure(config, "worker")
logs.redirect_stdio(config)
assert logs.descriptor() == 1
logs.reopen(config)
print("printed")
"""
    assert run(code, folder).stdout == "printed\n"
    assert os.listdir(folder / "logs") == []


# Syslog


@pytest.fixture
def receiver(folder: Path) -> Iterator[Receiver]:
    made = Receiver(folder / "syslog")
    yield made
    made.socket.close()


def test_records_go_to_syslog_and_to_no_file(folder: Path, receiver: Receiver) -> None:
    config = Config(app_path=folder, syslog=f"unix:{receiver.path}", syslog_tag="shop")
    configure(config, "master")
    log.info("one")
    way = syslog()
    assert way is not None
    configure(config, "worker")
    log.info("two")
    assert syslog() is way, "a child has the way of its parent"
    reopen(config)
    assert [re.sub(r".*? shop\[\d+\]: ", "", told) for told in receiver.read_all()] == [
        "INFO master: one",
        "INFO worker: two",
    ]
    assert os.listdir(folder / "logs") == []
    way._socket.close()


def test_what_is_printed_beside_syslog_has_a_file_that_is_reopened(folder: Path, receiver: Receiver) -> None:
    code = f"""
config = Config(app_path=Path(sys.argv[1]), syslog="unix:{receiver.path}")
logs.configure(config, "worker")
logs.redirect_stdio(config)
print("old")
logs.log_file(config).rename(config.app_path / "old")
logs.reopen(config)
print("new")
logging.getLogger("wsgid").info("logged")
"""
    run(code, folder)
    assert (folder / "old").read_text() == "old\n"
    assert lines(folder) == ["new"]
    assert [told.rpartition(": ")[2] for told in receiver.read_all()] == ["the log is reopened", "logged"]


@pytest.mark.parametrize(
    ("options", "has"),
    [
        ({}, True),
        ({"stdout": True}, False),
        ({"syslog": "unix:/dev/log"}, True),
        ({"syslog": "unix:/dev/log", "no_daemon": True}, False),
    ],
)
def test_who_needs_a_file(options: dict[str, Any], has: bool) -> None:
    assert has_file(Config(**options)) is has


# Several processes, and trouble


def test_processes_do_not_cut_each_others_records(folder: Path) -> None:
    """They all wait at a pipe's end, so that they write at the same time."""
    processes, records, size = 4, 100, 8000
    code = (
        "import logging, sys; from pathlib import Path; from wsgid.config import Config; from wsgid import logs\n"
        "logs.configure(Config(app_path=Path(sys.argv[1])), 'worker')\n"
        "sys.stdin.read()\n"
        f"for number in range({records}): logging.getLogger('wsgid.worker').info('%d %s', number, 'x' * {size})\n"
    )
    gate, key = os.pipe()
    running = [subprocess.Popen([sys.executable, "-c", code, folder], stdin=gate) for _ in range(processes)]
    os.close(gate)
    os.close(key)
    assert [each.wait(seconds()) for each in running] == [0] * processes
    found = [RECORD.fullmatch(line) for line in lines(folder)]
    assert len(found) == processes * records
    for each in running:
        own = [match["text"] for match in found if match and int(match["pid"]) == each.pid]
        assert own == [f"{number} {'x' * size}" for number in range(records)]


def test_a_full_disk_harms_nobody_and_is_told_later(folder: Path) -> None:
    (folder / "logs/wsgid.log").symlink_to("/dev/full")
    configure(Config(app_path=folder), "worker")
    log.error("one")
    log.error("two")
    assert handler().lost == 2
    with open(folder / "good", "wb") as good:
        os.dup2(good.fileno(), handler().descriptor, inheritable=False)
    log.error("three")
    log.error("four")
    assert handler().lost == 0
    told, *records = (folder / "good").read_text().splitlines()
    assert told == "(2 records before this one could not be written)"
    assert [record.rpartition(" ")[2] for record in records] == ["three", "four"]


# A standard output that nobody reads


@pytest.mark.parametrize(("role", "longest"), [("master", 5000), ("dispatcher", 5000), ("worker", 20000)])
def test_only_a_worker_waits_for_the_reader(role: str, longest: int, folder: Path) -> None:
    """So only a worker's record may be longer than what a pipe, in which something waits, takes without waiting."""
    code = f"""
reader, writer = os.pipe()
stdout = os.dup(1)
os.dup2(writer, 1)
os.write(1, b".")
logs.configure(Config(app_path=Path(sys.argv[1]), stdout=True), {role!r})
logging.getLogger("wsgid").info("x" * 10000)
os.write(stdout, os.read(reader, 1 << 20))
"""
    text = run(code, folder).stdout
    assert 0 < len(text) < longest
    assert ("left out" in text) is (role != "worker")


# Applications that log


@pytest.mark.parametrize("disable", [True, False])
def test_an_application_that_configures_logging_does_not_silence_us(folder: Path, disable: bool) -> None:
    configure(Config(app_path=folder), "worker")
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": disable})
    enable_again()
    log.error("still here")
    assert lines(folder)[0].endswith("still here")


def test_what_comes_after_the_end_is_lost(folder: Path) -> None:
    configure(Config(app_path=folder), "worker")
    handler().end()
    log.error("too late")
    assert handler().lost == 1


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("message", "argument", "told"),
    [
        ("%d things", "x", r"a record that cannot be formatted: %d things \(.*test_main_log.py, line \d+\): TypeError"),
        ("%s", Unprintable(), r"a record that cannot be formatted: %s \(.*test_main_log.py, line \d+\): RuntimeError"),
        (Unprintable(), None, r"a record that cannot be formatted: <class '.*Unprintable'> \(.*\): RuntimeError"),
    ],
)
def test_a_record_that_cannot_be_formatted_says_where(
    message: object, argument: object, told: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(Config(app_path=folder), "worker")
    log.info(message, *([] if argument is None else [argument]))
    (line,) = lines(folder)
    assert re.search(f" ERROR worker.*{told}$", line)
    assert capfd.readouterr().err == ""


# The standard streams


def test_the_log_on_standard_output(folder: Path) -> None:
    code = """
logs.configure(Config(app_path=Path(sys.argv[1]), stdout=True), "master")
logging.getLogger("wsgid").info("hello")
logs.configure(Config(app_path=Path(sys.argv[1]), stdout=True), "worker")
logging.getLogger("wsgid").info("again")
logging.shutdown()
os.write(1, b"still open\\n")
"""
    done = run(code, folder)
    first, second, third = done.stdout.splitlines()
    assert first.endswith(" hello")
    assert second.endswith(" again")
    assert third == "still open"
    assert done.stderr == ""
    assert not (folder / "logs/wsgid.log").exists()


def test_a_detached_process_prints_into_the_log(folder: Path) -> None:
    code = """
config = Config(app_path=Path(sys.argv[1]))
print("before")
logs.configure(config, "worker")
logs.redirect_stdio(config)
print("printed caf\\udce9")
logging.getLogger("wsgid").info("logged")
print("complained", file=sys.stderr)
os.write(1, b"written\\n")
assert sys.stdin.read() == ""
assert os.readlink("/proc/self/fd/0") == os.devnull
assert len(os.listdir("/proc/self/fd")) == 5  # the standard three, the log, and the one that lists
os.system("echo inherited")
os._exit(0)  # as a killed process: nothing is flushed
"""
    done = run(code, folder)
    assert (done.stdout, done.stderr) == ("before\n", "")
    texts = [RECORD.sub(r"\g<text>", line) for line in lines(folder)]
    assert texts == [r"printed caf\udce9", "logged", "complained", "written", "inherited"]


def test_a_detached_process_may_keep_its_standard_output(folder: Path) -> None:
    code = """
config = Config(app_path=Path(sys.argv[1]), stdout=True)
logs.configure(config, "worker")
logs.redirect_stdio(config)
print("printed")
logging.getLogger("wsgid").info("logged")
print("complained", file=sys.stderr)
assert os.readlink("/proc/self/fd/0") == os.devnull
"""
    done = run(code, folder)
    assert [RECORD.sub(r"\g<text>", line) for line in done.stdout.splitlines()] == ["printed", "logged", "complained"]
    assert done.stderr == ""


def test_standard_descriptors_that_were_closed_do_no_harm(folder: Path) -> None:
    """The files opened then get their numbers."""
    code = """
config = Config(app_path=Path(sys.argv[1]))
for descriptor in (0, 1, 2):
    os.close(descriptor)
logs.redirect_stdio(config)
assert all(os.get_inheritable(descriptor) for descriptor in (0, 1, 2))
os.system("echo inherited")
"""
    run(code, folder)
    assert lines(folder) == ["inherited"]
