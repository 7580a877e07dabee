"""Which requests' clients have left."""

from wsgid.worker.departed import MAX_DEPARTED, Departed


def test_an_id_is_known_until_its_request_has_ended() -> None:
    departed = Departed()
    departed.add("a")
    assert "a" in departed
    assert "b" not in departed
    departed.forget("a")
    departed.forget("a")
    assert "a" not in departed


def test_ids_that_nobody_forgets_are_pushed_out_oldest_first() -> None:
    departed = Departed()
    for number in range(MAX_DEPARTED + 1):
        departed.add(str(number))
    assert "0" not in departed
    assert "1" in departed
    assert str(MAX_DEPARTED) in departed
