"""PINs: whether a lock takes one, and choosing one that it takes. Pure; no PIN is ever part of a sentence or an error.

Of the other codes on a lock the hub has only keyed marks. So whoever asks here brings functions that mark a PIN, or the
first digits of one (`prefix`), and tell whether that mark is among those of the lock.
"""

import re
import secrets
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from string import digits
from typing import Final

from hubd.model.capability import CodeRule, KeypadCapability
from hubd.model.errors import RefusedError

type Taken = Callable[[str], bool]
"""Whether another code on the lock has exactly these digits: as its PIN, or as the first ones of it."""

USUAL_LENGTH: Final = 6
"""A lock with 30 codes is opened by one guess in 333 at four digits, by one in 33,333 at six. More digits add little to
that on a keypad that pauses after wrong PINs, and are more for a guest to remember and to type wrong."""
TRIES: Final = 500
"""Draws before looking through all PINs of a length. If a tenth of them is left, all miss once in 10^22 times."""
EXHAUSTIBLE: Final = 10_000
"""How many PINs are looked through one by one, at most: every one of four digits, in some 50 ms. A length with more is
given up after `TRIES`; no lock has the slots to use up so many."""

_PREFIX: Final = 4
_FEWEST_UNIQUE: Final = 3
_YEAR: Final = re.compile(r"(?:19|20)\d\d")


def _steps(pin: str) -> list[int]:
    return [int(after) - int(before) for before, after in pairwise(pin)]


def _is_sequence(pin: str) -> bool:
    return set(_steps(pin)) in ({1}, {-1})


def _has_triple(pin: str) -> bool:
    return any(first == second and abs(first) <= 1 for first, second in pairwise(_steps(pin)))


_MISSING_KEYS: Final[dict[CodeRule, str]] = {
    "no_zeros": "0",
    "cannot_contain_089": "089",
    "cannot_contain_0789": "0789",
}
"""Digits that no PIN has, most often because the keypad has no such key."""

_SHAPES: Final[dict[CodeRule, tuple[Callable[[str], bool], str]]] = {
    "cannot_start_with_12": (
        lambda pin: pin.startswith("12"),
        "This lock takes no PIN that starts with the digits 1 and 2.",
    ),
    # Seam: "No more than three digits in a row can be consecutive or the same". Its name says that three are too many
    # already, which is the safe reading: what it lets pass, the other one does too. 9 and 0 are not consecutive.
    "no_triple_consecutive_ints": (
        _has_triple,
        "This lock takes no PIN with three digits in a row that are the same or go up or down by one.",
    ),
    # Seam: "cannot consist of a sequence of consecutive digits"; a sequence within a PIN is no matter.
    "no_ascending_or_descending_sequence": (
        _is_sequence,
        "This lock takes no PIN whose digits all go up or all go down by one.",
    ),
    "at_least_three_unique_digits": (
        lambda pin: len(set(pin)) < _FEWEST_UNIQUE,
        "This lock takes only PINs with at least three different digits.",
    ),
    "no_all_same_digits": (
        lambda pin: len(set(pin)) == 1,
        "This lock takes no PIN whose digits are all the same.",
    ),
}


def broken_rule(pin: str, keypad: KeypadCapability) -> str | None:
    """Say which rule of the lock a PIN breaks, or None. For what depends on other PINs, see `prefix_conflict`."""
    if not set(pin) <= set(digits):
        return "A PIN is made of the digits 0 to 9 and nothing else."
    if not keypad.code_lengths:
        return "This lock takes no PINs of any length."
    if len(pin) not in keypad.code_lengths:
        return f"The PINs of this lock have {_count(keypad.code_lengths)} digits, and this one has {len(pin)}."
    for rule in keypad.rules:
        if (missing := _MISSING_KEYS.get(rule)) is not None and set(pin) & set(missing):
            return f"This lock takes no PIN with the digit {_any_of(missing)}."
        if (shape := _SHAPES.get(rule)) is not None and shape[0](pin):
            return shape[1]
    return None


