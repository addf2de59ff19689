"""S43: `temperature_threshold_exceeded` once for each excursion, and its end when the room is back."""

from pathlib import Path

import pytest

from tests.scenarios.rooms import Room, room

pytestmark = pytest.mark.scenario

EXCEEDED, CLEARED = "temperature_threshold_exceeded", "temperature_threshold_no_longer_exceeded"


async def ends(there: Room) -> list[tuple[str, float]]:
    found = await there.told(EXCEEDED, CLEARED)
    return [(event["event_type"].removeprefix("thermostat."), event["temperature_celsius"]) for event in found]


async def warned(there: Room) -> bool:
    device = (await there.client.ok("/devices/get", {"device_id": there.device_id}))["device"]
    return EXCEEDED in [warning["warning_code"] for warning in device["warnings"]]


async def test_an_excursion_is_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.post("set_temperature_threshold", lower_limit_celsius=15.5, upper_limit_fahrenheit=80.6)
        for degrees in (26, 27, 27.1, 28, 27.1, 29, 26.9, 27.1, 26.8, 20):
            await there.warm(degrees)
        assert await ends(there) == [(EXCEEDED, 27.1), (CLEARED, 26.8)]
        (event,) = await there.told(EXCEEDED)
        assert (event["lower_limit_fahrenheit"], event["upper_limit_celsius"]) == (59.9, 27.0)
        await there.warm(15)
        assert await warned(there)
        await there.warm(16)
        assert not await warned(there)
        assert len(await ends(there)) == 4


async def test_a_restart_tells_nothing_anew(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.post("set_temperature_threshold", upper_limit_celsius=25)
        await there.warm(26)
        clock = there.clock
    async with room(tmp_path, clock=clock) as there:
        await there.wait(minutes=5)
        assert await warned(there)
        await there.warm(24)
        assert await ends(there) == [(EXCEEDED, 26.0), (CLEARED, 24.0)]


async def test_without_limits_nobody_is_told(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.post("set_temperature_threshold", upper_limit_celsius=25)
        await there.post("set_temperature_threshold")
        await there.warm(30)
        assert await ends(there) == []
