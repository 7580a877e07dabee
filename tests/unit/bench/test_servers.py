"""The command lines of the servers beside which wsgid is measured."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from bench.contenders.servers import Server, granian, gunicorn_gthread, gunicorn_sync, uwsgi, waitress
from bench.scenarios.closed import CONNECTIONS
from bench.scenarios.slow_clients import CROWD

FOLDER = Path("/folder")
TCP, UNIX = "127.0.0.1:8000", "unix:/folder/application.sock"


def given(command: Sequence[str], option: str) -> str:
    return command[command.index(option) + 1]


@pytest.mark.parametrize("place", [TCP, UNIX])
def test_gunicorn_is_told_the_place_as_it_is(place: str) -> None:
    assert given(gunicorn_sync(2).command(place, FOLDER), "--bind") == place


def test_granian_is_told_host_and_port() -> None:
    command = granian(2).command(TCP, FOLDER)
    assert (given(command, "--host"), given(command, "--port")) == ("127.0.0.1", "8000")


def test_granian_is_told_the_path_of_a_socket() -> None:
    command = granian(2).command(UNIX, FOLDER)
    assert given(command, "--uds") == "/folder/application.sock"
    assert "--host" not in command


def test_uwsgi_is_told_the_path_of_a_socket() -> None:
    assert given(uwsgi(2).command(UNIX, FOLDER), "--socket") == "/folder/application.sock"


@pytest.mark.parametrize(
    ("server", "workers", "threads"),
    [
        (gunicorn_gthread(3, 5), "--workers", "--threads"),
        (granian(3, 5), "--workers", "--blocking-threads"),
        (uwsgi(3, 5), "--processes", "--threads"),
    ],
)
def test_workers_and_threads_are_those_of_the_name(server: Server, workers: str, threads: str) -> None:
    command = server.command(UNIX, FOLDER)
    assert (given(command, workers), given(command, threads)) == ("3", "5")
    assert "3 workers of 5 threads" in server.name


@pytest.mark.parametrize("server", [gunicorn_sync(2), gunicorn_gthread(2, 2), uwsgi(2)])
def test_the_log_lies_in_the_folder(server: Server) -> None:
    assert f"{FOLDER}/access.log" in server.command(UNIX, FOLDER)


def test_granian_logs_unless_it_is_told_not_to() -> None:
    with_log, without = granian(2), granian(2, access_log=False)
    assert "--access-log" in with_log.command(TCP, FOLDER)
    assert "--access-log" not in without.command(TCP, FOLDER)
    assert with_log.name != without.name


def test_waitress_has_room_for_all_clients() -> None:
    command = waitress(4).command(TCP, FOLDER)
    assert given(command, "--threads") == "4"
    assert int(given(command, "--connection-limit")) > max(CROWD, *CONNECTIONS)
