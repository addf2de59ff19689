import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from hubd.model import ClimateSetting, ReachabilitySeen, rejected, unreachable
from hubd.model.errors import HubError, InvalidInputError, RefusedError
from hubd.store.climate import Preset
from hubd.web.climate_errands import WAIT_SECONDS, ClimateErrands, is_of_climate, read_setting, said
from tests.hubd.web.stage import Stage, stage, until
from tests.hubd.web.test_board import OPERATOR, VIEWER

NIGHT = ClimateSetting(hvac_mode="heat", heating_set_point_celsius=17.0)
SET = {"action": "set_climate", "mode": "heat", "heating": "22.5"}


def errands(site: Stage) -> ClimateErrands:
    return ClimateErrands(site.hub)


def test_which_buttons_are_for_it() -> None:
    assert [is_of_climate(action) for action in ("set_climate", "return_to_plan", "activate:x", "lock", "")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_what_is_left_empty_stays() -> None:
    assert read_setting({"mode": "heat", "heating": " 20,5 ", "cooling": "", "fan": ""}) == ClimateSetting(
        hvac_mode="heat", heating_set_point_celsius=20.5
    )
    assert read_setting({"fan": "on"}) == ClimateSetting(fan_mode="on")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"mode": "warm"}, "Mode: or fan is no mode that there is."),
        ({"heating": "twenty"}, "Heat to: must be a number of degrees, such as 20.5."),
        ({"cooling": "nan"}, "Cool to: must be a number of degrees, such as 20.5."),
        ({"cooling": "1e999"}, "Cool to: must be a number of degrees, such as 20.5."),
        ({}, "Nothing was filled in, so nothing was set."),
    ],
)
def test_a_form_that_makes_no_sense(form: dict[str, str], sentence: str) -> None:
    with pytest.raises(HubError) as caught:
        read_setting(form)
    assert isinstance(caught.value, InvalidInputError | RefusedError)
    assert said(caught.value) == sentence


async def test_a_thermostat_is_set_and_read_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        notice = await errands(site).do(OPERATOR, room, SET)
        assert (notice.title.replace("\u00a0", " "), notice.report) == (
            "Heat to 22.5 °C: done",
            "The device was read back.",
        )
        climate = site.hub.devices[room.device.device_id].state.climate
        assert climate is not None
        assert climate.heating_set_point_celsius == 22.5


async def test_a_device_that_says_no(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        site.script.answer = lambda _: rejected("device_refused", "The device refused it.")
        notice = await errands(site).do(OPERATOR, room, SET)
        assert notice.title.endswith(": not done")
        assert notice.refusal == "The device refused it."


async def test_a_device_that_sleeps_is_not_called_done(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        site.script.answer = lambda _: unreachable("device_asleep", "It sleeps.")
        task = asyncio.ensure_future(errands(site).do(OPERATOR, room, SET))
        while not task.done():
            await site.clock.advance(WAIT_SECONDS / 4)
        notice = await task
        assert notice.title.endswith(": asked")
        assert notice.report == "The device has not confirmed it yet. The page says how far it is."


async def test_a_device_that_cannot_be_reached_is_not_waited_for(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        native_id = room.device.description.native_id
        await site.see(ReachabilitySeen(native_id=native_id, online=False, reason="It does not answer."))
        gone = site.hub.devices[room.device.device_id]
        notice = await asyncio.wait_for(errands(site).do(OPERATOR, gone, SET), 5.0)
        assert notice.title.endswith(": asked")
        notice = await asyncio.wait_for(errands(site).do(OPERATOR, gone, SET | {"heating": "19"}), 5.0)
        with pytest.raises(RefusedError, match="instead of a plan"):
            await errands(site).do(OPERATOR, gone, {"action": "return_to_plan"})


async def test_a_set_point_outside_the_range_is_refused_before_the_radio(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        with pytest.raises(RefusedError, match="must be between 5 °C"):
            await errands(site).do(OPERATOR, room, SET | {"heating": "35"})
        assert not site.hub.thermostats.get(room.device.device_id).pending


async def test_a_preset_is_activated_and_the_plan_returns(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        desk, device_id = site.hub.thermostats, room.device.device_id
        await desk.create_preset(device_id, Preset("night", NIGHT), "config")
        with pytest.raises(RefusedError, match="instead of a plan"):
            await errands(site).do(OPERATOR, room, {"action": "return_to_plan"})
        await desk.set_fallback(device_id, "night", "config")
        await until(lambda: desk.get(device_id).base.kind == "fallback")
        await site.calm(room)
        await errands(site).do(OPERATOR, room, SET)
        assert desk.get(device_id).override is not None
        notice = await errands(site).do(OPERATOR, room, {"action": "return_to_plan"})
        assert (notice.title, notice.report) == (
            "The plan is in force again",
            "The page says how far the device is.",
        )
        await site.calm(room)
        await desk.create_preset(device_id, Preset("frost", ClimateSetting(heating_set_point_celsius=7.0)), "config")
        notice = await errands(site).do(OPERATOR, room, {"action": "activate:frost"})
        assert notice.title == "The preset “frost”: done"
        override = desk.get(device_id).override
        assert override is not None
        assert override.preset_key == "frost"
        with pytest.raises(HubError) as caught:
            await errands(site).do(OPERATOR, room, {"action": "activate:none"})
        assert caught.value.code == "climate_preset_not_found"


async def test_who_may_not(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        with pytest.raises(RefusedError) as caught:
            await errands(site).do(VIEWER, room, SET)
        assert caught.value.code == "forbidden"
        unmanaged = replace(room, is_managed=False)
        with pytest.raises(RefusedError) as caught:
            await errands(site).do(OPERATOR, unmanaged, SET)
        assert caught.value.code == "device_unmanaged"
