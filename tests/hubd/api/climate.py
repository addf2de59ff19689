"""Short ways to a thermostat and its plans, for the tests of their routes."""

from typing import Any

from hubd.model.climate import ClimateSetting
from hubd.store.climate import Preset
from tests.hubd.api.codes import from_now
from tests.hubd.api.harness import Api
from tests.support.site import eventually

PRESETS = {
    "occupied": ClimateSetting("heat", heating_set_point_celsius=21.5),
    "away": ClimateSetting("heat", heating_set_point_celsius=16.0),
    "night": ClimateSetting("heat", heating_set_point_celsius=18.0),
}
NAME = "Climate 101"


async def with_presets(api: Api) -> str:
    """Give the thermostat its presets, and return its id."""
    device_id = await api.device_id(NAME)
    for key, setting in PRESETS.items():
        await api.hub.thermostats.create_preset(device_id, Preset(key, setting), "test")
    return device_id


def heating(api: Api, device_id: str) -> float | None:
    """Return the heating set-point as it was read back."""
    climate = api.hub.devices[device_id].state.climate
    return None if climate is None else climate.heating_set_point_celsius


async def heats_to(api: Api, device_id: str, celsius: float) -> None:
    """Wait until the thermostat was read back with this set-point, and is as wished."""
    await eventually(
        lambda: heating(api, device_id) == celsius and api.hub.thermostats.get(device_id).is_applied,
    )


async def schedule(api: Api, device_id: str, key: str = "away", **members: Any) -> dict[str, Any]:
    """Make a schedule; without times it runs already."""
    times = {"starts_at": from_now(api, hours=-1), "ends_at": from_now(api, hours=1)}
    body = {"device_id": device_id, "climate_preset_key": key, **times, **members}
    made: dict[str, Any] = (await api.ok("/thermostats/schedules/create", body))["thermostat_schedule"]
    return made
