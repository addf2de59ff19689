from collections.abc import Iterable

import pytest
from hubd_drivers.zwave.attribution import LockTracker
from hubd_drivers.zwave.lock import Position
from hubd_drivers.zwave.notices import Use
from hypothesis import given
from hypothesis import strategies as st

from hubd.model import LockSeen

LOCKED, UNLOCKED = True, False
KEYPAD = Use(locked=False, method="keycode", slot=3)
WINDOW = 0.7


def tracker(position: Position = LOCKED) -> LockTracker:
    made = LockTracker("id", WINDOW)
    made.start(position, jammed=False)
    return made


def told(seen: Iterable[LockSeen]) -> list[tuple[object, ...]]:
    return [(one.locked, one.method, one.user_slot) for one in seen]


def test_value_before_notification_is_one_use() -> None:
    lock = tracker()
    assert lock.moved(UNLOCKED, 0.0, 1) == []
    assert told(lock.used(KEYPAD, 0.01)) == [(False, "keycode", 3)]
    assert lock.moved(UNLOCKED, 0.03, 3) == []
    assert lock.flush(5.0) == []


def test_notification_before_value_is_one_use() -> None:
    lock = tracker()
    assert told(lock.used(KEYPAD, 0.0)) == [(False, "keycode", 3)]
    assert lock.moved(UNLOCKED, 0.5, 2) == []
    assert lock.due() is None


def test_a_movement_that_nothing_explains_is_told_after_the_window() -> None:
    lock = tracker()
    assert lock.moved(UNLOCKED, 1.0, 1) == []
    assert lock.due() == pytest.approx(1.0 + WINDOW)
    assert lock.flush(1.5) == []
    assert told(lock.flush(1.8)) == [(False, None, None)]
    assert lock.position is False


def test_a_value_that_says_what_is_known_is_nothing() -> None:
    assert tracker().moved(LOCKED, 0.0, 1) == []


def test_locked_and_unlocked_again_at_once_are_two_movements() -> None:
    lock = tracker()
    assert lock.moved(UNLOCKED, 0.0, 1) == []
    assert told(lock.moved(LOCKED, 0.2, 2)) == [(False, None, None)]
    assert told(lock.flush(1.0)) == [(True, None, None)]


def test_a_notification_sent_twice_is_one_use() -> None:
    lock = tracker()
    assert len(lock.used(KEYPAD, 0.0)) == 1
    assert lock.used(KEYPAD, 0.4) == []
    assert lock.used(Use(UNLOCKED, "keycode"), 0.5) == []
    assert told(lock.used(KEYPAD, 3.0)) == [(False, "keycode", 3)]  # the same code at an open lock, later


def test_the_notification_that_names_the_user_is_not_lost_to_one_that_does_not() -> None:
    lock = tracker()
    lock.used(Use(UNLOCKED, "keycode"), 0.0)
    assert told(lock.used(KEYPAD, 0.1)) == [(False, "keycode", 3)]


def test_an_order_s_own_movement_is_told_by_its_outcome() -> None:
    lock = tracker()
    lock.begin(UNLOCKED)
    assert lock.moved(UNLOCKED, 0.0, 1) == []
    assert lock.used(Use(UNLOCKED, "remote"), 0.1) == []
    lock.end(UNLOCKED, seq=2)
    assert lock.used(Use(UNLOCKED, "remote"), 0.2) == []
    assert lock.moved(UNLOCKED, 0.3, 3) == []
    assert lock.position is False


def test_values_that_arrived_before_the_order_ended_are_void_however_late_they_are_handled() -> None:
    lock = tracker()
    lock.begin(UNLOCKED)
    lock.end(UNLOCKED, seq=7)
    assert lock.moved(LOCKED, 0.0, 6) == []
    assert lock.due() is None
    lock.moved(LOCKED, 0.1, 8)
    assert told(lock.flush(2.0)) == [(True, None, None)]


def test_somebody_at_the_keypad_during_an_order_is_told() -> None:
    lock = tracker()
    lock.begin(LOCKED)
    assert told(lock.used(KEYPAD, 0.0)) == [(False, "keycode", 3)]


def test_a_makers_number_after_the_bolt_went_back_is_a_use_of_its_own() -> None:
    lock = tracker()
    lock.used(Use(UNLOCKED, "manual"), 0.0)
    lock.moved(LOCKED, 0.1, 1)
    assert told(lock.alarmed(Use(UNLOCKED, "manual"), 0.2)) == [(True, None, None)]
    assert told(lock.flush(2.0)) == [(False, "manual", None)]


def test_another_controller_s_order_is_told() -> None:
    assert told(tracker().used(Use(UNLOCKED, "remote"), 0.0)) == [(False, "remote", None)]


def test_after_an_order_without_proof_values_prove_nothing() -> None:
    lock = tracker(position=False)
    lock.begin(LOCKED)
    lock.end(None, seq=1)
    lock.is_verifying = True
    assert lock.moved(LOCKED, 0.0, 2) == []
    assert lock.due() is None
    assert told(lock.read(LOCKED)) == [(True, None, None)]


def test_a_notification_over_the_air_ends_the_doubt() -> None:
    lock = tracker(position=False)
    lock.begin(LOCKED)
    lock.end(None, seq=1)
    lock.is_verifying = True
    assert told(lock.used(Use(LOCKED, "remote"), 0.0)) == [(True, "remote", None)]
    assert not lock.is_verifying


def test_a_jam_and_its_end() -> None:
    lock = tracker()
    jam = lock.jammed(is_jammed=True, position=None)
    assert [(seen.locked, seen.jammed) for seen in jam] == [(None, True)]
    assert lock.jammed(is_jammed=True, position=None) == []
    free = lock.jammed(is_jammed=False, position=True)
    assert [(seen.locked, seen.jammed) for seen in free] == [(True, False)]


