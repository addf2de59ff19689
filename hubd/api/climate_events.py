"""Events of thermostats in Seam's payloads."""

from typing import Any

from hubd.api.climate_project import both, setting_members
from hubd.core.hub import Hub
from hubd.model.capability import ThermostatCapability
from hubd.model.climate import ClimateSetting
from hubd.model.event import (
    PresetActivated,
    SetPointReached,
    TemperatureChanged,
    ThermostatAdjusted,
    ThresholdCleared,
    ThresholdExceeded,
)
from hubd.store.records import Row

type ClimateEvent = (
    PresetActivated | SetPointReached | TemperatureChanged | ThermostatAdjusted | ThresholdCleared | ThresholdExceeded
)


def payload(hub: Hub, row: Row, event: ClimateEvent) -> dict[str, Any]:
    """Return the members that an event has besides those of every event."""
    record = hub.devices.get(row.device_id or "")
    capability = None if record is None else record.device.description.capabilities.thermostat
    match event:
        case ThermostatAdjusted():
            return _adjusted(event, capability)
        case PresetActivated():
            return {
                "climate_preset_key": event.preset_key,
                "thermostat_schedule_id": event.schedule_id,
                "is_fallback_climate_preset": event.is_fallback,
            }
        case ThresholdExceeded() | ThresholdCleared():
            return both("temperature", event.temperature_celsius, capability) | _limits(event)
        case SetPointReached():
            desired = both("desired_temperature", event.desired_temperature_celsius, capability)
            return both("temperature", event.temperature_celsius, capability) | desired
        case TemperatureChanged():
            return both("temperature", event.temperature_celsius, capability)


def _adjusted(event: ThermostatAdjusted, capability: ThermostatCapability | None) -> dict[str, Any]:
    """`hub_source` is the hub's own: who did it, most likely, where it was not by a call."""
    setting = ClimateSetting(
        event.hvac_mode, event.fan_mode, event.heating_set_point_celsius, event.cooling_set_point_celsius
    )
    source = {} if event.source is None else {"hub_source": event.source}
    return {"method": event.method, **setting_members(setting, capability), **source}


def _limits(event: ThresholdExceeded | ThresholdCleared) -> dict[str, float | None]:
    members: dict[str, float | None] = {}
    for name, celsius in (("lower_limit", event.lower_limit_celsius), ("upper_limit", event.upper_limit_celsius)):
        members[f"{name}_celsius"] = members[f"{name}_fahrenheit"] = None
        members |= both(name, celsius)
    return members
