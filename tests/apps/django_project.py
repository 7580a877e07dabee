"""Makes an app folder with a project of ``django-admin startproject``, a database and a user who may use the admin."""

import os
import shutil
import subprocess
from pathlib import Path

OVERLAY = Path(__file__).parent / "django_overlay"

USER = "admin"
PASSWORD = "secret-for-tests"


def make_django_project(target: Path, python: str) -> None:
    """Lays out ``target/app/mysite/`` (manage.py and the inner package ``mysite``) with the app ``notes``.

    ``python`` is the interpreter that has Django. The database is ``target/notes.sqlite3``; served, the project takes
    another one from the environment variable NOTES_DATABASE. Raises subprocess.CalledProcessError.
    """
    project = target / "app" / "mysite"
    project.mkdir(parents=True)
    _run(python, "-m", "django", "startproject", "mysite", str(project))
    shutil.copytree(OVERLAY / "notes", project / "notes", ignore=shutil.ignore_patterns("__pycache__"))
    with open(project / "mysite" / "settings.py", "a") as settings:
        settings.write("\n\n" + (OVERLAY / "settings_tail.txt").read_text())
    manage = str(project / "manage.py")
    _run(python, manage, "migrate", "--verbosity=0")
    _run(
        python,
        manage,
        "createsuperuser",
        "--noinput",
        "--verbosity=0",
        f"--username={USER}",
        "--email=admin@example.org",
    )


def _run(*command: str) -> None:
    unset = ("DJANGO_SETTINGS_MODULE", "NOTES_DATABASE")
    env = {name: value for name, value in os.environ.items() if name not in unset}
    env["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    subprocess.run(command, check=True, env=env)
