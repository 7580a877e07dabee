"""Plug-ins of an app folder in a daemon that serves, and those of a package that pip has installed."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import wsgid
from tests.deadlines import seconds
from tests.functional.clients import request
from tests.functional.conftest import MakeDaemon, MakeFolder, MakeSite
from tests.functional.daemon import READY, command, environment

EXAMPLE = Path(__file__).parents[2] / "examples" / "pages"

GOOD = '''
import os

from wsgid.core import Plugin
from wsgid.core.parser import CommandLineOption
from wsgid.interfaces.commands import ICommand
from wsgid.loaders import IAppLoader

from motto import MOTTO

with open(os.environ["LOADED_BY"], "a") as file:
    print(os.getpid(), file=file)


class MottoLoader(Plugin):
    implements = [IAppLoader]

    def can_load(self, path):
        return os.path.exists(os.path.join(path, "app", "motto.py"))

    def load_app(self, path, name):
        def application(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [MOTTO.encode()]

        return application


class MottoCommand(Plugin):
    """Say the motto."""

    implements = [ICommand]

    def command_name(self):
        return "motto"

    def name_matches(self, name):
        return name == "motto"

    def extra_options(self):
        return [CommandLineOption(name="loud", type=bool)]

    def run(self, options, command_name=None):
        print(MOTTO.upper() if options.loud else MOTTO)
'''

LACKING = """
from wsgid.core import Plugin
from wsgid.loaders import IAppLoader


class Lacking(Plugin):
    implements = [IAppLoader]

    def can_load(self, path):
        return True
"""

FILES = {
    "app/motto.py": 'MOTTO = "carpe diem"\n',
    "plugins/good.py": GOOD,
    "plugins/bad_syntax.py": "x = 1\nx = (\n",
    "plugins/bad_import.py": "import os\nimport no_such_module\n",
    "plugins/bad_class.py": LACKING,
}

REASONS = {
    "bad_class.py": "line 6: Lacking has no method load_app; expected is IAppLoader.load_app(",
    "bad_import.py": "line 2: ModuleNotFoundError: No module named 'no_such_module'",
    "bad_syntax.py": "line 2: SyntaxError: '(' was never closed",
}


def test_a_loader_and_a_command_beside_plug_ins_that_are_broken(
    site: MakeSite, app_folder: MakeFolder, tmp_path: Path
) -> None:
    folder = app_folder("motto", FILES)
    loaded_by = tmp_path / "loaded_by"
    served = site(folder, workers=1, env={"LOADED_BY": str(loaded_by)})
    assert served.request("/").body == b"carpe diem"
    workers = list(map(int, loaded_by.read_text().split()))
    assert workers == served.daemon.worker_pids, "no other process of the daemon runs code of plug-ins"
    for name, reason in REASONS.items():
        assert served.daemon.log.count(f"cannot be loaded: {folder}/plugins/{name}, {reason}") == 1

    assert served.daemon.run("motto", "--loud").output == "CARPE DIEM\n"
    listed = served.daemon.run("plugins", "--json")
    assert listed.code == 1
    told = json.loads(listed.output)
    assert told["loaded"] == [f"{folder}/plugins/good.py"]
    for failed, (name, reason) in zip(told["failed"], REASONS.items(), strict=True):
        assert failed["reason"].startswith(f"{folder}/plugins/{name}, {reason}")

    (folder / "app/motto.py").write_text('MOTTO = "memento mori"\n')
    assert served.daemon.run("restart").code == 0
    assert served.request("/").body == b"memento mori"


ROOMS = """
from wsgid.core import Plugin
from wsgid.loaders import IAppLoader


class Rooms(Plugin):
    implements = [IAppLoader]
    def can_load(self, path): return True
    def load_app(self, path, name):
        def application(environ, start_response):
            start_response("200 OK", [])
            return [f"{path} {__file__}".encode()]
        return application
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a jail")
def test_a_loader_dir_in_a_jail(serve: MakeDaemon, app_folder: MakeFolder) -> None:
    folder = app_folder("rooms", {"app/empty.py": "", "own/rooms.py": ROOMS})
    daemon = serve(folder, "--bind", "127.0.0.1:0", "--chroot", "--loader-dir", "/own")
    assert request(daemon.url).body == f"/ {folder}/own/rooms.py".encode()


def fresh_environment(folder: Path) -> Path:
    """Has its own packages, and sees those of the tests' environment; gives its interpreter."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    paths = {"base": str(folder), "platbase": str(folder)}
    site_packages = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(Path(wsgid.__file__).parents[1])}
    (site_packages / "tests.pth").write_text("\n".join(sorted(ours)))
    return python


def test_a_package_that_pip_installs(tmp_path: Path) -> None:
    python = fresh_environment(tmp_path / "fresh")
    package = shutil.copytree(EXAMPLE, tmp_path / "package", ignore=shutil.ignore_patterns("__pycache__"))
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--no-cache-dir"]
    run(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *offline, str(package))
    folder = tmp_path / "mysite"
    (folder / "app").mkdir(parents=True)
    (folder / "app/index.html").write_text("<title>Home</title>")
    _, *called = command(folder)

    assert run(str(python), *called, "pages") == "/\n"
    listed = json.loads(run(str(python), *called, "plugins", "--json"))
    assert "entry point pages = wsgid_pages of wsgid-pages 1.0" in listed["loaded"]
    started = run(str(python), *called, "--bind", "127.0.0.1:0")
    try:
        [(_, url)] = READY.findall(started)
        assert request(url).body == b"<title>Home</title>"
    finally:
        stopped = run(str(python), *called, "stop")
    assert re.fullmatch(r"wsgid \d+ has ended\n", stopped)


def run(*arguments: str) -> str:
    done = subprocess.run(
        arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds()
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
