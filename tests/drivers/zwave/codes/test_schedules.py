"""Schedules through zwave-js's API, by a script."""

from datetime import datetime
from typing import Any

import pytest
from hubd_drivers.zwave.codes.books import Word
from hubd_drivers.zwave.codes.schedules import NOTHING, Kept, Schedules
from hubd_drivers.zwave.codes.walltimes import WallFrame, to_wire
from hubd_drivers.zwave.failures import CommandError, Kind

from tests.drivers.zwave.fakes import FakeLink

WALL = WallFrame(datetime(2027, 3, 27, 15, 0), datetime(2027, 3, 29, 11, 30))  # noqa: DTZ001 - the wall's
WIRE = {
    "startYear": 27,
    "startMonth": 3,
    "startDay": 27,
    "startHour": 15,
    "startMinute": 0,
    "stopYear": 27,
    "stopMonth": 3,
    "stopDay": 29,
    "stopHour": 11,
    "stopMinute": 30,
}
VALUE = {"commandClass": 78, "endpoint": 0, "property": "schedule", "propertyKey": 1 << 16 | 3 << 8 | 1}


def called(link: FakeLink) -> list[tuple[Any, Any]]:
    return [(made["methodName"], made["args"]) for name, made in link.sent if name == "endpoint.invoke_cc_api"]


@pytest.mark.parametrize(
    ("answer", "word"),
    [({"response": {"status": 255}}, Word.STORED), ({"response": {"status": 2}}, Word.REFUSED), ({}, Word.NOTHING)],
)
async def test_what_a_lock_says_to_a_schedule(answer: dict[str, Any], word: Word) -> None:
    link = FakeLink(invoke_cc_api=answer)
    assert await Schedules(link, 7).put(3, WALL) is word
    assert await Schedules(link, 7).erase(3) is word
    at = {"userId": 3, "slotId": 1}
    assert called(link) == [("setYearDaySchedule", [at, WIRE]), ("setYearDaySchedule", [at])]
    assert link.sent[0][1]["commandClass"] == 78


async def test_a_lock_that_tells_its_schedule() -> None:
    link = FakeLink(invoke_cc_api={"response": WIRE}, get_value_timestamp={"timestamp": 1})
    assert await Schedules(link, 7).read(3) == Kept(is_set=True, wall=WALL)
    assert called(link) == [("getYearDaySchedule", [{"userId": 3, "slotId": 1}])]
    strange = FakeLink(invoke_cc_api={"response": {**WIRE, "startMonth": 13}}, get_value_timestamp={"timestamp": 1})
    assert await Schedules(strange, 7).read(3) == Kept(is_set=True)


@pytest.mark.parametrize(
    ("stamps", "kept"),
    [
        ([{}, {"timestamp": 1}], NOTHING),
        ([{"timestamp": 1}, {"timestamp": 2}], NOTHING),
        ([{"timestamp": 1}, {"timestamp": 1}], None),
        ([{}, {}], None),
    ],
)
async def test_no_schedule_and_no_answer_are_told_apart_by_what_zwave_js_wrote_down(
    stamps: list[dict[str, int]], kept: Kept | None
) -> None:
    link = FakeLink(invoke_cc_api={}, get_value_timestamp=stamps)
    assert await Schedules(link, 7).read(3) == kept
    assert link.sent[0][1]["valueId"] == VALUE


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ({"value": False}, NOTHING),
        ({"value": to_wire(WALL)}, Kept(is_set=True, wall=WALL)),
        ({}, None),
        ({"value": 3}, None),
    ],
)
async def test_what_zwave_js_knows_without_asking(answer: dict[str, Any], kept: Kept | None) -> None:
    assert await Schedules(FakeLink(get_value=answer), 7).cached(3) == kept


async def test_an_error_is_passed_on() -> None:
    link = FakeLink(invoke_cc_api=CommandError(Kind.UNREACHABLE, "device_unreachable", "No."), get_value_timestamp={})
    with pytest.raises(CommandError):
        await Schedules(link, 7).read(3)
