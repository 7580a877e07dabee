from hypothesis import given
from hypothesis import strategies as st

from wsgid.channel.stack import MAX_STACK, shortened


def test_an_ordinary_one_is_as_it_was() -> None:
    text = '  File "/app/wsgi.py", line 3, in café\n    wait()\n' * 100
    assert shortened(text) == text


def test_of_a_long_one_the_middle_is_left_out() -> None:
    lines = [f'  File "/app/wsgi.py", line {number}, in again\n' for number in range(5000)]
    text = "".join(lines)
    short = shortened(text)
    assert len(short) <= MAX_STACK
    head, told, tail = short.partition("  (")
    assert text.startswith(head)
    assert text.endswith(tail.partition("\n")[2])
    assert head.endswith("in again\n")
    left_out = len(text) - len(head) - len(tail.partition("\n")[2])
    assert f"{told}{tail}".startswith(f"  ({left_out} characters are left out here)\n  File")


def test_one_line_is_cut_as_well() -> None:
    short = shortened("x" * MAX_STACK * 2)
    assert len(short) <= MAX_STACK
    assert "characters are left out here" in short


def test_what_is_no_unicode_is_escaped() -> None:
    assert shortened('File "caf\udce9.py"') == 'File "caf\\udce9.py"'


@given(st.text().map(lambda text: text * 9000))
def test_any_text_fits(text: str) -> None:
    assert len(shortened(text).encode()) <= MAX_STACK
