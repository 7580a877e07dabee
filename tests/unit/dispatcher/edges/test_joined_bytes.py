import asyncio

from tests.unit.dispatcher.loops import run, turns
from wsgid.dispatcher.edges.joined_bytes import LIMIT, JoinedBytes


def test_up_to_the_limit_all_go_on() -> None:
    async def main() -> None:
        joined = JoinedBytes(asyncio.get_running_loop(), lambda: None)
        joined.add("one", LIMIT // 2)
        joined.add("two", LIMIT // 2 - 1)
        assert joined.admits("one")
        assert joined.admits("two")
        assert joined.admits("three")

    run(main())


def test_above_it_one_goes_on_until_its_message_is_sent() -> None:
    async def main() -> None:
        told: list[str] = []
        joined = JoinedBytes(asyncio.get_running_loop(), lambda: told.append("room"))
        joined.add("one", LIMIT)
        joined.add("two", LIMIT)
        assert joined.admits("one")
        assert not joined.admits("two")
        joined.remove("one", LIMIT)
        await turns(1)
        assert told == ["room"]
        assert joined.admits("two"), "the next may be the one"
        joined.add("three", 1)
        assert not joined.admits("two")
        joined.remove("three", 1)
        joined.remove("two", LIMIT)
        await turns(1)
        assert (told, joined.size) == (["room", "room"], 0)

    run(main())


def test_nobody_is_told_who_was_not_turned_away() -> None:
    async def main() -> None:
        told: list[str] = []
        joined = JoinedBytes(asyncio.get_running_loop(), lambda: told.append("room"))
        joined.add("one", LIMIT)
        joined.remove("one", LIMIT)
        await turns(1)
        assert told == []

    run(main())
