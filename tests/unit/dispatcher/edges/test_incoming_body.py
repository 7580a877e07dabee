import asyncio
import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dispatcher.loops import run, until
from tests.unit.dispatcher.test_spool import Finished, Hold, Owner, fill_disk
from wsgid.channel.frames import INLINE_BODY
from wsgid.dispatcher.disk import PIECE, Disk
from wsgid.dispatcher.edges.incoming_body import IncomingBody
from wsgid.dispatcher.spool import HIGH_WATER


def incoming(directory: Path, executor: ThreadPoolExecutor, owner: Owner) -> IncomingBody:
    return IncomingBody(Disk(str(directory), executor, asyncio.get_running_loop()), owner)


class TestSmall:
    @given(st.lists(st.binary(max_size=100), max_size=5))
    def test_is_kept_in_memory(self, parts: list[bytes]) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                body = incoming(Path("/nowhere"), executor, Owner())
                for part in parts:
                    body.add(part)
                assert body.in_memory() == b"".join(parts)
                assert body.size == len(body.in_memory())
                assert (body.in_file, body.full, body.error) == (False, False, None)
                body.close()
                assert body.in_memory() == b""

        run(main())

    def test_is_all_that_a_channel_carries(self) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                body = incoming(Path("/nowhere"), executor, Owner())
                in_file = []
                for part in (bytes(INLINE_BODY), b"x"):
                    body.add(part)
                    in_file.append(body.in_file)
                assert in_file == [False, True]
                body.close()

        run(main())


class TestLarge:
    @pytest.mark.parametrize("sizes", [[INLINE_BODY + 1], [1, INLINE_BODY, 3, PIECE], [40_000, 40_000, 40_000]])
    def test_is_in_a_file(self, sizes: list[int], tmp_path: Path) -> None:
        async def main() -> None:
            parts = [bytes([number]) * size for number, size in enumerate(sizes, 1)]
            with ThreadPoolExecutor(1) as executor:
                body = incoming(tmp_path, executor, Owner())
                for part in parts:
                    body.add(part)
                assert body.in_file
                assert body.size == sum(sizes)
                assert body.in_memory() == b""
                finished = Finished()
                body.finish(finished)
                assert await finished.content() == b"".join(parts)

        run(main())

    def test_is_full_while_the_disk_is_behind(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                hold = Hold(executor)
                owner = Owner()
                body = incoming(tmp_path, executor, owner)
                full = []
                for part in (bytes(HIGH_WATER), b"x"):
                    body.add(part)
                    full.append(body.full)
                assert full == [False, True]
                hold.let_go()
                await until(lambda: owner.rooms, "room")
                body.close()

        run(main())

    def test_knows_why_it_failed(self, tmp_path: Path) -> None:
        async def main() -> None:
            with ThreadPoolExecutor(1) as executor:
                owner = Owner()
                body = incoming(tmp_path, executor, owner)
                body.add(bytes(INLINE_BODY + 1))
                spool = body._spool
                assert spool is not None
                await until(lambda: not spool._writing, "the first write")
                fill_disk(spool)
                errors = [body.error]
                body.add(bytes(PIECE))
                [error] = await until(lambda: owner.failures, "the failure")
                errors.append(body.error)
                assert errors == [None, error]
                assert error.errno == errno.ENOSPC

        run(main())
