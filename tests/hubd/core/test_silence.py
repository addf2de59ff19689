from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.core.silence import AT_ONCE, NO_ANSWER, Silence, flaky_since, hear, tell
from hubd.model import DeviceState, ReachabilitySeen
from hubd.model.event import DeviceConnected, DeviceDisconnected
from hubd.store.records import DROPS, DeviceRecord
from hubd.store.tables import Draft, Overlay, Tables, View
from tests.support.clock import NOON
from tests.support.store import device

LATER = Silence(is_told_at_once=False)
WINDOW = 3600.0
GONE = ReachabilitySeen(native_id="a", online=False, reason="It sleeps.")
HERE = ReachabilitySeen(native_id="a", online=True)
KNOWN = DeviceRecord(
    device("a"), DeviceState(online=True, changed_at=NOON, locked=True), is_managed=True, found_at=NOON
)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def heard(
    record: DeviceRecord, seen: ReachabilitySeen, at: datetime = NOON, silence: Silence = LATER
) -> tuple[DeviceRecord, list[Draft]]:
    """Return what becomes of a record, and the events."""
    view = View(Tables(), Overlay(), at)
    view.put_device(record)
    hear(view, record, seen, silence)
    result = view.device("a")
    assert result is not None
    return result, view.own.drafts


def dropped(record: DeviceRecord, at: datetime, window: float = WINDOW) -> DeviceRecord:
    """Return a record after a told loss, the device being back."""
    silent, _ = heard(record, GONE, at)
    view = View(Tables(), Overlay(), at + timedelta(seconds=30))
    view.put_device(silent)
    tell(view, silent, "It sleeps.", window)
    told = view.device("a")
    assert told is not None
    return heard(told, HERE, at + timedelta(seconds=40))[0]


def test_a_silence_shows_at_once_and_is_no_event_yet() -> None:
    record, events = heard(KNOWN, GONE, after(5))
    assert events == []
    assert record.state == replace(KNOWN.state, online=False, offline_reason="It sleeps.", changed_at=after(5))
    assert record.untold_since == after(5)


def test_a_silence_without_a_reason() -> None:
    record, _ = heard(KNOWN, replace(GONE, reason=None))
    assert record.state.offline_reason == NO_ANSWER


def test_a_return_before_it_was_told_is_no_event_either() -> None:
    silent, _ = heard(KNOWN, GONE, after(5))
    record, events = heard(silent, HERE, after(6))
    assert events == []
    assert record == replace(KNOWN, state=replace(KNOWN.state, changed_at=after(6)))


def test_a_second_word_of_the_same_silence_changes_its_reason_alone() -> None:
    silent, _ = heard(KNOWN, GONE, after(5))
    record, events = heard(silent, replace(GONE, reason="Its battery is out."), after(6))
    assert events == []
    assert record == replace(silent, state=replace(silent.state, offline_reason="Its battery is out."))
    assert heard(record, replace(GONE, reason=None), after(7))[0] == record


def test_telling_gives_the_time_of_the_loss() -> None:
    silent, _ = heard(KNOWN, GONE, after(5))
    view = View(Tables(), Overlay(), after(35))
    view.put_device(silent)
    tell(view, silent, "It sleeps.", WINDOW)
    (draft,) = view.own.drafts
    assert draft.event == DeviceDisconnected(error_code="device_disconnected", reason="It sleeps.", since=after(5))
    assert (draft.public, draft.occurred_at, draft.created_at) == ("device.disconnected", after(5), after(35))
    told = view.device("a")
    assert told is not None
    assert (told.untold_since, told.state.changed_at, told.drops) == (None, after(5), (after(5),))
    record, (back,) = heard(told, HERE, after(50))
    assert (back.event, back.public) == (DeviceConnected(), "device.connected")
    assert record.state.online


def test_without_grace_it_is_told_when_it_is_heard() -> None:
    word = replace(GONE, occurred_at=after(-9))
    record, (draft,) = heard(replace(KNOWN, is_managed=False), word, silence=AT_ONCE)
    assert draft.event == DeviceDisconnected(error_code="device_disconnected", reason="It sleeps.")
    assert (draft.public, draft.occurred_at) == ("device.unmanaged.disconnected", after(-9))
    assert (record.untold_since, record.drops) == (None, (NOON,))


# -- flaky connections


def test_three_losses_within_the_window_make_a_connection_flaky() -> None:
    record = KNOWN
    for seconds in (0, 1700, 3599):
        assert flaky_since(record, after(seconds), WINDOW) is None
        record = dropped(record, after(seconds))
    assert flaky_since(record, after(3640), WINDOW) == after(3629)


def test_two_are_not_enough_nor_are_three_in_a_longer_time() -> None:
    record = dropped(dropped(KNOWN, NOON), after(1700))
    assert flaky_since(record, after(1800), WINDOW) is None
    record = dropped(record, after(3600))
    assert flaky_since(record, after(3640), WINDOW) is None


def test_it_clears_after_a_window_without_a_loss_and_not_before() -> None:
    record = KNOWN
    for seconds in (0, 100, 200, 3700):
        record = dropped(record, after(seconds))
    assert flaky_since(record, after(3740), WINDOW) == after(230), "it has been flaky all the time"
    assert flaky_since(record, after(7299), WINDOW) == after(230)
    assert flaky_since(record, after(7300), WINDOW) is None
    record = dropped(record, after(7300))
    assert flaky_since(record, after(7340), WINDOW) is None, "after a quiet window the count begins anew"


def test_losses_of_a_clock_that_was_ahead_do_not_count() -> None:
    record = dropped(dropped(KNOWN, after(86_400)), after(86_500))
    record = dropped(record, NOON)
    assert flaky_since(record, after(40), WINDOW) is None
    flaky = KNOWN
    for seconds in (86_400, 86_500, 86_600):
        flaky = dropped(flaky, after(seconds))
    assert flaky_since(flaky, after(86_700), WINDOW) is not None
    assert flaky_since(flaky, NOON, WINDOW) is None


@given(st.lists(st.floats(1, 20_000), max_size=12), st.sampled_from([60.0, 3600.0]))
def test_it_is_flaky_just_when_three_losses_came_close_and_none_was_quiet_since(
    gaps: list[float], window: float
) -> None:
    times: list[float] = []
    for gap in gaps:
        times.append((times[-1] if times else 0.0) + round(gap))
    record = KNOWN
    for time in times:
        record = dropped(record, after(time), window)
    assert len(record.drops) <= DROPS
    run: list[float] = []
    is_flaky = False
    for time in times:
        if run and time - run[-1] >= window:
            run, is_flaky = [], False
        run.append(time)
        is_flaky = is_flaky or (len(run) >= DROPS and time - run[-DROPS] < window)
    last = times[-1] if times else 0.0
    assert (flaky_since(record, after(last + 50), window) is not None) is (is_flaky and window > 50)
    assert flaky_since(record, after(last + window), window) is None


@pytest.mark.parametrize("changes", [{"drops": (NOON,)}, {"flaky_since": NOON}])
def test_a_record_that_lacks_one_half_is_not_flaky(changes: dict[str, Any]) -> None:
    assert flaky_since(replace(KNOWN, **changes), NOON, WINDOW) is None
