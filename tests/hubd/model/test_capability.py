import pytest

from hubd.model import KeypadCapability


@pytest.mark.parametrize(
    ("keypad", "lengths"),
    [
        (KeypadCapability(slots=1), (4, 5, 6, 7, 8)),
        (KeypadCapability(slots=1, min_length=6, max_length=6), (6,)),
        (KeypadCapability(slots=1, lengths=(4, 8)), (4, 8)),
        (KeypadCapability(slots=1, min_length=5, max_length=4), ()),
    ],
)
def test_the_lengths_that_a_keypad_takes(keypad: KeypadCapability, lengths: tuple[int, ...]) -> None:
    assert keypad.code_lengths == lengths
