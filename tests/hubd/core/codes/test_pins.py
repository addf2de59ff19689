import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.core.codes.pins import (
    EXHAUSTIBLE,
    TRIES,
    Taken,
    broken_rule,
    choose,
    is_trivial,
    prefix,
    prefix_conflict,
)
from hubd.model import KeypadCapability
from hubd.model.capability import CodeRule
from hubd.model.errors import RefusedError

RULES: tuple[CodeRule, ...] = get_args(CodeRule.__value__)
OPEN = KeypadCapability(slots=30)

BROKEN_AND_KEPT: dict[CodeRule, tuple[list[str], list[str]]] = {
    "no_zeros": (["1023", "5550", "0481"], ["1923"]),
    "cannot_start_with_12": (["1296", "12121212"], ["2196", "9129", "1396"]),
    "no_triple_consecutive_ints": (
        ["1237", "9321", "48765", "5550", "905551"],
        ["1245", "9089", "5588", "3575", "890154"],
    ),
    "no_ascending_or_descending_sequence": (["1234", "456789", "9876", "3210"], ["1235", "1233", "2468", "7890"]),
    "at_least_three_unique_digits": (["1111", "1212", "121122"], ["1213", "9087"]),
    "cannot_contain_089": (["1204", "1824", "1294"], ["1237"]),
    "cannot_contain_0789": (["1204", "1824", "1294", "1274"], ["1236"]),
    "unique_first_four_digits": ([], ["4711", "47110815"]),
    "no_all_same_digits": (["0000", "77777777"], ["0001", "7770"]),
}
"""By rule: PINs that break it, and PINs that do not. The one about other PINs is never broken by a PIN alone."""


def nobody(_: str) -> bool:
    return False


def keypad(*rules: CodeRule, lengths: tuple[int, ...] = ()) -> KeypadCapability:
    return KeypadCapability(slots=30, rules=rules, lengths=lengths)


def all_of(size: int) -> Iterator[str]:
    return map("".join, product("0123456789", repeat=size))


def of_seed(seed: int) -> Callable[[int], int]:
    return random.Random(seed).randrange


def never_hits(last: int) -> Callable[[int], int]:
    """Draw zeros as often as there are tries, for a length of four, and then `last`."""
    draws = iter([0] * (4 * TRIES) + [last])
    return lambda _: next(draws)


# ------------------------------------------------------------------------------------------- what a lock takes


def test_every_rule_has_its_examples() -> None:
    assert set(BROKEN_AND_KEPT) == set(RULES)


@pytest.mark.parametrize(("rule", "pin"), [(rule, pin) for rule, (bad, _) in BROKEN_AND_KEPT.items() for pin in bad])
def test_a_pin_that_breaks_a_rule(rule: CodeRule, pin: str) -> None:
    assert broken_rule(pin, OPEN) is None
    assert (broken_rule(pin, keypad(rule)) or "").startswith("This lock takes ")


@pytest.mark.parametrize(("rule", "pin"), [(rule, pin) for rule, (_, good) in BROKEN_AND_KEPT.items() for pin in good])
def test_a_pin_that_keeps_to_a_rule(rule: CodeRule, pin: str) -> None:
    assert broken_rule(pin, keypad(rule)) is None


@pytest.mark.parametrize("pin", ["12a4", "12 4", "-123", "1٢34", "１２３４", "12²4", "1234\n"])  # noqa: RUF001
def test_only_the_ten_digits_of_a_keypad_make_a_pin(pin: str) -> None:
    assert broken_rule(pin, OPEN) == "A PIN is made of the digits 0 to 9 and nothing else."


