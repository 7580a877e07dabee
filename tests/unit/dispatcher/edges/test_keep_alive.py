from wsgid.dispatcher.edges.keep_alive import TOGETHER, KeepAlive
from wsgid.protocol import mongrel2_replies

ONE, TWO, THREE = ("srv-1", "1"), ("srv-1", "2"), ("srv-2", "1")


def test_what_has_just_begun_needs_none() -> None:
    assert KeepAlive().due({ONE, TWO}) == []


def test_what_lasts_needs_one_at_every_look() -> None:
    keep_alive = KeepAlive()
    keep_alive.due({ONE, TWO})
    for _ in range(3):
        assert keep_alive.due({ONE, THREE}) == [mongrel2_replies.keep_alive("srv-1", "1")]
        keep_alive.due({ONE})


def test_each_server_has_its_own() -> None:
    keep_alive = KeepAlive()
    keep_alive.due({ONE, THREE})
    assert set(keep_alive.due({ONE, THREE})) == {mongrel2_replies.keep_alive(*key) for key in (ONE, THREE)}


def test_many_share_a_message_but_not_too_many() -> None:
    keep_alive = KeepAlive()
    many = {("srv-1", str(number)) for number in range(2 * TOGETHER + 1)}
    keep_alive.due(many)
    messages = keep_alive.due(many)
    assert len(messages) == 3
    clients = [client for message in messages for client in message.partition(b":X ")[2].partition(b",")[0].split()]
    assert sorted(clients) == sorted(client.encode() for _, client in many)
