import socket
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgid.channel import orders
from wsgid.channel.orders import (
    MAX_ORDER,
    Drain,
    Drained,
    Exit,
    FromDispatcher,
    FromMaster,
    Listening,
    OrderError,
    StackWanted,
    StackWritten,
    WorkerDied,
    WorkerReady,
)

pids = st.integers(1, 2**22)
seconds = st.floats(0, 1e6)

from_dispatcher = st.one_of(
    st.builds(Listening, st.lists(st.text(max_size=30), max_size=4)),
    st.builds(WorkerReady, pids),
    st.builds(Drained, st.integers(0, 10**6)),
    st.builds(StackWanted, pids, st.integers(0, 2**63)),
)
from_master = st.one_of(
    st.builds(WorkerDied, pids, st.text(max_size=30), st.booleans()),
    st.builds(Drain, seconds),
    st.just(Exit()),
    st.builds(StackWritten, pids, st.integers(0, 2**63), st.text(max_size=30)),
)


@given(from_dispatcher)
def test_what_the_dispatcher_says_is_what_the_master_hears(message: FromDispatcher) -> None:
    assert orders.decode_from_dispatcher(orders.encode(message)) == message


@given(from_master)
def test_what_the_master_says_is_what_the_dispatcher_hears(message: FromMaster) -> None:
    assert orders.decode_from_master(orders.encode(message)) == message


@given(from_master)
def test_neither_takes_its_own_words_for_the_others(message: FromMaster) -> None:
    with pytest.raises(OrderError):
        orders.decode_from_dispatcher(orders.encode(message))


@pytest.mark.parametrize("decode", [orders.decode_from_master, orders.decode_from_dispatcher])
@pytest.mark.parametrize("packet", [b"", b"\x81\xa4type\xa1\xff", b"\x82\xa4type\xa4Exit\xa1x" + b"\x91" * 100_000])
def test_what_is_no_message_is_one_error(decode: Callable[[bytes], object], packet: bytes) -> None:
    """No text and no bottom are others to the decoder."""
    with pytest.raises(OrderError, match=r"."):
        decode(packet)


def test_a_great_many_addresses_fit_into_a_packet() -> None:
    """A host name of the largest length, as often as anyone will bind it."""
    told = Listening([f"http://{'h' * 253}:65535"] * 200)
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with left, right:
        left.send(orders.encode(told))
        assert orders.decode_from_dispatcher(right.recv(MAX_ORDER)) == told
