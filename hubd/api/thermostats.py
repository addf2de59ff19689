"""`/thermostats/*`: how they stand, and what somebody sets; held until the device is so, for ten seconds at most."""

from typing import Final

from hubd.api import project, shapes
from hubd.api.degree_params import Degrees, given
from hubd.api.devices import GetDevice, check_managed, check_thermostat, find, position
from hubd.api.filters import DeviceFilters, matching, plain_device
from hubd.api.paging import page
from hubd.api.params import Limit, Params, Uuid
from hubd.api.route import ACT, READ, UPDATE, Call, route
from hubd.api.thermostat_attempts import held, keep
from hubd.api.thermostat_schedules import keep_ok
from hubd.model.capability import FanMode, HvacMode
from hubd.model.climate import ClimateSetting
from hubd.model.errors import InvalidInputError
from hubd.store.climate import AttemptAction

USED: Final[dict[HvacMode, tuple[str, ...]]] = {
    "heat": ("heating",),
    "cool": ("cooling",),
    "heat_cool": ("heating", "cooling"),
}
"""Which set-points a mode takes; the others take none."""


class ThermostatFilters(DeviceFilters, frozen=True, kw_only=True):
    """As for devices; this list has no pages in Seam's schema, so it is whole unless a limit is given."""

    limit: Limit = 100_000


class TurnOff(Params, frozen=True, kw_only=True):
    """Which thermostat. `sync`, here and below, changes nothing: the hub always waits for the device, ten seconds."""

    device_id: Uuid
    sync: bool = False


class Heat(Params, frozen=True, kw_only=True):
    """Without a set-point it stays."""

    device_id: Uuid
    heating_set_point_celsius: Degrees | None = None
    heating_set_point_fahrenheit: Degrees | None = None
    sync: bool = False


class Cool(Params, frozen=True, kw_only=True):
    """Without a set-point it stays."""

    device_id: Uuid
    cooling_set_point_celsius: Degrees | None = None
    cooling_set_point_fahrenheit: Degrees | None = None
    sync: bool = False


class HeatCool(Params, frozen=True, kw_only=True):
    """A set-point that is left out stays."""

    device_id: Uuid
    cooling_set_point_celsius: Degrees | None = None
    cooling_set_point_fahrenheit: Degrees | None = None
    heating_set_point_celsius: Degrees | None = None
    heating_set_point_fahrenheit: Degrees | None = None
    sync: bool = False


class SetHvacMode(Params, frozen=True, kw_only=True):
    """A mode with the set-points that it uses; one that is left out stays."""

    device_id: Uuid
    hvac_mode_setting: HvacMode
    cooling_set_point_celsius: Degrees | None = None
    cooling_set_point_fahrenheit: Degrees | None = None
    heating_set_point_celsius: Degrees | None = None
    heating_set_point_fahrenheit: Degrees | None = None


class SetFanMode(Params, frozen=True, kw_only=True):
    """`fan_mode` is the older name."""

    device_id: Uuid
    fan_mode: FanMode | None = None
    fan_mode_setting: FanMode | None = None
    sync: bool = False


class SetThreshold(Params, frozen=True, kw_only=True):
    """Both limits together: one that is left out, or null, is taken away."""

    device_id: Uuid
    lower_limit_celsius: Degrees | None = None
    lower_limit_fahrenheit: Degrees | None = None
    upper_limit_celsius: Degrees | None = None
    upper_limit_fahrenheit: Degrees | None = None


async def get(call: Call, params: GetDevice) -> shapes.ThermostatAnswer:
    """Return a managed thermostat."""
    record = find(call, params, is_managed=True, kind="thermostat")
    return shapes.ThermostatAnswer(thermostat=project.device(call.hub, record))


async def list_thermostats(call: Call, params: ThermostatFilters) -> shapes.ThermostatListAnswer:
    """Return the managed thermostats."""
    found = [r for r in matching(call.hub, params) if r.is_managed and r.device.description.kind == "thermostat"]
    cut, pagination = page(found, position, params, call.request)
    built = [project.device(call.hub, record) for record in cut]
    return shapes.ThermostatListAnswer(thermostats=built, devices=built, pagination=pagination)


async def heat(call: Call, params: Heat) -> shapes.AttemptAnswer:
    """Set a thermostat to heat."""
    setting = ClimateSetting("heat", heating_set_point_celsius=point(params, "heating"))
    return await _set(call, params.device_id, setting)


async def cool(call: Call, params: Cool) -> shapes.AttemptAnswer:
    """Set a thermostat to cool."""
    setting = ClimateSetting("cool", cooling_set_point_celsius=point(params, "cooling"))
    return await _set(call, params.device_id, setting)


