from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hubd.core.codes.space import Frame, Room, has_room, is_nearly_full, measure, peak, usable_slots
from hubd.model import KeypadCapability
from tests.support.clock import NOON

FOREVER: Frame = (None, None)
HOURS = range(12)


def hour(number: int | None) -> datetime | None:
    return None if number is None else NOON + timedelta(hours=number)


def frame(start: int | None, end: int | None) -> Frame:
    """Build a frame of hours after noon."""
    return hour(start), hour(end)


hours = st.none() | st.sampled_from(HOURS)
anything = st.builds(frame, hours, hours)
"""Any frame, those that end before they start among them."""
stays = anything.filter(lambda one: one[0] is None or one[1] is None or one[0] < one[1])


def holds(one: Frame, at: datetime) -> bool:
    start, end = one
    return (start is None or start <= at) and (end is None or at < end)


def looked_at_hour_by_hour(frames: list[Frame], within: Frame) -> int:
    """Count at every hour, from one before all of them to the last."""
    instants = [NOON + timedelta(hours=number) for number in (-1, *HOURS)]
    return max(sum(holds(one, at) for one in frames) if holds(within, at) else 0 for at in instants)


@given(st.lists(anything, max_size=12), anything)
def test_the_peak_is_what_looking_at_every_instant_finds(frames: list[Frame], within: Frame) -> None:
    assert peak(frames, within) == looked_at_hour_by_hour(frames, within)


@pytest.mark.parametrize(
    ("frames", "within", "expected"),
    [
        ([], FOREVER, 0),
        ([FOREVER, FOREVER], frame(1, 2), 2),
        ([frame(0, 2), frame(2, 4)], FOREVER, 1),
        ([frame(0, 2), frame(1, 4)], FOREVER, 2),
        ([frame(0, 2), frame(1, 4)], frame(2, 9), 1),
        ([frame(0, 2)], frame(2, 4), 0),
        ([frame(4, None)], frame(2, 4), 0),
        ([frame(None, 2), frame(4, None)], FOREVER, 1),
        ([frame(3, 3)], FOREVER, 0),
        ([FOREVER], frame(4, 2), 0),
    ],
    ids=[
        "nobody",
        "codes without an end",
        "one goes at the instant another comes",
        "they overlap",
        "they overlap before the frame",
        "over when the frame begins",
        "begins when the frame is over",
        "never at one time",
        "a frame without an instant",
        "within no instant",
    ],
)
def test_who_is_there_at_one_time(frames: list[Frame], within: Frame, expected: int) -> None:
    assert peak(frames, within) == expected


def test_an_instant_is_the_same_in_every_zone() -> None:
    east = timezone(timedelta(hours=5))
    assert peak([frame(0, 2), (NOON.astimezone(east) + timedelta(hours=2), None)], FOREVER) == 1


def test_reserved_slots_are_not_for_use() -> None:
    assert usable_slots(KeypadCapability(slots=30)) == 30
    assert usable_slots(KeypadCapability(slots=30, reserved_slots=(1, 1, 30, 251))) == 28


def test_room_counts_those_of_now_and_those_of_the_frame() -> None:
    keypad = KeypadCapability(slots=5, reserved_slots=(1,))
    others = [FOREVER, frame(-3, 0), frame(-3, 1), frame(0, 1), frame(5, 9), frame(6, 7)]
    assert measure(keypad, others, frame(5, 6), NOON) == Room(slots=4, used_now=3, peak=2)


@pytest.mark.parametrize(("others", "fits"), [(0, True), (3, True), (4, False), (5, False)])
def test_one_more_fits_while_a_slot_is_left(others: int, *, fits: bool) -> None:
    room = measure(KeypadCapability(slots=5, reserved_slots=(1,)), [FOREVER] * others, frame(1, 2), NOON)
    assert has_room(room) is fits


def test_a_lock_that_is_full_now_has_room_later() -> None:
    keypad = KeypadCapability(slots=2)
    guests = [frame(0, 2), frame(0, 3)]
    assert not has_room(measure(keypad, guests, frame(1, 4), NOON))
    assert has_room(measure(keypad, guests, frame(2, 4), NOON))


@given(st.lists(stays, max_size=12), stays, st.integers(0, 5))
def test_room_is_exactly_what_filling_the_slots_as_codes_come_finds(
    guests: list[Frame], new: Frame, slots: int
) -> None:
    assume(fills(guests, slots))
    assert has_room(measure(KeypadCapability(slots=slots), guests, new, NOON)) is fills([*guests, new], slots)


def fills(guests: list[Frame], slots: int) -> bool:
    """Put each guest, when they come, into the first slot that is free, and never move them."""
    before = datetime.min.replace(tzinfo=UTC)
    free_from = [before] * slots
    for start, end in sorted(guests, key=lambda one: one[0] or before):
        free = next((slot for slot in range(slots) if free_from[slot] <= (start or before)), None)
        if free is None:
            return False
        free_from[free] = end or datetime.max.replace(tzinfo=UTC)
    return True


@pytest.mark.parametrize(
    ("active", "slots", "expected"),
    [(23, 30, False), (24, 30, True), (30, 30, True), (31, 30, True), (3, 4, False), (0, 1, False), (0, 0, True)],
)
def test_a_lock_is_nearly_full_from_four_fifths(active: int, slots: int, *, expected: bool) -> None:
    assert is_nearly_full(active, slots) is expected
