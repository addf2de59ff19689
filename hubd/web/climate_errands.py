"""Forms of thermostats: setting one, activating a preset, returning to the plan."""

from collections.abc import Mapping
from math import isfinite
from typing import Final

import msgspec

from hubd.core.hub import Hub
from hubd.core.keys import Key
from hubd.model.climate import ClimateSetting
from hubd.model.errors import HubError, InvalidInputError, RefusedError
from hubd.store.records import DeviceRecord
from hubd.web.climate_sentences import preset_words, setting_text
from hubd.web.scene import first_upper
from hubd.web.sessions import Notice

WAIT_SECONDS: Final = 10.0
"""How long a button is held until the device was read back."""
ACTIVATE: Final = "activate:"
SET: Final = "set_climate"
RETURN: Final = "return_to_plan"

_LABELS = {"heating": "Heat to", "cooling": "Cool to", "mode": "Mode", "fan": "Fan"}


def is_of_climate(action: str) -> bool:
    """Whether a button of a device's page is for its thermostat."""
    return action in {SET, RETURN} or action.startswith(ACTIVATE)


class ClimateErrands:
    """Does what the forms say. Raises `HubError` with a sentence for the page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def do(self, key: Key, record: DeviceRecord, form: Mapping[str, str]) -> Notice:
        """Carry out a form, wait a little for the device, and say what became of it."""
        if not key.may("operator"):
            raise RefusedError("forbidden", f"This key has role {key.role}; setting a thermostat needs operator.")
        if not record.is_managed:
            raise RefusedError("device_unmanaged", "The device is not managed by this hub; nothing was sent.")
        action, device_id = form.get("action", ""), record.device.device_id
        desk = self._hub.thermostats
        if action == RETURN:
            kept = desk.get(device_id)
            if kept.override is None or kept.base.kind == "none":
                raise RefusedError("no_override", "Nobody has set anything instead of a plan.")
            await desk.cancel_override(device_id)
            return self._notice(record, "The plan is in force again", "The page says how far the device is.")
        if action == SET:
            setting = read_setting(form)
            attempt_id = await desk.set(device_id, setting, "SET_HVAC_MODE", key.key_id)
            asked = setting_text(setting) or "what was asked"
        else:
            preset_key = action.removeprefix(ACTIVATE)
            attempt_id = await desk.activate(device_id, preset_key, key.key_id)
            asked = preset_words(preset_key)
        return await self._outcome(record, attempt_id, asked)

    async def _outcome(self, record: DeviceRecord, attempt_id: str, asked: str) -> Notice:
        desk, device_id = self._hub.thermostats, record.device.device_id
        if self._hub.is_reachable(record):
            await desk.settle(device_id, attempt_id, WAIT_SECONDS)
        attempt = await desk.attempt(attempt_id)
        title = first_upper(asked)
        if attempt is None or attempt.ended_at is None:
            trouble = desk.get(device_id).trouble
            why = "The device has not confirmed it yet." if trouble is None else trouble.message
            return self._notice(record, f"{title}: asked", f"{why} The page says how far it is.")
        if attempt.error is None:
            return self._notice(record, f"{title}: done", "The device was read back.")
        message = attempt.message or "The device did not take it."
        return Notice(device_id, self._hub.clock.monotonic(), refusal=message, title=f"{title}: not done")

    def _notice(self, record: DeviceRecord, title: str, report: str) -> Notice:
        return Notice(record.device.device_id, self._hub.clock.monotonic(), title=title, report=report)


def read_setting(form: Mapping[str, str]) -> ClimateSetting:
    """Read what is to be set; what is left empty stays. Raises `InvalidInputError`, `RefusedError`."""
    given = {name: form.get(name, "").strip() for name in _LABELS}
    try:
        setting = msgspec.convert(
            {
                "hvac_mode": given["mode"] or None,
                "fan_mode": given["fan"] or None,
                "heating_set_point_celsius": _number(given["heating"], "heating"),
                "cooling_set_point_celsius": _number(given["cooling"], "cooling"),
            },
            ClimateSetting,
        )
    except msgspec.ValidationError:
        raise InvalidInputError("mode", "or fan is no mode that there is") from None
    if not setting:
        raise RefusedError("nothing_to_set", "Nothing was filled in, so nothing was set.")
    return setting


def said(error: HubError) -> str:
    """Return the sentence of an error in the words of the form."""
    if isinstance(error, InvalidInputError):
        return f"{_LABELS.get(error.field, error.field)}: {error.reason}."
    return error.message


def _number(text: str, field: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise InvalidInputError(field, "must be a number of degrees, such as 20.5")
    return value
