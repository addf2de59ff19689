import pytest
from hubd_drivers.zwave import alarms, notices
from hubd_drivers.zwave.events import Notified
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.zwave.strategies import JSON

KWIKSET, YALE, SCHLAGE = alarms.KWIKSET, alarms.YALE, alarms.SCHLAGE
ALL = (KWIKSET, YALE, alarms.YALE_BY_VISION, SCHLAGE)


def said(maker: int | None, alarm_type: object, level: object = 1) -> Notified | None:
    return alarms.translate(2, maker, alarm_type, level)


@pytest.mark.parametrize("maker", ALL)
@pytest.mark.parametrize(
    ("alarm_type", "level", "expected"),
    [
        (18, 3, (True, "keycode", 3)),
        (18, 0, (True, "keycode", None)),
        (19, 3, (False, "keycode", 3)),
        (19, 251, (False, "keycode", None)),
        (21, 1, (True, "manual", None)),
        (22, 1, (False, "manual", None)),
        (24, 1, (True, "remote", None)),
        (25, 1, (False, "remote", None)),
        (27, 1, (True, "automatic", None)),
    ],
)
def test_uses(maker: int, alarm_type: int, level: int, expected: tuple[object, ...]) -> None:
    found = said(maker, alarm_type, level)
    assert found is not None
    use = notices.use_of(found)
    assert use is not None
    assert tuple(use) == expected
    assert found.is_legacy


@pytest.mark.parametrize(
    ("maker", "alarm_type", "level", "expected"),
    [
        (YALE, 144, 7, (False, "card", 7)),
        (YALE, 21, 2, (True, "keycode", None)),
        (SCHLAGE, 21, 2, (True, "keycode", None)),
        (KWIKSET, 21, 2, (True, "manual", None)),
        (SCHLAGE, 16, 4, (False, "keycode", 4)),
    ],
)
def test_uses_that_only_some_makers_tell(maker: int, alarm_type: int, level: int, expected: tuple[object, ...]) -> None:
    found = said(maker, alarm_type, level)
    assert found is not None
    assert tuple(notices.use_of(found) or ()) == expected


@pytest.mark.parametrize("maker", ALL)
def test_jams_batteries_and_disabled_users(maker: int) -> None:
    jams = [kind for kind in range(256) if (found := said(maker, kind)) and notices.is_jam(found.type, found.event)]
    assert jams == [9, 17, 23, 26]
    low = [
        kind for kind in range(256) if (found := said(maker, kind)) and notices.is_battery_low(found.type, found.event)
    ]
    assert low == [167, 168, 169]
    disabled = said(maker, 131, 4)
    assert disabled is not None
    denial = notices.denial_of(disabled.type, disabled.event)
    assert denial is not None
    assert denial.reason == "blocklisted_code"


@pytest.mark.parametrize(
    ("maker", "alarm_type", "level", "reason"),
    [
        (KWIKSET, 161, 1, "unknown_code"),
        (YALE, 161, 1, "too_many_attempts"),
        (SCHLAGE, 161, 1, "too_many_attempts"),
        (SCHLAGE, 96, 255, "too_many_attempts"),
        (KWIKSET, 162, 5, "expired_code"),
        (YALE, 132, 5, "expired_code"),
    ],
)
def test_refusals(maker: int, alarm_type: int, level: int, reason: str) -> None:
    found = said(maker, alarm_type, level)
    assert found is not None
    denial = notices.denial_of(found.type, found.event)
    assert denial is not None
    assert denial.reason == reason


@pytest.mark.parametrize("maker", [YALE, SCHLAGE])
def test_a_cover_that_was_taken_off(maker: int) -> None:
    found = said(maker, 161, 2)
    assert found is not None
    assert notices.is_tampering(found.type, found.event, of_a_lock=True)


def test_what_tells_nothing() -> None:
    assert said(KWIKSET, 0, 0) is None
    assert said(KWIKSET, 200) is None
    assert said(SCHLAGE, 96, 0) is None
    assert said(YALE, 16) is None
    assert said(None, 22) is None
    assert said(0x10E, 22) is None, "the numbers are the makers' own"
    codes = [said(KWIKSET, kind, 3) for kind in (32, 33, 112, 113)]
    assert all(found is not None and notices.use_of(found) is None for found in codes)


@given(st.sampled_from(ALL) | st.none() | st.integers(), JSON, JSON)
def test_no_alarm_is_too_odd(maker: int | None, alarm_type: object, level: object) -> None:
    found = said(maker, alarm_type, level)
    assert found is None or found.is_legacy
