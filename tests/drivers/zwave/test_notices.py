import pytest
from hubd_drivers.zwave import notices
from hubd_drivers.zwave.events import Notified
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("notice", "expected"),
    [
        (Notified(2, 6, 1), (True, "manual", None)),
        (Notified(2, 6, 2), (False, "manual", None)),
        (Notified(2, 6, 3), (True, "remote", None)),
        (Notified(2, 6, 4), (False, "remote", None)),
        (Notified(2, 6, 5, 7), (True, "keycode", 7)),
        (Notified(2, 6, 6, 7), (False, "keycode", 7)),
        (Notified(2, 6, 6), (False, "keycode", None)),
        (Notified(2, 6, 9), (True, "automatic", None)),
        (Notified(2, 6, 36, 7, 1), (False, "keycode", 7)),
        (Notified(2, 6, 36, 7, 5), (False, "card", 7)),
        (Notified(2, 6, 35, 7, 9), (True, "unknown", None)),
        (Notified(2, 6, 35, 7), (True, "unknown", None)),
        (Notified(2, 6, 14, 7), None),
        (Notified(2, 7, 1), None),
    ],
)
def test_uses(notice: Notified, expected: tuple[object, ...] | None) -> None:
    use = notices.use_of(notice)
    assert (None if use is None else tuple(use)) == expected


def test_refusals_name_their_reason() -> None:
    reasons = {event: found.reason for event in range(64) if (found := notices.denial_of(notices.ACCESS, event))}
    assert reasons == {
        16: "too_many_attempts",
        19: "too_many_attempts",
        20: "unknown_code",
        21: "unknown_code",
        47: "blocklisted_code",
        48: "expired_code",
        49: "credential_error",
        50: "unknown_code",
    }
    wrong = notices.denial_of(notices.SECURITY, 4)
    assert wrong is not None
    assert wrong.reason == "unknown_code"


def test_jams_tampering_and_batteries() -> None:
    assert [event for event in range(64) if notices.is_jam(notices.ACCESS, event)] == [7, 8, 10, 11]
    assert [event for event in range(20) if notices.is_tampering(notices.SECURITY, event, of_a_lock=False)] == [
        3,
        9,
        10,
    ]
    assert notices.is_tampering(notices.SECURITY, 2, of_a_lock=True)
    assert [event for event in range(20) if notices.is_battery_low(notices.POWER, event)] == [10, 11, 14, 15]
    assert [event for event in range(20) if notices.is_charge_low(notices.POWER, event)] == [14, 15]


@given(
    st.builds(Notified, st.just(2), st.integers(), st.integers(), st.none() | st.integers(), st.none() | st.integers())
)
def test_no_notification_is_too_odd(notice: Notified) -> None:
    use = notices.use_of(notice)
    assert use is None or isinstance(use.locked, bool | None)
    denial = notices.denial_of(notice.type, notice.event)
    assert denial is None or notice.type in {notices.ACCESS, notices.SECURITY}
    assert notices.is_tampering(notice.type, notice.event, of_a_lock=True) in {True, False}
