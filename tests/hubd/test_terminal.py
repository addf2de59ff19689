import pytest

from hubd.terminal import plain


@pytest.mark.parametrize("text", ["", "Room 101", "Zoë 部屋 🔒", "👩\u200d🔧"])
def test_what_people_write_stays(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", "?[2J?]0;owned?"),
        ("one\r\ntwo\tthree\u00a0four\u2028five", "one  two three four five"),
        ("\u202e101\u202c \u009b31m \x7f", "?101? ?31m ?"),
        ("\ud83d", "?"),
    ],
)
def test_nothing_moves_the_cursor(text: str, shown: str) -> None:
    assert plain(text) == shown