@pytest.mark.parametrize(
    ("lengths", "pin", "said"),
    [
        ((), "471", "The PINs of this lock have 4 to 8 digits, and this one has 3."),
        ((), "", "The PINs of this lock have 4 to 8 digits, and this one has 0."),
        ((), "471108154", "The PINs of this lock have 4 to 8 digits, and this one has 9."),
        ((6,), "4711", "The PINs of this lock have 6 digits, and this one has 4."),
        ((4, 5), "471108", "The PINs of this lock have 4 or 5 digits, and this one has 6."),
        ((4, 6, 8), "47110", "The PINs of this lock have 4, 6 or 8 digits, and this one has 5."),
    ],
)
def test_a_wrong_length_is_told_with_the_right_ones(lengths: tuple[int, ...], pin: str, said: str) -> None:
    assert broken_rule(pin, keypad(lengths=lengths)) == said


@pytest.mark.parametrize(
    ("rule", "pin", "said"),
    [
        ("no_zeros", "4070", "This lock takes no PIN with the digit 0."),
        ("cannot_contain_089", "4111118", "This lock takes no PIN with the digit 0, 8 or 9."),
    ],
)
def test_a_digit_that_a_keypad_does_not_have_is_named(rule: CodeRule, pin: str, said: str) -> None:
    assert broken_rule(pin, keypad(rule)) == said


def test_a_keypad_without_any_length_takes_nothing() -> None:
    nothing = KeypadCapability(slots=30, min_length=5, max_length=4)
    assert broken_rule("4711", nothing) == "This lock takes no PINs of any length."
    with pytest.raises(RefusedError, match="No PIN is left"):
        choose(nothing, nobody)


@given(st.text("0123456789abc", min_size=3, max_size=12), st.sets(st.sampled_from(RULES)))
def test_what_is_said_of_a_pin_never_holds_it(pin: str, rules: set[CodeRule]) -> None:
    assert pin not in (broken_rule(pin, keypad(*rules, lengths=(4, 6))) or "")
    assert pin not in (prefix_conflict(pin, keypad(*rules), {prefix(pin)}.__contains__) or "")


def test_two_pins_that_begin_alike_are_told_apart_by_most_locks_only() -> None:
    picky, others = keypad("unique_first_four_digits"), {prefix("471108")}
    assert prefix_conflict("471199", OPEN, others.__contains__) is None
    assert prefix_conflict("471299", picky, others.__contains__) is None
    assert (prefix_conflict("471199", picky, others.__contains__) or "").startswith("This lock takes no two PINs")


# ------------------------------------------------------------------------------------------- choosing


@pytest.mark.parametrize(
    "pin",
    ["0000", "1234", "4321", "7890", "0987", "1212", "1122", "1984", "2031", "123123", "112233", "987654", "90123"],
)
def test_what_everybody_tries_first(pin: str) -> None:
    assert is_trivial(pin)


@pytest.mark.parametrize("pin", ["4711", "1243", "2468", "1800", "2100", "198407", "123124", "112234", "1221"])
def test_what_nobody_tries_first(pin: str) -> None:
    assert not is_trivial(pin)


def test_few_pins_of_four_digits_are_trivial() -> None:
    years, up, down, as_1212, as_1122, same, years_as_1212 = 200, 10, 10, 100, 100, 10, 2
    assert sum(map(is_trivial, all_of(4))) == years + up + down + as_1212 + as_1122 - same - years_as_1212


@given(
    st.sets(st.sampled_from(RULES)),
    st.lists(st.integers(3, 9), min_size=1, max_size=4, unique=True).map(lambda sizes: tuple(sorted(sizes))),
    st.none() | st.integers(0, 12),
    st.sets(st.sampled_from("0123456789"), max_size=6),
    st.integers(),
)
def test_a_chosen_pin_is_one_that_the_lock_takes(
    rules: set[CodeRule], lengths: tuple[int, ...], wished: int | None, busy: set[str], seed: int
) -> None:
    lock = keypad(*rules, lengths=lengths)

    def taken(pin: str) -> bool:
        return pin[-1] in busy

    def prefix_taken(four: str) -> bool:
        assert four == four[:4]
        return four[1] in busy

    def is_free(pin: str) -> bool:
        return broken_rule(pin, lock) is None and prefix_conflict(pin, lock, prefix_taken) is None and not taken(pin)

    try:
        chosen = choose(lock, taken, wished, of_seed(seed), prefix_taken)
    except RefusedError:
        assert not any(is_free(pin) for size in (3, 4) for pin in all_of(size))
    else:
        assert is_free(chosen)
        assert not is_trivial(chosen)


