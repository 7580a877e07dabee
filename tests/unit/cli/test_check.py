"""`wsgid check`, as a command: what it finds, and that it leaves no trace."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deadlines import seconds

FINE = "def application(environ, start_response):\n    return []\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "wsgi.py").write_text(FINE)
    return folder


def run(site: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "wsgid", "check", "--app-path", str(site), *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WSGID_")}
    return subprocess.run(line, env=kept | environ, capture_output=True, text=True, timeout=seconds())


def found(site: Path, *arguments: str, **environ: str) -> list[dict[str, Any]]:
    """All findings but those that are ok; the exit code says whether there is an error among them."""
    done = run(site, "--json", "--bind=127.0.0.1:0", *arguments, **environ)
    told = json.loads(done.stdout)
    bad = [each for each in told["findings"] if each["severity"] != "ok" and "as root" not in each["text"]]
    assert told["ok"] == (done.returncode == 0) == (not any(each["severity"] == "error" for each in bad)), done.stderr
    return bad


def only(site: Path, *arguments: str, **environ: str) -> dict[str, Any]:
    [one] = found(site, *arguments, **environ)
    return one


def test_all_is_well_and_stays_as_it_is(site: Path) -> None:
    done = run(site, "--bind=127.0.0.1:0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].startswith("no errors, ")
    assert "\nok       application  can be loaded, in " in done.stdout
    assert {str(each.relative_to(site)) for each in site.rglob("*")} == {"app", "app/wsgi.py"}


def test_for_people_what_is_wrong_comes_last_with_its_remedy(site: Path) -> None:
    (site / "app" / "wsgi.py").write_text(f"print('so far')\nimport no_such_payment_library\n{FINE}")
    done = run(site, "--bind=127.0.0.1:0")
    assert done.returncode == 1
    lines = [line.strip() for line in done.stdout.splitlines()]
    begin = lines.index(
        "error    application  cannot load the application: app/wsgi.py, line 2: ModuleNotFoundError: No module named "
        "'no_such_payment_library'"
    )
    assert lines[begin + 2] == "Remedy: correct it; a start fails in the same way"
    assert "| so far" in lines[begin:]
    assert lines[-1].startswith("1 error, ")


# Options and folder


def test_each_wrong_option(site: Path) -> None:
    (site / "wsgid.json").write_text('{"wrokers": 2}')
    told = found(site, "--threads=0", WSGID_DEBUG="maybe")
    assert [(each["severity"], each["subject"]) for each in told] == [("error", "options")] * 3


def test_what_is_ignored(site: Path) -> None:
    told = only(site, WSGID_WROKERS="2")
    assert (told["severity"], told["subject"]) == ("warning", "options")


def test_no_app_folder(tmp_path: Path) -> None:
    told = only(tmp_path)
    assert (told["subject"], told["remedy"]) == ("folder", "make one with `wsgid init`")


def test_a_user_that_there_is_not(site: Path) -> None:
    assert only(site, "--user=no-such-user")["text"].startswith("--user no-such-user: this machine has no user of that")


# Rights


def test_folders_that_cannot_be_written_to(site: Path) -> None:
    (site / "logs").write_text("")
    told = only(site)
    assert (told["subject"], told["text"]) == ("rights", f"{site}/logs is there and is no folder")
    assert found(site, "--stdout") == []


# Addresses


def test_an_address_that_another_has(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        text = f"127.0.0.1:{other.getsockname()[1]}"
        told = only(site, "--bind", text)
    assert (told["severity"], told["subject"]) == ("error", "addresses")
    assert told["text"].startswith(f"--bind {text}: address already in use: process {os.getpid()} (")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("none/web.sock", "no such file or directory: its folder does not exist; make it"),
        ("wsgi.py", "there is a file of that name that is no socket; move it, or choose another path"),
    ],
)
def test_a_socket_that_cannot_be_had(path: str, told: str, site: Path) -> None:
    address = f"unix:{site}/app/{path}"
    assert only(site, "--bind", address)["text"] == f"--bind {address}: {told}"


def test_sockets_of_the_living_and_of_the_dead(site: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(site / "web.sock"))
        server.listen()
        told = only(site, "--bind", f"unix:{site}/web.sock")
    assert told["text"].startswith(f"--bind unix:{site}/web.sock: process {os.getpid()} (")
    assert told["text"].endswith(" answers there; stop it, or choose another path")
    assert found(site, "--bind", f"unix:{site}/web.sock") == []
    assert (site / "web.sock").is_socket(), "it is for a start to remove it"


def test_mongrel2_need_not_run_yet(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        pair = ("--recv", f"tcp://127.0.0.1:{there.getsockname()[1]}", "--send", f"ipc://{site}/out")
        told = only(site, *pair)
    assert told["severity"] == "warning"
    assert told["text"] == f"--send ipc://{site}/out: cannot be reached now: no such file or directory"


def test_a_syslogd_that_is_away(site: Path) -> None:
    told = only(site, "--syslog", f"unix:{site}/log")
    assert told["severity"] == "warning"
    assert told["text"] == f"--syslog unix:{site}/log: nobody listens now: {site}/log: No such file or directory"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslogd:
        syslogd.bind(f"{site}/log")
        assert found(site, "--syslog", f"unix:{site}/log") == []


def test_a_syslogd_without_an_address(site: Path) -> None:
    told = only(site, "--syslog", "a..b:514")
    assert (told["severity"], told["text"]) == ("error", "--syslog a..b:514: not the name of a host")


def test_where_uploads_are_looked_for(site: Path) -> None:
    pair = ("--recv", f"ipc://{site}/in", "--send", f"ipc://{site}/out")
    told = run(site, *pair, "--mongrel2-chroot", str(site)).stdout
    assert f"/PATH of Mongrel2 is looked for at {site}/PATH (--mongrel2-chroot)" in told


def test_the_store_of_the_folders_own_mongrel2(site: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "wsgid", "mongrel2", "init", "--app-path", str(site)], capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr
    store = site / "mongrel2" / "uploads"
    assert f"{store}, where Mongrel2 puts them, can be read and emptied" in run(site).stdout
    store.rmdir()
    assert [(each["severity"], each["text"]) for each in found(site) if each["subject"] == "uploads"] == [
        ("error", f"{store}, where Mongrel2 puts them, is no folder")
    ]
    (site / "mongrel2" / "config.sqlite").write_text("no database")
    [told] = [each for each in found(site) if each["subject"] == "uploads"]
    assert told["severity"] == "warning"


# The application


def test_an_application_that_hangs(site: Path) -> None:
    (site / "app" / "wsgi.py").write_text("import time\n\ndef wait():\n    time.sleep(600)\n\nwait()\n" + FINE)
    told = only(site, "--start-timeout=1")
    assert (told["subject"], told["text"]) == (
        "application",
        "this could not be found out: it was not done within 1 s",
    )
    assert told["remedy"] == "more time is given by --start-timeout"
    stack = [line for line in told["details"].splitlines() if line.startswith("  File")]
    assert stack == [f'  File "{site}/app/wsgi.py", line {place}' for place in ("4 in wait", "6 in <module>")]


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("import os; os._exit(9)", "its process ended with exit code 9"),
        ("import os; os._exit(0)", "its process ended with exit code 0"),
        ("import os; os.kill(os.getpid(), 9)", "its process died of SIGKILL"),
    ],
)
def test_an_application_that_ends_the_process(code: str, ended: str, site: Path) -> None:
    (site / "app" / "wsgi.py").write_text(f"{code}\napplication = print\n")
    told = only(site)
    assert told["text"] == f"this could not be found out: {ended}"
    assert told["remedy"] == "the application, or a C extension, ended the process; a start fails in the same way"


def test_an_application_that_forks_and_goes_on_twice(site: Path) -> None:
    (site / "app" / "wsgi.py").write_text("import os\nif os.fork():\n    os.wait()\n" + FINE)
    assert found(site) == []


def test_what_an_application_starts_ends_with_it(site: Path) -> None:
    (site / "app" / "wsgi.py").write_text("import subprocess; subprocess.Popen(['sleep', '600'])\n" + FINE)
    assert found(site) == []  # the fixture no_process_left looks for it


def test_an_application_that_leaves_by_an_exit(site: Path) -> None:
    (site / "app" / "wsgi.py").write_text("import sys\nsys.exit('no')\n" + FINE)
    assert only(site)["text"].startswith("cannot load the application: app/wsgi.py, line 2: SystemExit: no")


def test_it_has_its_environment_and_its_folder(site: Path) -> None:
    (site / "wsgid.json").write_text('{"envs": {"KEY": "value"}}')
    (site / "app" / "wsgi.py").write_text(
        f"import os\nassert (os.environ['KEY'], os.getcwd()) == ('value', {str(site)!r})\n{FINE}"
    )
    assert found(site) == []


def test_plug_ins_that_cannot_be_loaded(site: Path) -> None:
    (site / "plugins").mkdir()
    (site / "plugins" / "broken.py").write_text("1 / 0\n")
    told = only(site)
    assert (told["severity"], told["subject"]) == ("error", "plug-ins")
    assert told["text"] == f"{site}/plugins/broken.py, line 1: ZeroDivisionError: division by zero"
