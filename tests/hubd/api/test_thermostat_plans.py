"""What a schedule says keeps it from being applied."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.api.thermostat_plans import program_shape, schedule_shape
from hubd.core.sense import Instant
from hubd.model.climate import ClimateSetting
from hubd.store.climate import DailyProgram, Period
from tests.hubd.api.climate import heats_to, schedule, with_presets
from tests.hubd.api.codes import from_now
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually


def errors(api: Api, made: dict[str, Any]) -> dict[str, str]:
    """Return the errors of a schedule as it stands, by code."""
    known = api.hub.thermostats.schedule(made["thermostat_schedule_id"])
    return {one.error_code: one.message for one in schedule_shape(api.hub, known).errors}


async def test_a_device_that_refuses_is_named_until_the_schedule_is_over(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(fault="refuse")) as api:
        device_id = await with_presets(api)
        made = await schedule(api, device_id)
        await eventually(lambda: errors(api, made))
        trouble = api.hub.thermostats.get(device_id).trouble
        assert trouble is not None
        assert errors(api, made) == {trouble.code: trouble.message}
        told = (await api.ok("/thermostats/schedules/list", {"device_id": device_id}))["thermostat_schedules"]
        assert [one["error_code"] for one in told[0]["errors"]] == [trouble.code]
        api.clock.ahead = timedelta(hours=2)
        assert errors(api, made) == {}


async def test_a_device_that_cannot_be_reached_is_named(api: Api) -> None:
    device_id = await with_presets(api)
    await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
    made = await schedule(api, device_id)
    await eventually(lambda: errors(api, made))
    assert list(errors(api, made)) == ["device_disconnected"]
    await api.ok("/devices/simulate/connect", {"device_id": device_id})
    await heats_to(api, device_id, 16.0)
    assert errors(api, made) == {}


async def test_what_is_not_its_turn_or_was_overridden_has_no_errors(api: Api) -> None:
    device_id = await with_presets(api)
    first = await schedule(api, device_id, "away", starts_at=from_now(api, hours=-2))
    await heats_to(api, device_id, 16.0)
    second = await schedule(api, device_id, "night")
    await heats_to(api, device_id, 18.0)
    api.driver().fault = "refuse"
    await api.hub.thermostats.set(device_id, ClimateSetting(heating_set_point_celsius=23.0), "SET_HVAC_MODE", "test")
    coming = await schedule(api, device_id, starts_at=from_now(api, minutes=30))
    assert [errors(api, one) for one in (first, second, coming)] == [{}, {}, {}]


async def test_an_unmanaged_device_is_named(api: Api) -> None:
    device_id = await with_presets(api)
    made = await schedule(api, device_id)
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    assert list(errors(api, made)) == ["device_unmanaged"]


async def test_a_clock_that_is_not_relied_on_is_named(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    device_id = await with_presets(api)
    at = api.clock.now()
    monkeypatch.setattr(api.hub.sense, "now", lambda: Instant(at, is_trusted=False))
    made = await schedule(api, device_id)
    assert list(errors(api, made)) == ["clock_not_trusted"]


async def test_a_plan_that_the_device_cannot_take_any_more_is_named(api: Api) -> None:
    device_id = await with_presets(api)
    made = await schedule(api, device_id)
    await heats_to(api, device_id, 16.0)
    known = api.hub.thermostats.get(device_id)
    impossible = ClimateSetting("eco")

    def put(view: Any) -> None:
        base = view.thermostat(device_id).base
        view.put_thermostat(replace(known, base=replace(base, setting=impossible), is_applied=False))

    await api.hub.journal.transact(put)
    assert list(errors(api, made)) == ["setting_not_possible"]
    assert "eco" in errors(api, made)["setting_not_possible"]


async def test_a_daily_program_without_a_name(api: Api) -> None:
    program = DailyProgram("p", api.clock.now(), (Period("06:00:00", "away"),), "")
    shape = program_shape(api.hub, "d", program)
    assert (shape.name, shape.thermostat_daily_program_id, shape.device_id) == (None, "p", "d")
    assert [(one.starts_at_time, one.climate_preset_key) for one in shape.periods] == [("06:00:00", "away")]