def prefix(pin: str) -> str:
    """Return the digits that `unique_first_four_digits` is about: the first four, or all of a shorter PIN."""
    return pin[:_PREFIX]


def prefix_conflict(pin: str, keypad: KeypadCapability, prefix_taken: Taken) -> str | None:
    """Say that the lock cannot tell a PIN from another one on it by their first digits, or None.

    `prefix_taken` is asked only if the lock has that rule (`unique_first_four_digits`), and only of `prefix(pin)`.
    """
    if "unique_first_four_digits" in keypad.rules and prefix_taken(prefix(pin)):
        return "This lock takes no two PINs with the same first four digits, and another code on it has these."
    return None


def is_trivial(pin: str) -> bool:
    """Whether a PIN is among the first that anybody would try.

    That is: going up or down by one all the way (a 0 may follow the 9, as on the keypad); one part again and again
    (0000, 1212, 123123); each digit twice (1122); a year (1984).
    """
    length = len(pin)
    return (
        {step % 10 for step in _steps(pin)} in ({1}, {9})
        or any(pin == pin[:part] * (length // part) for part in range(1, length // 2 + 1))
        or pin[::2] == pin[1::2]
        or _YEAR.fullmatch(pin) is not None
    )


def _must_be_given(_: str) -> bool:
    raise ValueError("a lock with the rule unique_first_four_digits: prefix_taken is needed")


def choose(
    keypad: KeypadCapability,
    taken: Taken,
    length: int | None = None,
    randbelow: Callable[[int], int] = secrets.randbelow,
    prefix_taken: Taken = _must_be_given,
) -> str:
    """Draw a PIN that the lock takes and no other code on it has, each with the same chance.

    It has `length` digits if the lock takes that, else as near to it as can be, the longer of two; without a wish, see
    `USUAL_LENGTH`. Only if nothing else is left, it has another length; only if still nothing is, it is trivial.
    For `prefix_taken`, which a lock with that rule needs, see `prefix_conflict`. Raises `RefusedError` (`no_pin_left`).
    """

    def is_free(pin: str) -> bool:
        is_allowed = broken_rule(pin, keypad) is None
        return is_allowed and not taken(pin) and prefix_conflict(pin, keypad, prefix_taken) is None

    keys = _keys(keypad)
    for is_fit in (lambda pin: not is_trivial(pin) and is_free(pin), is_free):
        for size in _preferred(keypad.code_lengths, length):
            if (pin := _draw(keys, size, is_fit, randbelow)) is not None:
                return pin
    raise RefusedError("no_pin_left", "No PIN is left for this lock: all are in use on it or break its rules.")


def _keys(keypad: KeypadCapability) -> str:
    missing = {digit for rule in keypad.rules for digit in _MISSING_KEYS.get(rule, "")}
    return "".join(digit for digit in digits if digit not in missing)


def _preferred(lengths: tuple[int, ...], wished: int | None) -> list[int]:
    """Return lengths, best first. Without a wish: the usual one, else the next shorter one, else the shortest."""
    usual = max((size for size in lengths if size <= USUAL_LENGTH), default=min(lengths, default=0))
    first = usual if wished is None else wished
    return sorted(lengths, key=lambda size: (abs(size - first), -size))


def _draw(keys: str, size: int, is_fit: Callable[[str], bool], randbelow: Callable[[int], int]) -> str | None:
    for _ in range(TRIES):
        pin = "".join(keys[randbelow(len(keys))] for _ in range(size))
        if is_fit(pin):
            return pin
    if len(keys) ** size > EXHAUSTIBLE:
        return None
    left = [pin for pin in map("".join, product(keys, repeat=size)) if is_fit(pin)]
    return left[randbelow(len(left))] if left else None


def _count(lengths: tuple[int, ...]) -> str:
    """Write lengths: `6`, `4 or 6`, and three or more without a gap as `4 to 8`."""
    if lengths[-1] - lengths[0] == len(lengths) - 1 > 1:
        return f"{lengths[0]} to {lengths[-1]}"
    return _any_of(tuple(map(str, lengths)))


def _any_of(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
