"""Which codes a call means, and how their pages are ordered."""

import asyncio

from hubd.api.code_params import sees_pins
from hubd.api.code_project import Projector
from hubd.api.envelope import AccessError
from hubd.api.filters import plain_device
from hubd.api.paging import Position
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import Call
from hubd.model.errors import InvalidInputError, NotFoundError
from hubd.store.codes import CodeRecord
from hubd.store.records import micros

CHUNK = 50
"""Codes of a long list that are looked at before anything else gets a turn."""


class GetAccessCode(Params, frozen=True, kw_only=True):
    """By id, or by device and PIN; all given ones must fit."""

    access_code_id: Uuid | None = None
    code: Text | None = None
    device_id: Uuid | None = None


def projector(call: Call) -> Projector:
    """Return what builds the codes of an answer for this caller."""
    return Projector(call.hub, shows_pins=sees_pins(call))


def missing(code_id: str | None, *, is_managed: bool) -> NotFoundError:
    """Return the error that there is no such code."""
    kind = "managed" if is_managed else "unmanaged"
    message = f"There is no such {kind} access code on this hub (any more)."
    return NotFoundError("access_code_not_found", message, access_code_id=code_id)


def on_device(call: Call, code_id: str, device_id: str | None) -> CodeRecord:
    """Return a managed code, which must be on a device if one is named. Raises `NotFoundError`."""
    code = call.hub.codes.get(code_id)
    if not code.is_managed or (device_id is not None and code.device_id != device_id.lower()):
        raise missing(code_id, is_managed=True)
    return code


def find(call: Call, params: GetAccessCode, *, is_managed: bool) -> CodeRecord:
    """Return the one code meant. Raises `InvalidInputError`, `NotFoundError`, `AccessError`."""
    if params.access_code_id is not None:
        fitting = [call.hub.codes.get(params.access_code_id.lower())]
    elif params.device_id is not None and params.code is not None:
        fitting = call.hub.codes.of(plain_device(call.hub, params.device_id.lower()).device.device_id)
    else:
        raise InvalidInputError("access_code_id", "is required (or device_id and code)")
    if params.device_id is not None:
        fitting = [code for code in fitting if code.device_id == params.device_id.lower()]
    if params.code is not None:
        if not sees_pins(call):
            raise AccessError(403, "forbidden", "A viewer does not see PINs, and may not ask for one; ask by id.")
        pin, device_ids = params.code, {code.device_id for code in fitting}
        having = {code.code_id for device_id in device_ids for code in call.hub.codes.with_pin(device_id, pin)}
        fitting = [code for code in fitting if code.code_id in having]
    fitting = [code for code in fitting if code.is_managed is is_managed]
    if not fitting:
        raise missing(params.access_code_id, is_managed=is_managed)
    return min(fitting, key=lambda code: (code.deleted_at is not None, position(code)))


def position(code: CodeRecord) -> Position:
    """Return the place of a code in lists: by age."""
    return micros(code.created_at), code.code_id


async def searched(call: Call, codes: list[CodeRecord], words: str | None) -> list[CodeRecord]:
    """Return the codes whose name, PIN or id has some text in it; a PIN only for a caller who may see it."""
    if not words:
        return codes
    is_digits, wanted, found = words.isdigit() and sees_pins(call), words.lower(), []
    for number, code in enumerate(codes, 1):
        has_pin = is_digits and words in (call.hub.codes.pin(code) or "")
        if has_pin or wanted in (code.name or "").lower() or wanted in code.code_id:
            found.append(code)
        if number % CHUNK == 0:
            await asyncio.sleep(0)
    return found
