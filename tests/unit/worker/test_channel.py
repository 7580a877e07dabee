"""The worker's side of a channel: requests, descriptors, and every way it can end."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.unit.worker.dispatcher_side import Listener, Peer, a_request
from wsgid.channel import frames
from wsgid.channel.frames import FrameError, Hello, Kind, Role
from wsgid.worker.channel import READ_SIZE, Asked, Channel, connect
from wsgid.worker.errors import DispatcherGone


@pytest.fixture
def peer_and_channel() -> Iterator[tuple[Peer, Channel]]:
    ours, theirs = socket.socketpair()
    channel = Channel(theirs)
    with ours:
        yield Peer(ours), channel
    channel.close()


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_requests_come_one_after_the_other(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    for number in range(3):
        peer.ask(a_request(id=str(number)))
        assert channel.take() == (a_request(id=str(number)), None)


def test_frames_in_one_piece_and_byte_by_byte(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    data = frames.request(a_request(id="1")) + frames.request(a_request(id="2")) + frames.RELEASE

    def send() -> None:
        peer.sock.sendall(data)
        for byte in data:
            peer.sock.send(bytes([byte]))

    with ThreadPoolExecutor(1) as sender:  # so many small pieces fill the socket
        sent = sender.submit(send)
        for _ in range(2):
            assert channel.take() == (a_request(id="1"), None)
            assert channel.take() == (a_request(id="2"), None)
            assert channel.take() is None
        sent.result()


def test_the_largest_body_in_memory(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    request = a_request(body=os.urandom(frames.INLINE_BODY))
    assert frames.INLINE_BODY + 100 > READ_SIZE  # in more than one read
    peer.ask(request)
    assert channel.take() == (request, None)


def test_a_question(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    begun = a_request(body_in_file=True)  # whose file is not here yet
    peer.sock.sendall(frames.ask(begun) + frames.request(a_request()))
    assert channel.take() == Asked(begun)
    assert channel.take() == (a_request(), None)


def test_a_descriptor_comes_with_its_request(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    file = os.memfd_create("body", os.MFD_CLOEXEC)
    peer.ask(a_request(body_in_file=True), file)
    taken = channel.take()
    assert isinstance(taken, tuple)
    request, descriptor = taken
    assert request.body_in_file
    assert descriptor is not None
    assert os.path.sameopenfile(file, descriptor)
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
    os.close(file)


def test_a_descriptor_comes_with_the_first_byte_of_a_long_frame(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    file = os.memfd_create("body", os.MFD_CLOEXEC)
    request = a_request(body_in_file=True, query="x" * (READ_SIZE + 1))
    data = frames.request(request)
    socket.send_fds(peer.sock, [data[:1]], [file])
    peer.sock.sendall(data[1:])
    taken = channel.take()
    assert isinstance(taken, tuple)
    assert taken[0] == request
    assert taken[1] is not None
    os.close(taken[1])
    os.close(file)


@pytest.mark.parametrize(("in_file", "count"), [(True, 0), (False, 1), (True, 2), (False, 3)])
def test_descriptors_that_do_not_fit_the_request_are_refused_and_closed(
    peer_and_channel: tuple[Peer, Channel], in_file: bool, count: int
) -> None:
    peer, channel = peer_and_channel
    file = os.memfd_create("body", os.MFD_CLOEXEC)
    before = open_descriptors()
    peer.ask(a_request(body_in_file=in_file), *[file] * count)
    with pytest.raises(FrameError, match="descriptors"):
        channel.take()
    channel.close()
    assert open_descriptors() == before - 1  # the channel itself
    os.close(file)


def test_a_descriptor_whose_request_never_comes_is_closed(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    file = os.memfd_create("body", os.MFD_CLOEXEC)
    before = open_descriptors()
    socket.send_fds(peer.sock, [frames.request(a_request(body_in_file=True))[:20]], [file])
    peer.close()
    with pytest.raises(DispatcherGone, match="closed the channel"):
        channel.take()
    channel.close()
    assert open_descriptors() == before - 2
    os.close(file)


def test_release_ends_it_also_when_the_end_of_file_is_there_already(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    peer.release()
    peer.close()
    assert channel.take() is None


def test_the_dispatchers_end_is_noticed_in_both_directions(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    channel.send(b"never read")
    peer.close()
    with pytest.raises(DispatcherGone, match="the channel failed: Connection reset by peer"):
        channel.take()
    with pytest.raises(DispatcherGone, match="the channel failed: Broken pipe"):
        channel.send(b"x")
    with pytest.raises(DispatcherGone, match="the channel failed: Broken pipe"):
        channel.send_pieces([b"x", b"y"])


def test_what_the_socket_takes_only_in_part_goes_whole_and_in_its_order(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    channel._socket.settimeout(seconds())  # then the kernel takes what there is room for, as when a signal comes
    pieces: list[bytes | memoryview] = [
        b"before",
        memoryview(b"1" * 1_000_000),
        b"",
        memoryview(b"2" * 1_000_000),
        b"behind",
    ]
    whole = b"".join(pieces)
    with ThreadPoolExecutor(1) as executor:
        sent = executor.submit(channel.send_pieces, pieces)
        received = b""
        while len(received) < len(whole):
            received += peer.sock.recv(1 << 20)
        sent.result(seconds())
    assert received == whole


@pytest.mark.parametrize("data", [frames.DONE, frames.client_gone("r1"), b"\xff" * 5, b"\0\0\0\0\x63"])
def test_anything_else_breaks_the_rules(peer_and_channel: tuple[Peer, Channel], data: bytes) -> None:
    peer, channel = peer_and_channel
    peer.sock.sendall(data)
    with pytest.raises(FrameError):
        channel.take()


def test_connect_says_hello(tmp_path: Path) -> None:
    folder = tmp_path / ("a-long-name-" * 15)  # no UNIX address holds such a path
    listener = Listener(folder)
    hello = Hello(1, Role.CHANNEL, 2, 1)
    with connect(listener.path, hello):
        assert listener.accept().hello == hello
    listener.close()


def test_connect_to_nobody(tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    listener.sock.close()
    with pytest.raises(ConnectionRefusedError):
        connect(listener.path, Hello(1, Role.CHANNEL, 2, 1))
    listener.die()
    with pytest.raises(FileNotFoundError):
        connect(listener.path, Hello(1, Role.CHANNEL, 2, 1))
    listener.close()


def test_a_file_goes_when_it_is_awaited(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    file = os.memfd_create("file", os.MFD_CLOEXEC)
    with ThreadPoolExecutor(1) as sender:
        sent = sender.submit(channel.send_file, frames.END, file)  # whatever announces it
        assert peer.frame() == (Kind.END, b"")
        assert not sent.done()
        peer.sock.sendall(frames.FILE_AWAITED)
        data, [descriptor], _, _ = socket.recv_fds(peer.sock, 100, 1)
        assert data == frames.DESCRIPTOR
        sent.result()
    assert os.path.sameopenfile(file, descriptor)
    os.close(descriptor)
    os.close(file)  # it stayed ours


@pytest.mark.parametrize("said", [b"", frames.RELEASE, b"\0\0\0\0\xff"])
def test_a_file_for_a_dispatcher_that_does_not_want_it(peer_and_channel: tuple[Peer, Channel], said: bytes) -> None:
    peer, channel = peer_and_channel
    peer.sock.sendall(said)
    peer.sock.shutdown(socket.SHUT_WR)
    with pytest.raises(DispatcherGone):
        channel.send_file(frames.END, 0)


def test_a_file_that_cannot_be_passed_on(peer_and_channel: tuple[Peer, Channel]) -> None:
    peer, channel = peer_and_channel
    peer.sock.sendall(frames.FILE_AWAITED)
    with pytest.raises(DispatcherGone, match="Bad file descriptor"):
        channel.send_file(frames.END, -1)