@pytest.mark.parametrize(
    ("lengths", "wished", "chosen"),
    [
        ((4, 5, 6, 7, 8), None, 6),
        ((4, 5), None, 5),
        ((4, 8), None, 4),
        ((7, 8), None, 7),
        ((4, 6, 8), 4, 4),
        ((4, 5, 6), 8, 6),
        ((6, 8), 4, 6),
        ((4, 6, 8), 5, 6),
        ((4, 5, 9), 7, 9),
    ],
)
def test_the_length_is_the_wished_one_or_the_nearest(lengths: tuple[int, ...], wished: int | None, chosen: int) -> None:
    assert {len(choose(keypad(lengths=lengths), nobody, wished)) for _ in range(20)} == {chosen}


def test_every_permitted_pin_is_drawn_as_often_as_the_others() -> None:
    lock, draw = keypad("no_zeros", "no_triple_consecutive_ints", lengths=(3,)), of_seed(20260301)
    permitted = [pin for pin in all_of(3) if broken_rule(pin, lock) is None and not is_trivial(pin) and pin[0] != "5"]
    each = 40
    drawn = Counter(choose(lock, lambda pin: pin[0] == "5", randbelow=draw) for _ in range(each * len(permitted)))
    assert set(drawn) == set(permitted)
    chi_square = sum((drawn[pin] - each) ** 2 / each for pin in permitted)
    freedom = len(permitted) - 1
    assert abs(chi_square - freedom) < 4 * (2 * freedom) ** 0.5  # four standard deviations, to both sides


def test_the_last_ones_are_found_each_with_the_same_chance() -> None:
    left = ["0481", "4711", "9073"]
    found = [choose(keypad(lengths=(4,)), taken_but(left), None, never_hits(last)) for last in range(len(left))]
    assert found == left


def taken_but(left: list[str]) -> Taken:
    return lambda pin: pin not in left


@pytest.mark.parametrize("last", ["1234", "1984", "0000"])
def test_a_trivial_pin_is_the_last_that_is_taken(last: str) -> None:
    lock = keypad(lengths=(4,))
    assert choose(lock, taken_but([last])) == last
    assert choose(lock, taken_but([last, "4711"])) == "4711"


def test_another_length_comes_before_a_trivial_pin() -> None:
    pin = choose(keypad(lengths=(4, 6)), lambda pin: len(pin) == 4 and not is_trivial(pin), 4)
    assert len(pin) == 6


@pytest.mark.parametrize("lengths", [(4,), (4, 5, 6, 7, 8)])
def test_a_lock_without_a_pin_left_is_told(lengths: tuple[int, ...]) -> None:
    with pytest.raises(RefusedError) as refused:
        choose(keypad(lengths=lengths), lambda _: True)
    assert refused.value.code == "no_pin_left"


def test_rules_that_leave_nothing_are_told_too() -> None:
    with pytest.raises(RefusedError, match="break its rules"):
        choose(keypad("at_least_three_unique_digits", lengths=(2,)), nobody)


def test_pins_that_begin_alike_are_not_chosen() -> None:
    lock = keypad("unique_first_four_digits", lengths=(6,))
    assert all(choose(lock, nobody, None, of_seed(n), lambda four: four[0] != "7")[0] == "7" for n in range(50))


def test_forgetting_the_marks_of_prefixes_is_a_defect() -> None:
    with pytest.raises(ValueError, match="prefix_taken"):
        choose(keypad("unique_first_four_digits"), nobody)


def test_all_pins_of_four_digits_can_be_looked_through() -> None:
    assert EXHAUSTIBLE >= 10**4