def test_where_a_jammed_bolt_is_said_to_be_is_not_told() -> None:
    lock = tracker()
    lock.jammed(is_jammed=True, position=None)
    assert lock.moved(UNLOCKED, 0.0, 1) == []
    assert lock.due() is None
    assert lock.read(UNLOCKED) == []


def test_a_jam_ends_with_the_next_use() -> None:
    lock = tracker()
    lock.jammed(is_jammed=True, position=None)
    lock.moved(LOCKED, 0.0, 1)
    assert told(lock.used(Use(LOCKED, "manual"), 0.01)) == [(True, "manual", None)]
    assert lock.jammed(is_jammed=False, position=True) == []


def test_a_jam_during_an_order_is_told_by_its_outcome() -> None:
    lock = tracker()
    lock.begin(LOCKED)
    assert lock.jammed(is_jammed=True, position=None) == []
    late = tracker()
    late.begin(LOCKED)
    late.end(None, seq=1, jammed=True)
    assert late.jammed(is_jammed=True, position=None) == []


ALARM = Use(UNLOCKED, "keycode", 3)


def test_an_alarm_that_nothing_else_explains_is_the_use() -> None:
    lock = tracker()
    assert lock.alarmed(ALARM, 0.0) == []
    assert lock.moved(UNLOCKED, 0.1, 1) == []
    assert told(lock.flush(1.0)) == [(False, "keycode", 3)]
    assert lock.moved(UNLOCKED, 1.1, 2) == []
    assert lock.alarmed(ALARM, 1.2) == [], "it is sent again by many"
    assert lock.flush(9.0) == []


@pytest.mark.parametrize(
    ("alarm", "notice", "slot", "method"),
    [
        (ALARM, Use(UNLOCKED, "keycode", 5), 5, "keycode"),
        (ALARM, Use(UNLOCKED, "keycode"), 3, "keycode"),
        (Use(UNLOCKED, "manual"), Use(UNLOCKED, "manual"), None, "manual"),
        (Use(UNLOCKED, "card", 4), Use(UNLOCKED, "keycode", 4), 4, "card"),
        (ALARM, Use(UNLOCKED, "manual"), None, "manual"),
    ],
)
def test_an_alarm_and_the_notification_of_the_same_use_are_one(
    alarm: Use, notice: Use, slot: int | None, method: str
) -> None:
    for alarm_first in (True, False):
        lock = tracker()
        seen = [*lock.moved(UNLOCKED, 0.0, 1)]
        for kind in ("alarm", "notice") if alarm_first else ("notice", "alarm"):
            seen += lock.alarmed(alarm, 0.01) if kind == "alarm" else lock.used(notice, 0.01)
        seen += lock.flush(9.0)
        assert len(seen) == 1
        if alarm_first:
            assert told(seen) == [(False, method, slot)]


def test_an_alarm_of_the_other_position_is_another_use() -> None:
    lock = tracker()
    lock.alarmed(ALARM, 0.0)
    assert told(lock.used(Use(LOCKED, "manual"), 0.1)) == [(False, "keycode", 3), (True, "manual", None)]
    lock.moved(UNLOCKED, 2.0, 1)
    assert told(lock.alarmed(Use(LOCKED, "automatic"), 2.1)) == [(False, None, None)]
    assert told(lock.flush(9.0)) == [(True, "automatic", None)]


def test_a_use_told_by_an_alarm_outlives_what_happens_meanwhile() -> None:
    lock = tracker()
    lock.alarmed(ALARM, 0.0)
    lock.begin(LOCKED)
    assert told(lock.flush(1.0)) == [(False, "keycode", 3)]
    jamming = tracker()
    jamming.alarmed(ALARM, 0.0)
    assert told(jamming.jammed(is_jammed=True, position=None)) == [(False, "keycode", 3), (None, None, None)]
    asked = tracker()
    asked.alarmed(ALARM, 0.0)
    assert told(asked.read(UNLOCKED)) == [(False, "keycode", 3)]


def test_an_order_s_own_alarm_is_told_by_its_outcome() -> None:
    lock = tracker()
    lock.begin(UNLOCKED)
    lock.alarmed(Use(UNLOCKED, "remote"), 0.0)
    lock.end(UNLOCKED, seq=1)
    assert lock.flush(9.0) == []


POSITIONS = st.sampled_from([True, False, None])
STEPS = st.one_of(
    st.tuples(st.just("moved"), POSITIONS),
    st.tuples(
        st.sampled_from(["used", "alarmed"]),
        st.builds(Use, st.booleans(), st.sampled_from(["manual", "keycode", "remote"]), st.none()),
    ),
)


@given(st.lists(st.tuples(STEPS, st.floats(0.0, 2.0)), max_size=20))
def test_the_last_thing_told_is_where_the_bolt_is(steps: list[tuple[tuple[str, object], float]]) -> None:
    lock, now = tracker(), 0.0
    last: Position = LOCKED
    where: Position = LOCKED
    for seq, ((kind, what), pause) in enumerate(steps, start=1):
        now += pause
        seen = lock.flush(now)
        if isinstance(what, Use):
            seen += lock.used(what, now) if kind == "used" else lock.alarmed(what, now)
            where = what.locked
        else:
            assert kind == "moved"
            assert what is None or isinstance(what, bool)
            seen += lock.moved(what, now, seq)
            where = what
        last = seen[-1].locked if seen else last
    seen = lock.flush(now + 10)
    assert (seen[-1].locked if seen else last) is where
