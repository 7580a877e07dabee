"""Answers and orders, byte for byte as Mongrel2 1.12.2 takes them."""

from collections.abc import Callable
from functools import partial

import pytest

from wsgid.protocol import mongrel2_replies as replies


def test_a_reply_is_the_address_and_the_bytes() -> None:
    assert replies.reply("srv-1", "2", b"HTTP/1.1 200 OK\r\n\r\n\xff") == b"srv-1 1:2, HTTP/1.1 200 OK\r\n\r\n\xff"


def test_closing_is_a_reply_of_nothing() -> None:
    assert replies.close("srv-1", "12") == b"srv-1 2:12, "
    assert replies.reply("srv-1", "12", b"") == replies.close("srv-1", "12")


def test_a_reply_to_many() -> None:
    assert replies.reply_all("srv-1", ["1", "20", "300"], b"x") == b"srv-1 8:1 20 300, x"
    assert replies.reply_all("srv-1", ("7",), b"x") == replies.reply("srv-1", "7", b"x")
    most = [str(number) for number in range(replies.MAX_CLIENTS)]
    assert replies.reply_all("a", most, b"").startswith(b"a 401:0 1 2 ")


def test_orders() -> None:
    assert replies.keep_alive("srv-1", "2") == b"srv-1 3:X 2, 31:3:ctl,21:10:keep-alive,4:true!}]"
    assert replies.keep_alive_all("a", ["2", "-6"]) == b"a 14:X 2 4294967290, 31:3:ctl,21:10:keep-alive,4:true!}]"
    assert replies.credits("srv-1", "2", 10) == b"srv-1 3:X 2, 25:3:ctl,15:7:credits,2:10#}]"
    assert replies.credits("srv-1", "2", 2147483647).endswith(b"7:credits,10:2147483647#}]")
    assert replies.cancel("srv-1", "12") == b"srv-1 4:X 12, 26:3:ctl,16:6:cancel,4:true!}]"


@pytest.mark.parametrize(
    ("client_id", "written"),
    [
        ("0", b"0"),
        ("999999999", b"999999999"),
        ("2147483647", b"2147483647"),
        ("4294967290", b"4294967290"),
        ("-6", b"4294967290"),
        ("-2147483648", b"2147483648"),
    ],
)
def test_ids_that_mongrel2_prints_as_negative_numbers_go_back_as_positive_ones(client_id: str, written: bytes) -> None:
    """It does not read ``-6``; sent 4294967290, it answers about connection -6."""
    assert replies.close("a", client_id) == b"a %d:%b, " % (len(written), written)
    assert replies.cancel("a", client_id).startswith(b"a %d:X %b, " % (len(written) + 2, written))


@pytest.mark.parametrize(
    "client_id",
    ["", "x", "1 2", "01", "+1", "-0", " 1", "1\n", "1_0", "\u0661", "4294967296", "-2147483649", "12345678901"],
)
@pytest.mark.parametrize(
    "say", [replies.close, replies.keep_alive, replies.cancel, partial(replies.reply, payload=b"x")]
)
def test_ids_that_mongrel2_could_not_read(say: Callable[[str, str], bytes], client_id: str) -> None:
    with pytest.raises(ValueError, match="is no connection id"):
        say("srv-1", client_id)
    with pytest.raises(ValueError, match="is no connection id"):
        replies.reply_all("srv-1", ["1", client_id], b"x")
    with pytest.raises(ValueError, match="is no connection id"):
        replies.credits("srv-1", client_id, 1)


@pytest.mark.parametrize("server_id", ["", "my_handler", "a.b", "a b", "a\n", "\xe4"])
def test_names_that_mongrel2_could_not_read(server_id: str) -> None:
    with pytest.raises(ValueError, match="names no Mongrel2"):
        replies.reply(server_id, "1", b"x")


@pytest.mark.parametrize("clients", [[], ["1"] * 129])
def test_too_few_and_too_many_clients(clients: list[str]) -> None:
    with pytest.raises(ValueError, match=f"an answer to {len(clients)} clients"):
        replies.reply_all("srv-1", clients, b"x")


@pytest.mark.parametrize("count", [0, -1, 2**31])
def test_credits_that_mongrel2_would_reckon_with(count: int) -> None:
    with pytest.raises(ValueError, match="upload credits"):
        replies.credits("srv-1", "1", count)
