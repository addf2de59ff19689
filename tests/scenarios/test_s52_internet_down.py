"""S52: with the internet down, codes and schedules are on time and the local API works: the box asks nobody outside."""

import socket
from pathlib import Path

import pytest

from tests.scenarios.rooms import room

pytestmark = pytest.mark.scenario


async def test_plans_run_and_the_api_works(tmp_path: Path, strangers: list[object]) -> None:
    with pytest.raises(OSError, match="name resolution"):
        socket.create_connection(("192.0.2.1", 443), 1)
    assert strangers.pop() == "192.0.2.1"
    async with room(tmp_path) as there:
        await there.preset("guest", hvac_mode_setting="heat", heating_set_point_celsius=22)
        await there.preset("away", hvac_mode_setting="off")
        await there.post("set_fallback_climate_preset", climate_preset_key="away")
        await there.schedule("guest", there.at(hours=6), there.at(hours=12))
        await there.wait(hours=5, minutes=59)
        assert await there.setting() == ("off",)
        await there.wait(minutes=1, seconds=1)
        assert await there.setting() == ("heat", 22.0)
        await there.wait(hours=6)
        assert await there.setting() == ("off",)
        told = await there.told("climate_preset_activated")
        assert [event["climate_preset_key"] for event in told] == ["away", "guest", "away"]
    assert strangers == []
