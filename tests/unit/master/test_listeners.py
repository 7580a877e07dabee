"""Real sockets on the loopback interface and in a temporary folder."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deadlines import wait_for
from tests.unit.master.locks import hold, is_waited_for
from tests.unit.master.privileges import as_nobody, open_to_all
from wsgid.config import DEFAULT_BIND
from wsgid.master.errors import CannotStart
from wsgid.master.holders import tcp_holder, unix_holder
from wsgid.master.listeners import Listeners

BACKLOG = 5


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listen(stack: ExitStack, *binds: str) -> Listeners:
    listeners = Listeners(binds, BACKLOG)
    stack.callback(listeners.close)
    return listeners


def answers(family: socket.AddressFamily, address: object) -> bool:
    with socket.socket(family) as client:
        client.settimeout(5)
        return client.connect_ex(address) == 0  # type: ignore[arg-type]


def test_no_bind_no_socket(stack: ExitStack) -> None:
    assert listen(stack).sockets == ()


def test_ipv4(stack: ExitStack) -> None:
    (sock,) = listen(stack, "127.0.0.1:0").sockets
    assert sock.family == socket.AF_INET
    assert sock.getsockname()[1] != 0
    assert answers(sock.family, sock.getsockname())
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    assert not os.get_inheritable(sock.fileno())


def test_ipv6_leaves_ipv4_alone(stack: ExitStack) -> None:
    (sock,) = listen(stack, "[::]:0").sockets
    port = sock.getsockname()[1]
    assert answers(socket.AF_INET6, ("::1", port))
    (other,) = listen(stack, f"0.0.0.0:{port}").sockets
    assert other.getsockname()[1] == port


def test_a_name_stands_for_all_its_addresses(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def hosts(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        """An /etc/hosts with two addresses of this machine, one of them twice, and one of another machine."""
        four = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        six = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))
        away = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))
        return [six, away, four, four]

    monkeypatch.setattr(socket, "getaddrinfo", hosts)
    families = [sock.family for sock in listen(stack, "shop:0").sockets]
    assert families == [socket.AF_INET6, socket.AF_INET]


def test_a_name_in_use_at_one_address_is_refused(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    (taken,) = listen(stack, "[::1]:0").sockets
    port = taken.getsockname()[1]

    def hosts(*_: object, **__: object) -> list[tuple[object, ...]]:
        four = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        six = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))
        return [four, six]

    monkeypatch.setattr(socket, "getaddrinfo", hosts)
    with pytest.raises(CannotStart, match="address already in use"):
        listen(stack, f"shop:{port}")
    assert not answers(socket.AF_INET, ("127.0.0.1", port))


def refusal(stack: ExitStack, *binds: str) -> str:
    with pytest.raises(CannotStart) as refused:
        listen(stack, *binds)
    return str(refused.value)


def test_in_use(stack: ExitStack) -> None:
    (sock,) = listen(stack, "127.0.0.1:0").sockets
    bind = f"127.0.0.1:{sock.getsockname()[1]}"
    assert refusal(stack, bind) == (
        f"--bind {bind}: address already in use: {tcp_holder(*sock.getsockname())} listens there; stop it, or choose "
        "another port"
    )


def test_not_an_address_of_this_machine(stack: ExitStack) -> None:
    """192.0.2.0/24 is for documentation, RFC 5737."""
    assert refusal(stack, "192.0.2.1:0") == (
        "--bind 192.0.2.1:0: cannot assign requested address: no network interface of this machine has it; "
        "0.0.0.0 and [::] stand for all there are"
    )


def test_a_port_for_root(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's refusal is played: there are machines, and most containers, where everybody may have port 80."""

    def bind(sock: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(socket.socket, "bind", bind)
    assert refusal(stack, "127.0.0.1:80") == (
        "--bind 127.0.0.1:80: permission denied: ports below 1024 need root or the capability "
        "CAP_NET_BIND_SERVICE; take another, such as 8000"
    )


@pytest.mark.parametrize("host", ["no-such-host.invalid", "two..dots", "x" * 64 + ".example"])
def test_a_name_that_is_none(stack: ExitStack, host: str) -> None:
    text = refusal(stack, f"{host}:0")
    assert text.startswith(f"--bind {host}:0: the host name cannot be resolved: ")
    assert text.endswith("; write an address of this machine instead")


def test_unix(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    umask = os.umask(0o027)
    try:
        listeners = listen(stack, f"unix:{path}")
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert answers(socket.AF_UNIX, str(path))
    listeners.close()
    assert not path.exists()


def test_a_dead_socket_is_replaced(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    listen(stack, f"unix:{path}").close_in_child()
    assert not answers(socket.AF_UNIX, str(path))
    listen(stack, f"unix:{path}")
    assert answers(socket.AF_UNIX, str(path))


def test_a_living_socket_is_not(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    listen(stack, f"unix:{path}")
    assert refusal(stack, f"unix:{path}") == (
        f"--bind unix:{path}: {unix_holder(str(path))} answers there; stop it, or choose another path"
    )
    assert answers(socket.AF_UNIX, str(path))


def test_nor_one_that_is_too_busy_to_answer(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    listen(stack, f"unix:{path}")
    for _ in range(BACKLOG + 1):  # one more than is asked for, as Linux counts
        client = stack.enter_context(socket.socket(socket.AF_UNIX))
        client.setblocking(False)
        client.connect(str(path))
    assert f"process {os.getpid()} (" in refusal(stack, f"unix:{path}")
    assert path.exists()


def test_nor_one_of_another_kind(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "log.sock"
    other = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    other.bind(str(path))
    assert refusal(stack, f"unix:{path}") == f"--bind unix:{path}: protocol wrong type for socket"
    assert path.exists()


def test_two_that_start_together_do_not_take_it_from_each_other(stack: ExitStack, tmp_path: Path) -> None:
    """Both find a dead socket. The second looks at it again when the first has put its own there."""
    path = tmp_path / "http.sock"
    listen(stack, f"unix:{path}").close_in_child()
    release = hold(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(refusal, stack, f"unix:{path}")
        wait_for(lambda: is_waited_for(tmp_path), "the second to wait")
        path.unlink()
        first = stack.enter_context(socket.socket(socket.AF_UNIX))
        first.bind(str(path))
        first.listen()
        release()
        assert f"process {os.getpid()} (" in second.result()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_never_removed(stack: ExitStack, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "precious"
    match kind:
        case "file":
            path.write_text("of value")
        case "folder":
            path.mkdir()
        case _:
            listen(stack, f"unix:{tmp_path}/dead").close_in_child()
            path.symlink_to(tmp_path / "dead")
    assert refusal(stack, f"unix:{path}") == (
        f"--bind unix:{path}: there is a file of that name that is no socket; move it, or choose another path"
    )
    assert os.path.lexists(path)


def test_no_folder_for_the_socket(stack: ExitStack, tmp_path: Path) -> None:
    bind = f"unix:{tmp_path}/run/http.sock"
    assert refusal(stack, bind) == f"--bind {bind}: no such file or directory: its folder does not exist; make it"


def test_a_folder_of_somebody_else(stack: ExitStack) -> None:
    bind = "unix:/usr/http.sock"
    with as_nobody():
        assert refusal(stack, bind) == (
            f"--bind {bind}: permission denied: the user of this process may not write to its folder; let it, or "
            "choose another path"
        )


def test_one_that_is_refused_takes_the_others_back(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    refusal(stack, f"unix:{path}", "192.0.2.1:0")
    assert not path.exists()


def test_another_ones_socket_is_left(stack: ExitStack, tmp_path: Path) -> None:
    """Somebody has removed ours, and another daemon has taken the place."""
    path = tmp_path / "http.sock"
    first = listen(stack, f"unix:{path}")
    path.unlink()
    listen(stack, f"unix:{path}")
    first.close()
    assert answers(socket.AF_UNIX, str(path))


def test_a_socket_that_is_gone_already_is_no_matter(
    stack: ExitStack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "http.sock"
    listeners = listen(stack, f"unix:{path}")
    path.unlink()
    listeners.close()
    assert f"the socket {path} stays behind" not in caplog.text


def test_one_that_cannot_be_removed_is_told(stack: ExitStack, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    listeners = listen(stack, f"unix:{folder}/http.sock")
    open_to_all(folder)
    folder.chmod(0o555)
    with as_nobody():
        listeners.close()
    folder.chmod(0o755)
    assert "http.sock stays behind, it cannot be removed: Permission denied" in caplog.text
    assert listeners.sockets == ()


def passed(stack: ExitStack, family: socket.AddressFamily, address: object) -> socket.socket:
    """What systemd would have opened."""
    sock = stack.enter_context(socket.socket(family))
    sock.bind(address)  # type: ignore[arg-type]
    sock.listen()
    return sock


def test_sockets_that_were_passed_take_the_place_of_every_bind(
    stack: ExitStack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sock = passed(stack, socket.AF_INET, ("127.0.0.1", 0))
    path = tmp_path / "http.sock"
    listeners = Listeners([f"unix:{path}", "127.0.0.1:9000"], BACKLOG, [sock])
    assert listeners.sockets == (sock,)
    assert not path.exists()
    assert caplog.messages == [
        f"serving the sockets that systemd passes, and not --bind unix:{path}, --bind 127.0.0.1:9000"
    ]


def test_that_the_default_address_is_not_opened_is_not_worth_a_word(
    stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    sock = passed(stack, socket.AF_INET, ("127.0.0.1", 0))
    Listeners([DEFAULT_BIND], BACKLOG, [sock]).close()
    assert caplog.messages == []


def test_the_file_of_a_socket_that_was_passed_is_left(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    sock = passed(stack, socket.AF_UNIX, str(path))
    Listeners([], BACKLOG, [sock]).close()
    assert path.exists()
    assert sock.fileno() == -1


def test_sockets_for_metrics_are_opened_beside_those_that_were_passed(stack: ExitStack, tmp_path: Path) -> None:
    sock = passed(stack, socket.AF_INET, ("127.0.0.1", 0))
    path = tmp_path / "metrics.sock"
    listeners = Listeners([DEFAULT_BIND], BACKLOG, [sock], metrics=["127.0.0.1:0", f"unix:{path}"])
    assert listeners.sockets == (sock,)
    tcp, unix = listeners.metrics
    assert answers(socket.AF_INET, tcp.getsockname())
    assert answers(socket.AF_UNIX, str(path))
    listeners.close()
    assert not path.exists()
    assert (tcp.fileno(), unix.fileno(), listeners.metrics) == (-1, -1, ())


def test_each_daemon_has_an_address_of_its_own_for_metrics(stack: ExitStack) -> None:
    (sock,) = listen(stack, "127.0.0.1:0").sockets
    taken = f"127.0.0.1:{sock.getsockname()[1]}"
    with pytest.raises(CannotStart) as refused:
        Listeners([], BACKLOG, metrics=[taken])
    assert str(refused.value) == (
        f"--metrics {taken}: address already in use: {tcp_holder(*sock.getsockname())} listens there; stop it, or "
        "choose another port. Each daemon needs an address of its own for its metrics"
    )


def test_so_it_has_a_path_of_its_own(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "metrics.sock"
    listen(stack, f"unix:{path}")
    with pytest.raises(CannotStart) as refused:
        Listeners([], BACKLOG, metrics=[f"unix:{path}"])
    assert str(refused.value) == (
        f"--metrics unix:{path}: {unix_holder(str(path))} answers there; stop it, or choose another path. Each daemon "
        "needs an address of its own for its metrics"
    )