async def heat_cool(call: Call, params: HeatCool) -> shapes.AttemptAnswer:
    """Set a thermostat to heat and cool."""
    return await _set(call, params.device_id, with_points(params, "heat_cool"))


async def off(call: Call, params: TurnOff) -> shapes.AttemptAnswer:
    """Turn a thermostat off."""
    return await _set(call, params.device_id, ClimateSetting("off"))


async def set_hvac_mode(call: Call, params: SetHvacMode) -> shapes.AttemptAnswer:
    """Set the mode of a thermostat, with its set-points."""
    return await _set(call, params.device_id, with_points(params, params.hvac_mode_setting))


async def set_fan_mode(call: Call, params: SetFanMode) -> shapes.AttemptAnswer:
    """Set the fan of a thermostat."""
    old, new = params.fan_mode, params.fan_mode_setting
    if old is not None and new is not None and old != new:
        raise InvalidInputError("fan_mode", "is another one than fan_mode_setting; send one of them")
    mode = old if new is None else new
    if mode is None:
        raise InvalidInputError("fan_mode_setting", "is required")
    return await _set(call, params.device_id, ClimateSetting(fan_mode=mode), "SET_FAN_MODE")


async def set_threshold(call: Call, params: SetThreshold) -> shapes.Ok:
    """Say between which temperatures nobody wants to be told."""
    lower = given("lower_limit", params.lower_limit_celsius, params.lower_limit_fahrenheit)
    upper = given("upper_limit", params.upper_limit_celsius, params.upper_limit_fahrenheit)
    device_id = checked(call, params.device_id)
    await call.hub.thermostats.set_thresholds(device_id, lower, upper, call.principal.key_id, keep_ok(call))
    return shapes.Ok()


def checked(call: Call, device_id: str) -> str:
    """Return the id of a managed thermostat. Raises `NotFoundError` or `RefusedError`."""
    record = plain_device(call.hub, device_id.lower())
    check_managed(record, is_managed=True)
    check_thermostat(record)
    return record.device.device_id


def point(params: Params, kind: str) -> float | None:
    """Return a set-point in degrees Celsius; None if it is not given. Raises `InvalidInputError`."""
    celsius, fahrenheit = (getattr(params, f"{kind}_set_point_{unit}") for unit in ("celsius", "fahrenheit"))
    return given(f"{kind}_set_point", celsius, fahrenheit)


def with_points(params: Params, mode: HvacMode) -> ClimateSetting:
    """Return a mode with its set-points. Raises `InvalidInputError` for one that the mode does not use."""
    points = {kind: point(params, kind) for kind in ("heating", "cooling")}
    for kind, value in points.items():
        if value is not None and kind not in USED.get(mode, ()):
            unit = "fahrenheit" if getattr(params, f"{kind}_set_point_celsius") is None else "celsius"
            raise InvalidInputError(f"{kind}_set_point_{unit}", f"means nothing in the mode {mode}")
    return ClimateSetting(mode, None, points["heating"], points["cooling"])


async def _set(
    call: Call, device_id: str, setting: ClimateSetting, action: AttemptAction = "SET_HVAC_MODE"
) -> shapes.AttemptAnswer:
    device_id = checked(call, device_id)
    told = keep(call, device_id, action)
    attempt_id = await call.hub.thermostats.set(device_id, setting, action, call.principal.key_id, told)
    return await held(call, device_id, attempt_id)


ROUTES = [
    route("/thermostats/get", READ, get, shapes.ThermostatAnswer, GetDevice),
    route("/thermostats/list", READ, list_thermostats, shapes.ThermostatListAnswer, ThermostatFilters),
    route("/thermostats/heat", ACT, heat, shapes.AttemptAnswer, Heat, "operator"),
    route("/thermostats/cool", ACT, cool, shapes.AttemptAnswer, Cool, "operator"),
    route("/thermostats/heat_cool", ACT, heat_cool, shapes.AttemptAnswer, HeatCool, "operator"),
    route("/thermostats/off", ACT, off, shapes.AttemptAnswer, TurnOff, "operator"),
    route("/thermostats/set_hvac_mode", ACT, set_hvac_mode, shapes.AttemptAnswer, SetHvacMode, "operator"),
    route("/thermostats/set_fan_mode", ACT, set_fan_mode, shapes.AttemptAnswer, SetFanMode, "operator"),
    route("/thermostats/set_temperature_threshold", UPDATE, set_threshold, shapes.Ok, SetThreshold, "operator"),
]
