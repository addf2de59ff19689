from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from hubd.api.access_codes import ReportConstraints
from hubd.api.code_params import exact_time, may_be_modified, new_time, plain_name, refuse_offline_code
from hubd.api.params import from_json
from hubd.api.shared_codes import CreateCodes
from hubd.model.errors import InvalidInputError, RefusedError

NOBODY = b"00000000-0000-4000-8000-000000000000"
FIRST, LAST = datetime(1971, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001 - Hypothesis wants bounds without a zone


@given(st.datetimes(FIRST, LAST, timezones=st.timezones()))
def test_any_time_with_an_offset_is_taken(moment: datetime) -> None:
    found = exact_time("ends_at", moment.isoformat())
    assert found is not None
    assert found.tzinfo is UTC
    assert abs((found - moment).total_seconds()) < 60  # old zones have seconds in their offsets


@pytest.mark.parametrize(
    "text",
    ["", "now", "2031-05-04", "2031-05-04T10:00", "2031-05-04 10:00:00", "1969-01-01T00:00Z", "9999-01-01T00:00Z"],
)
def test_what_is_no_exact_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        exact_time("starts_at", text)
    assert caught.value.field == "starts_at"


def test_no_time_and_no_change() -> None:
    assert exact_time("starts_at", None) is None
    assert new_time("starts_at", None) is None
    assert new_time("starts_at", UNSET) is UNSET
    assert new_time("starts_at", "2031-05-04T10:00:00+02:00") == datetime(2031, 5, 4, 8, tzinfo=UTC)


def test_names() -> None:
    assert plain_name("Zoë O'Hara 🚪") == "Zoë O'Hara 🚪"
    assert plain_name("") is plain_name(None) is None
    with pytest.raises(InvalidInputError):
        plain_name("a\x00b")


@pytest.mark.parametrize(
    ("old", "new", "expected"), [(None, None, None), (True, None, True), (None, False, False), (True, True, True)]
)
def test_two_words_for_one_thing(old: bool | None, new: bool | None, expected: bool | None) -> None:  # noqa: FBT001
    assert may_be_modified(old=old, new=new) is expected


def test_two_words_that_differ() -> None:
    with pytest.raises(InvalidInputError):
        may_be_modified(old=True, new=False)


NEITHER: tuple[bool | None, ...] = (None, False)
ONE: tuple[bool | None, ...] = (None, True)


def test_offline_codes() -> None:
    refuse_offline_code(*NEITHER)
    with pytest.raises(RefusedError):
        refuse_offline_code(*ONE)


def test_whole_numbers_may_come_as_floats() -> None:
    taken = from_json(b'{"device_id": "%s", "supported_code_lengths": [4, 6.0]}' % NOBODY, ReportConstraints)
    assert taken.supported_code_lengths == (4, 6)
    assert from_json(b'{"device_ids": ["%s"], "preferred_code_length": 6.0}' % NOBODY, CreateCodes).device_ids
    with pytest.raises(InvalidInputError):
        from_json(b'{"device_id": "%s", "supported_code_lengths": [4.5]}' % NOBODY, ReportConstraints)
