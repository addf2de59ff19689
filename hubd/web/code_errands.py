"""Forms of access codes: making one, having one removed, and showing a PIN to who may see it."""

import logging
from collections.abc import Mapping
from datetime import datetime, tzinfo

from hubd.core.codes.wishes import Wish
from hubd.core.hub import Hub
from hubd.core.keys import Key
from hubd.model.errors import HubError, InvalidInputError, RefusedError
from hubd.store.codes import CodeRecord
from hubd.store.records import DeviceRecord
from hubd.web import moments

LOG = logging.getLogger(__name__)

MAX_NAME = 80

_LABELS = {"code": "PIN", "starts_at": "From", "ends_at": "To"}


class CodeErrands:
    """Does what the forms say. Every method raises `HubError` with a sentence for the page."""

    def __init__(self, hub: Hub, zone: tzinfo) -> None:
        self._hub = hub
        self._zone = zone

    async def add(self, key: Key, record: DeviceRecord, form: Mapping[str, str]) -> CodeRecord:
        """Make the code of a form; without a PIN the hub chooses one, and an end alone means from now on."""
        _allow(key, "adding a code")
        ends_at = self._time(form, "to", "ends_at")
        starts_at = self._time(form, "from", "starts_at")
        if starts_at is None and ends_at is not None:
            starts_at = self._hub.codes.now().at
        wish = Wish(
            device_id=record.device.device_id,
            name=" ".join(form.get("name", "").split())[:MAX_NAME] or None,
            pin=form.get("pin", "").strip() or None,
            starts_at=starts_at,
            ends_at=ends_at,
        )
        (code,) = await self._hub.codes.create([wish], key.key_id)
        return code

    async def remove(self, key: Key, code_id: str) -> CodeRecord:
        """Have a code removed, whoever set it."""
        _allow(key, "removing a code")
        return await self._hub.codes.delete(code_id, key.key_id, is_managed=None)

    def pin(self, key: Key, code_id: str) -> str:
        """Return the PIN of a code."""
        _allow(key, "showing a PIN")
        code = self._hub.codes.get(code_id)
        pin = self._hub.codes.pin(code)
        if pin is None:
            message = "The lock does not tell this PIN, and the hub did not set it; nobody knows it here."
            raise RefusedError("code_not_known", message, access_code_id=code_id)
        LOG.info("key %s was shown the PIN of code %s", key.key_id, code_id)
        return pin

    def _time(self, form: Mapping[str, str], name: str, field: str) -> datetime | None:
        text = form.get(name, "").strip()
        if not text:
            return None
        try:
            return moments.read(text, self._zone)
        except ValueError as error:
            raise InvalidInputError(field, str(error)) from None


def said(error: HubError) -> str:
    """Return the sentence of an error in the words of the form."""
    if isinstance(error, InvalidInputError):
        reason = error.reason.replace("starts_at", _LABELS["starts_at"]).replace("ends_at", _LABELS["ends_at"])
        return f"{_LABELS.get(error.field, error.field)}: {reason}."
    return error.message


def _allow(key: Key, what: str) -> None:
    if not key.may("operator"):
        raise RefusedError("forbidden", f"This key has role {key.role}; {what} needs operator.")
