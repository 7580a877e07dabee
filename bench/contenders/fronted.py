"""What a user would pick instead, behind nginx; and the web servers alone, with a file, as what cannot be exceeded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from signal import SIGHUP
from subprocess import Popen

from tests.deadlines import wait_for
from tests.functional.mongrel2 import Directory, Mongrel2

from bench.contender import Application, Contender, NotMeasured, Running, by_signal, children
from bench.contenders import servers
from bench.contenders.nginx import Site, files, nginx, proxied, uwsgi_passed
from bench.contenders.process import answers, output, process
from bench.contenders.servers import UNIX, Server

FILE = "file.txt"


def nginx_gunicorn_sync(workers: int) -> Contender:
    return _behind_nginx(servers.gunicorn_sync(workers), partial(proxied, kept_alive=False))


def nginx_gunicorn_gthread(workers: int, threads: int) -> Contender:
    return _behind_nginx(servers.gunicorn_gthread(workers, threads), proxied)


def nginx_granian(workers: int, threads: int = 1, *, access_log: bool = True) -> Contender:
    return _behind_nginx(servers.granian(workers, threads, access_log=access_log), proxied)


def nginx_uwsgi(workers: int, threads: int = 1) -> Contender:
    return _behind_nginx(servers.uwsgi(workers, threads), uwsgi_passed)


def _behind_nginx(server: Server, site: Callable[[Path], Site]) -> Contender:
    """``site`` is called with the UNIX socket between the two."""

    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        socket = folder / "application.sock"
        command = server.command(f"{UNIX}{socket}", folder)
        with (
            process(command, folder, application.folder / "app", application.env) as behind,
            nginx(folder / "nginx", site(socket)) as (address, front),
        ):
            _wait(lambda: answers(address), {folder: behind, folder / "nginx": front})
            started = {front.pid: "nginx", behind.pid: server.program}
            yield Running(address, started, children(behind.pid), by_signal(behind.pid, SIGHUP))

    return Contender(f"nginx + {server.name}", start, server.differs)


def nginx_file(content: bytes) -> Contender:
    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        with nginx(folder / "nginx", files(_written(folder, content))) as (address, front):
            _wait(lambda: answers(address), {folder / "nginx": front})
            yield Running(address, {front.pid: "nginx"}, list, target=f"/{FILE}")

    return Contender("nginx, a file", start, "It runs no application.")


def mongrel2_file(content: bytes) -> Contender:
    @contextmanager
    def start(folder: Path, application: Application) -> Iterator[Running]:
        server = Mongrel2("bench", {"/": Directory(f"{_written(folder, content)}/")}, folder / "mongrel2")
        server.start()
        try:
            yield Running(server.address, {server.pid: "Mongrel2"}, list, target=f"/{FILE}")
        finally:
            server.stop()

    differs = "It runs no application; of each file Debian's writes a line of debugging into its error log, too."
    return Contender("Mongrel2, a file", start, differs)


def _written(folder: Path, content: bytes) -> Path:
    """A folder with `FILE` in it."""
    files = folder / "files"
    files.mkdir()
    (files / FILE).write_bytes(content)
    return files


def _wait(served: Callable[[], bool], processes: dict[Path, Popen[bytes]]) -> None:
    """Until it is served, or one of the processes, each with its folder, has ended. Raises NotMeasured."""

    def ended() -> list[Path]:
        return [folder for folder, process in processes.items() if process.poll() is not None]

    wait_for(lambda: ended() or served(), "the first answer")
    for folder in ended():
        raise NotMeasured(f"it did not start:\n{output(folder)}")
