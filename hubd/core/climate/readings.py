"""What a thermostat says: compared with what was known and what is wished, within one transaction."""

from datetime import tzinfo
from typing import Final, NamedTuple

from msgspec.structs import replace

from hubd.core.climate import rules
from hubd.core.climate.sources import KEPT, guess
from hubd.core.climate.story import take, tell
from hubd.core.sense import Instant
from hubd.model.capability import ThermostatCapability
from hubd.model.climate import ClimateSetting, ClimateSource, changed
from hubd.model.event import (
    SetPointReached,
    TemperatureChanged,
    ThermostatAdjusted,
    ThresholdCleared,
    ThresholdExceeded,
)
from hubd.model.seen import ClimateSeen
from hubd.model.state import Climate
from hubd.store.climate import ThermostatRecord
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

TOLD_APART: Final = 1.0
"""Degrees Celsius between two temperatures that are told, as Seam has it."""
BACK_INSIDE: Final = 0.2
"""By how much, in degrees Celsius, a room must be within its limits again until that is told."""


class Doing(NamedTuple):
    """What the hub itself does with a device whose reading comes in."""

    is_busy: bool = False
    """It is setting the device."""
    is_echo: bool = False
    """It did so just now."""
    is_answer: bool = False
    """It asked for this reading."""
    sent: ClimateSetting = ClimateSetting()
    """What the device was sent and did not answer to."""


IDLE: Final = Doing()


class Reader:
    """Takes in readings of one thermostat."""

    def __init__(
        self,
        view: View,
        device: DeviceRecord,
        capability: ThermostatCapability,
        instant: Instant,
        zone: tzinfo,
        doing: Doing = IDLE,
    ) -> None:
        self._view = view
        self._device = device
        self._capability = capability
        self._instant = instant
        self._zone = zone
        self._is_busy, self._is_echo, self._is_answer, self._sent = doing

    def read(self, seen: ClimateSeen) -> None:
        """Take in how the device stands."""
        device_id = self._device.device.device_id
        known = self._view.device(device_id) or self._device
        before, after = known.state.climate, seen.climate
        self._view.put_telemetry(replace(known, state=replace(known.state, climate=after)))
        if before is not None:
            self._compare(before, after, seen.source)
        record = self._view.thermostat(device_id)
        turn = rules.Turn(record)
        if self._is_answer or self._is_proof(record, before):
            turn = rules.hear(record, after, self._capability)
        was_called = record.override is not None and record.override.source == "api" and not record.is_applied
        if turn.record.is_applied and was_called and record.override is not None and record.override.preset_key is None:
            tell(self._view, self._device, _adjusted(after, by=record.override.by))
        take(self._view, self._device, turn)
        self._temperature(after)

    def _is_proof(self, record: ThermostatRecord, before: Climate | None) -> bool:
        """Whether this, for which nobody asked, may stand for a read-back; of a call only if it says something new."""
        is_news = before is None or bool(record.in_force.missing(before, self._capability))
        return (is_news or not record.pending) and rules.is_proof(record, self._sent)

    # -- settings ------------------------------------------------------------------------------------------------------

    def _compare(self, before: Climate, after: Climate, told: ClimateSource | None) -> None:
        record = self._view.thermostat(self._device.device.device_id)
        names = changed(before, after, self._capability)
        if not any(self._is_foreign(record, after, name) for name in names):
            return
        source = guess(told, self._instant.at, record.foreign_changes, self._zone)
        tell(self._view, self._device, _adjusted(after, source=source))
        lately = (*record.foreign_changes, self._instant.at)[-KEPT:]
        record = replace(record, foreign_changes=lately)
        at, is_trusted = self._instant.at, self._instant.is_trusted
        turn = rules.adjusted(record, after, source, self._capability, at, is_trusted=is_trusted)
        take(self._view, self._device, turn)

    def _is_foreign(self, record: ThermostatRecord, after: Climate, name: str) -> bool:
        """Whether a change is not the hub's own doing, nor a side effect of it."""
        if self._is_busy:
            return False  # what the device is then set to is read back
        late = getattr(self._sent, name)
        if late is not None and not ClimateSetting(**{name: late}).missing(after, self._capability):
            return False
        if getattr(record.in_force, name) is None:
            return not self._is_echo
        return getattr(record.in_force.missing(after, self._capability), name) is not None

    # -- temperature ---------------------------------------------------------------------------------------------------

    def _temperature(self, climate: Climate) -> None:
        now = climate.temperature_celsius
        if now is None:
            return
        device_id = self._device.device.device_id
        record = self._thresholds(self._view.thermostat(device_id), now)
        if record.told_celsius is None or abs(now - record.told_celsius) >= TOLD_APART:
            if record.told_celsius is not None:
                tell(self._view, self._device, TemperatureChanged(temperature_celsius=now))
            record = replace(record, told_celsius=now)
        record = self._reached(record, climate, now)
        if record != self._view.thermostat(device_id):
            self._view.put_thermostat(record)

    def _thresholds(self, record: ThermostatRecord, now: float) -> ThermostatRecord:
        limits = record.thresholds
        low, high = limits.lower_celsius, limits.upper_celsius
        if limits.exceeded_since is None:
            if (low is not None and now < low) or (high is not None and now > high):
                exceeded = ThresholdExceeded(temperature_celsius=now, lower_limit_celsius=low, upper_limit_celsius=high)
                tell(self._view, self._device, exceeded)
                limits = replace(limits, exceeded_since=self._instant.at)
        elif (low is None or now >= low + _inside(low, high)) and (high is None or now <= high - _inside(low, high)):
            tell(
                self._view,
                self._device,
                ThresholdCleared(temperature_celsius=now, lower_limit_celsius=low, upper_limit_celsius=high),
            )
            limits = replace(limits, exceeded_since=None)
        return replace(record, thresholds=limits)

    def _reached(self, record: ThermostatRecord, climate: Climate, now: float) -> ThermostatRecord:
        desired = record.desired_celsius
        if desired is None or rules.way(climate) == desired:
            return record
        if _is_there(climate, desired):
            event = SetPointReached(temperature_celsius=now, desired_temperature_celsius=desired)
            tell(self._view, self._device, event)
        return replace(record, desired_celsius=rules.way(climate))


def _is_there(climate: Climate, desired: float) -> bool:
    """Whether the device still regulates towards a set-point, and the room has it."""
    is_heated = climate.hvac_mode in {"heat", "heat_cool"} and climate.heating_set_point_celsius == desired
    is_cooled = climate.hvac_mode in {"cool", "heat_cool"} and climate.cooling_set_point_celsius == desired
    now = climate.temperature_celsius
    return now is not None and ((is_heated and now >= desired) or (is_cooled and now <= desired))


def _inside(low: float | None, high: float | None) -> float:
    """Return how far within its limits a room must be: less where they are close to each other."""
    return BACK_INSIDE if low is None or high is None else min(BACK_INSIDE, max(0.0, (high - low) / 4))


def _adjusted(climate: Climate, *, source: ClimateSource | None = None, by: str = "") -> ThermostatAdjusted:
    return ThermostatAdjusted(
        hvac_mode=climate.hvac_mode,
        fan_mode=climate.fan_mode,
        heating_set_point_celsius=climate.heating_set_point_celsius,
        cooling_set_point_celsius=climate.cooling_set_point_celsius,
        method="external" if source is not None else "seam",
        source=source,
        by=by,
    )
