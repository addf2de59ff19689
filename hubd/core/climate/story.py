"""Writes down what becomes of a thermostat: record, events and the ends of calls, in one transaction."""

from typing import Final

from hubd.core.climate import attempts
from hubd.core.climate.rules import Turn
from hubd.model.event import (
    Event,
    PresetActivated,
    SetPointReached,
    TemperatureChanged,
    ThermostatAdjusted,
    ThresholdCleared,
    ThresholdExceeded,
)
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

_PUBLIC: Final[dict[type[Event], str]] = {
    ThermostatAdjusted: "thermostat.manually_adjusted",
    PresetActivated: "thermostat.climate_preset_activated",
    ThresholdExceeded: "thermostat.temperature_threshold_exceeded",
    ThresholdCleared: "thermostat.temperature_threshold_no_longer_exceeded",
    SetPointReached: "thermostat.temperature_reached_set_point",
    TemperatureChanged: "thermostat.temperature_changed",
}
"""Seam's types; the others are the hub's own rows."""


def tell(view: View, device: DeviceRecord, event: Event) -> None:
    """Write down an event; it is public, where Seam has a type for it, if its device is managed."""
    public = _PUBLIC.get(type(event)) if device.is_managed else None
    view.emit(event, public=public, instance=device.device.instance, device_id=device.device.device_id)


def take(view: View, device: DeviceRecord, turn: Turn) -> None:
    """Write down what a step of the rules made of a thermostat."""
    if turn.record != view.thermostat(device.device.device_id):
        view.put_thermostat(turn.record)
    for event in turn.events:
        tell(view, device, event)
    attempts.end(view, turn.ended)
