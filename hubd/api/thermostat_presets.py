"""Climate presets of a thermostat: settings under a key, which people, schedules and programs have be in force."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hubd.api import shapes
from hubd.api.code_params import CodeName, plain_name
from hubd.api.degree_params import Degrees
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import ACT, REMOVE, UPDATE, Call, route
from hubd.api.thermostat_attempts import held, keep
from hubd.api.thermostat_schedules import keep_ok
from hubd.api.thermostats import checked, point
from hubd.model.capability import FanMode, HvacMode
from hubd.model.climate import ClimateSetting
from hubd.model.errors import InvalidInputError
from hubd.store.climate import Preset, PresetMode

type PresetKey = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class EcobeeMetadata(Params, frozen=True, kw_only=True):
    """Of thermostats in a maker's cloud; none of a hub's has any."""

    climate_ref: Text | None = None
    is_optimized: bool | None = None
    owner: Literal["user", "system"] | None = None


class PresetMembers(Params, frozen=True, kw_only=True):
    """What a preset is and sets."""

    climate_preset_key: PresetKey
    device_id: Uuid
    climate_preset_mode: PresetMode | None = None
    cooling_set_point_celsius: Degrees | None = None
    cooling_set_point_fahrenheit: Degrees | None = None
    ecobee_metadata: EcobeeMetadata | None = None
    fan_mode_setting: FanMode | None = None
    heating_set_point_celsius: Degrees | None = None
    heating_set_point_fahrenheit: Degrees | None = None
    hvac_mode_setting: HvacMode | None = None


class CreatePreset(PresetMembers, frozen=True, kw_only=True):
    """What a preset does not set stays, when it comes in force, as the device is set."""

    manual_override_allowed: bool = True
    name: CodeName | None = None


class UpdatePreset(PresetMembers, frozen=True, kw_only=True):
    """Members that are left out stay as they are; `name: null` takes the name away."""

    manual_override_allowed: bool | UnsetType = UNSET
    name: CodeName | UnsetType | None = UNSET


class OnePreset(Params, frozen=True, kw_only=True):
    """Which preset of which thermostat."""

    climate_preset_key: PresetKey
    device_id: Uuid


async def create(call: Call, params: CreatePreset) -> shapes.Ok:
    """Keep a new climate preset."""
    if not params.climate_preset_key.isprintable():
        raise InvalidInputError("climate_preset_key", "must be without line breaks and control characters")
    preset = Preset(
        key=params.climate_preset_key,
        setting=_setting(params),
        name=plain_name(params.name),
        mode=params.climate_preset_mode,
        is_override_allowed=params.manual_override_allowed,
    )
    device_id = checked(call, params.device_id)
    await call.hub.thermostats.create_preset(device_id, preset, call.principal.key_id, keep_ok(call))
    return shapes.Ok()


async def update(call: Call, params: UpdatePreset) -> shapes.Ok:
    """Change a climate preset; where it is in force by plan, the device is set anew."""
    setting, device_id = _setting(params), checked(call, params.device_id)
    name = params.name if isinstance(params.name, UnsetType) else plain_name(params.name)

    def change(known: Preset) -> Preset:
        allowed = params.manual_override_allowed
        return replace(
            known,
            setting=setting.over(known.setting),
            name=known.name if isinstance(name, UnsetType) else name,
            mode=params.climate_preset_mode or known.mode,
            is_override_allowed=known.is_override_allowed if isinstance(allowed, UnsetType) else allowed,
        )

    key, by = params.climate_preset_key, call.principal.key_id
    await call.hub.thermostats.update_preset(device_id, key, change, by, keep_ok(call))
    return shapes.Ok()


async def delete(call: Call, params: OnePreset) -> shapes.Ok:
    """Drop a climate preset that no schedule and no program needs; of the fallback's there is no fallback then."""
    key, by = params.climate_preset_key, call.principal.key_id
    await call.hub.thermostats.delete_preset(checked(call, params.device_id), key, by, keep_ok(call))
    return shapes.Ok()


async def activate(call: Call, params: OnePreset) -> shapes.AttemptAnswer:
    """Have a climate preset be in force until the plan changes."""
    device_id, by = checked(call, params.device_id), call.principal.key_id
    told = keep(call, device_id, "ACTIVATE_CLIMATE_PRESET")
    attempt_id = await call.hub.thermostats.activate(device_id, params.climate_preset_key, by, told)
    return await held(call, device_id, attempt_id)


async def set_fallback(call: Call, params: OnePreset) -> shapes.Ok:
    """Have a climate preset be in force whenever no schedule and no program is."""
    key, by = params.climate_preset_key, call.principal.key_id
    await call.hub.thermostats.set_fallback(checked(call, params.device_id), key, by, keep_ok(call))
    return shapes.Ok()


def _setting(params: PresetMembers) -> ClimateSetting:
    if params.ecobee_metadata is not None:
        raise InvalidInputError("ecobee_metadata", "is for thermostats in the cloud of ecobee; leave it out")
    mode, fan = params.hvac_mode_setting, params.fan_mode_setting
    return ClimateSetting(mode, fan, point(params, "heating"), point(params, "cooling"))


ROUTES = [
    route("/thermostats/create_climate_preset", ACT, create, shapes.Ok, CreatePreset, "operator"),
    route("/thermostats/update_climate_preset", UPDATE, update, shapes.Ok, UpdatePreset, "operator"),
    route("/thermostats/delete_climate_preset", REMOVE, delete, shapes.Ok, OnePreset, "operator"),
    route("/thermostats/activate_climate_preset", ACT, activate, shapes.AttemptAnswer, OnePreset, "operator"),
    route("/thermostats/set_fallback_climate_preset", ACT, set_fallback, shapes.Ok, OnePreset, "operator"),
]
