from wsgid.master.memory_kills import RECENT, MemoryKills


class Kernel:
    count: int | None = 3

    def counter(self) -> int | None:
        return self.count


def test_each_kill_explains_one_death() -> None:
    kernel = Kernel()
    kills = MemoryKills(kernel.counter)
    assert not kills.explains_one(10.0), "what was counted before us is not ours"
    kernel.count = 5
    assert [kills.explains_one(11.0) for _ in range(3)] == [True, True, False]


def test_it_may_have_been_seen_a_little_before_the_death() -> None:
    kernel = Kernel()
    kills = MemoryKills(kernel.counter)
    kernel.count = 4
    kills.look(10.0)
    assert kills.explains_one(10.0 + RECENT)


def test_a_kill_long_ago_was_of_somebody_else() -> None:
    kernel = Kernel()
    kills = MemoryKills(kernel.counter)
    kernel.count = 4
    kills.look(10.0)
    assert not kills.explains_one(10.1 + RECENT)


def test_a_kernel_that_does_not_say() -> None:
    kernel = Kernel()
    kernel.count = None
    kills = MemoryKills(kernel.counter)
    assert not kills.explains_one(10.0)
