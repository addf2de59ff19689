from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.model.state import DeviceState
from hubd.store.records import EPOCH, DeviceRecord, micros, moment
from tests.support.store import device


@given(st.datetimes(timezones=st.timezones()))
def test_a_time_survives_to_the_microsecond_in_utc(when: datetime) -> None:
    assert moment(micros(when)) == when.astimezone(UTC)
    assert moment(micros(when)).tzinfo is UTC


def test_times_before_1970_count_backwards() -> None:
    assert micros(EPOCH - timedelta(microseconds=1)) == -1
    assert micros(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == 0


@pytest.mark.parametrize(("nickname", "name"), [(None, "Room 1"), ("", "Room 1"), ("Suite", "Suite")])
def test_the_nickname_goes_before_the_devices_own_name(nickname: str | None, name: str) -> None:
    record = DeviceRecord(device("Room 1"), DeviceState(), is_managed=True, found_at=EPOCH, nickname=nickname)
    assert record.name == name
