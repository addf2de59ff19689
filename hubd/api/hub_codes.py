"""`/hub/codes/*`: how each access code stands and why, what occupies a lock, and what became of codes. No PINs."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from hubd.api import shapes
from hubd.api.params import Params, Uuid
from hubd.api.route import READ, Call, Route, route
from hubd.core.codes import history
from hubd.core.codes.plan import Plan
from hubd.core.codes.slots import Filling, Holding, filling, slots
from hubd.core.codes.status import Status
from hubd.core.hub import Hub
from hubd.core.keys import Keys
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.store.codes import CodeRecord
from hubd.store.records import DeviceRecord

MAX_HISTORY = 1000


class CodeErrorShape(shapes.Shape, frozen=True, kw_only=True):
    """What is wrong with a code, under Seam's `error_code`."""

    error_code: str
    message: str
    created_at: datetime


class CodeStanding(shapes.Shape, frozen=True, kw_only=True):
    """An access code as it stands on its lock, with the reason if it waits."""

    access_code_id: str
    device_id: str
    device_name: str
    name: str | None
    is_managed: bool
    is_backup: bool
    is_being_deleted: bool
    status: Status
    is_scheduled_on_device: bool
    slot: int | None
    is_verified: bool | None
    """False: the lock confirmed it and does not tell PINs. Null: it is not on the lock, or it is not known whether."""
    starts_at: datetime | None
    ends_at: datetime | None
    why: str | None
    """Why it is not on its lock yet, or still on it."""
    wait_seconds: float | None
    """In how long the radio is expected to have seen to it; null where it does not wait for the radio."""
    errors: list[CodeErrorShape]
    created_at: datetime


class CodesAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Codes, device by device."""

    codes: list[CodeStanding]


class CodeAnswer(shapes.Ok, frozen=True, kw_only=True):
    """One code."""

    code: CodeStanding


class SlotShape(shapes.Shape, frozen=True, kw_only=True):
    """One slot of a keypad."""

    slot: int
    holding: Holding
    access_code_id: str | None
    name: str | None
    doubted_at: datetime | None
    is_hinted: bool


class SlotsAnswer(shapes.Ok, frozen=True, kw_only=True):
    """The slots of a lock, and what waits for its radio."""

    device_id: str
    slots: list[SlotShape]
    filling: Filling
    last_read_slot: int | None
    last_read_at: datetime | None
    waiting_changes: int
    """Of the whole driver instance."""
    waiting_seconds: float


class ToldShape(shapes.Shape, frozen=True, kw_only=True):
    """One line of a code's history."""

    at: datetime
    access_code_id: str
    access_code_name: str | None
    device_id: str
    device_name: str
    by_name: str | None
    """How the key is called that `body.by` names."""
    body: Any


class HistoryAnswer(shapes.Ok, frozen=True, kw_only=True):
    """Newest first."""

    history: list[ToldShape]


class ListCodes(Params, frozen=True, kw_only=True):
    """Of one device only."""

    device_id: Uuid | None = None


class GetCode(Params, frozen=True, kw_only=True):
    """Which code; `wait` holds the answer, up to 10 s, while it is being set or removed."""

    access_code_id: Uuid
    wait: bool = False


class GetSlots(Params, frozen=True, kw_only=True):
    """Which device."""

    device_id: Uuid


class GetHistory(Params, frozen=True, kw_only=True):
    """Of a code or of a device, those of its codes that are gone too."""

    access_code_id: Uuid | None = None
    device_id: Uuid | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_HISTORY)] = 200


async def list_codes(call: Call, params: ListCodes) -> CodesAnswer:
    """Return how access codes stand, managed or not, with why each waits and for how long."""
    hub = call.hub
    if params.device_id is None:
        records = [record for record in hub.devices.values() if record.removed_at is None]
    else:
        records = [hub.present(params.device_id.lower())]
    stamp = await _stamp(hub)
    found: list[CodeStanding] = []
    for record in records:
        codes = hub.codes.of(record.device.device_id)
        plan = hub.codes.plan(record.device.device_id) if codes else None
        found += [_standing(hub, record, code, plan, stamp) for code in codes]
        if codes:
            await asyncio.sleep(0)  # other calls are not held up by a large site
    return CodesAnswer(codes=found)


async def get(call: Call, params: GetCode) -> CodeAnswer:
    """Return how one access code stands."""
    hub, code_id = call.hub, params.access_code_id.lower()
    if params.wait:
        await hub.codes.settle(code_id, call.hold_seconds)
    stamp = await _stamp(hub)
    code = hub.codes.get(code_id)
    record = hub.devices[code.device_id]
    return CodeAnswer(code=_standing(hub, record, code, hub.codes.plan(code.device_id), stamp))


def _standing(
    hub: Hub, record: DeviceRecord, code: CodeRecord, plan: Plan | None, stamp: Callable[[datetime], str]
) -> CodeStanding:
    codes, placed = hub.codes, code.placement
    status = codes.status(code)
    hold = None if plan is None else plan.holds.get(code.code_id)
    is_next = hold is None and status in {"setting", "removing"} and hub.is_reachable(record)
    return CodeStanding(
        access_code_id=code.code_id,
        device_id=code.device_id,
        device_name=record.name,
        name=code.name,
        is_managed=code.is_managed,
        is_backup=code.is_backup,
        is_being_deleted=code.deleted_at is not None,
        status=status,
        is_scheduled_on_device=codes.is_scheduled(code),
        slot=None if placed is None else placed.slot,
        is_verified=placed.is_verified if placed is not None and placed.state == "set" else None,
        starts_at=code.starts_at,
        ends_at=code.ends_at,
        why=codes.why(code, hold, stamp),
        wait_seconds=round(codes.expected_wait(code), 1) if is_next else None,
        errors=[
            CodeErrorShape(error_code=error.code, message=error.message, created_at=error.since)
            for error in codes.errors(code, hold)
        ],
        created_at=code.created_at,
    )


async def _stamp(hub: Hub) -> Callable[[datetime], str]:
    zone = await asyncio.to_thread(ZoneInfo, hub.site.time_zone)  # the first time it reads a file
    return lambda at: f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


async def get_slots(call: Call, params: GetSlots) -> SlotsAnswer:
    """Return the slots of a lock, what each holds, what is in doubt, and what waits for its radio."""
    hub, device_id = call.hub, params.device_id.lower()
    record, keypad = hub.present(device_id), hub.codes.keypad(device_id)
    if keypad is None:
        raise RefusedError("not_supported", "The device has no keypad.", device_id=device_id)
    codes, book = hub.codes.of(device_id), hub.codes.book(device_id)
    names = {code.code_id: code.name for code in codes}
    found = slots(keypad, codes, book)
    backlog = hub.codes.backlog(record.device.instance)
    return SlotsAnswer(
        device_id=device_id,
        slots=[
            SlotShape(
                slot=one.number,
                holding=one.holding,
                access_code_id=one.code_id,
                name=None if one.code_id is None else names[one.code_id],
                doubted_at=one.doubted_at,
                is_hinted=one.is_hinted,
            )
            for one in found
        ],
        filling=filling(found),
        last_read_slot=book.swept_slot or None,
        last_read_at=book.swept_at,
        waiting_changes=backlog.steps,
        waiting_seconds=round(backlog.seconds, 1),
    )


async def get_history(call: Call, params: GetHistory) -> HistoryAnswer:
    """Return what became of a code, or of the codes of a device, newest first; kept for a year, gone codes too."""
    hub = call.hub
    if (params.access_code_id is None) is (params.device_id is None):
        raise InvalidInputError("access_code_id", "or device_id is needed, and not both")
    if params.access_code_id is not None:
        told = await history.of_code(hub.journal, params.access_code_id.lower(), params.limit)
        if not told:
            message = "There is no such access code on this hub, and was none within a year."
            raise NotFoundError("access_code_not_found", message, access_code_id=params.access_code_id)
    else:
        device_id = (params.device_id or "").lower()
        if device_id not in hub.devices:
            raise NotFoundError("device_not_found", "There is no such device on this hub.", device_id=device_id)
        told = await history.of_device(hub.journal, device_id, params.limit)
    names: dict[str, str | None] = {**await history.names(hub.journal, {one.code_id for one in told})}
    return HistoryAnswer(history=[_told(hub, call.keys, one, names) for one in told])


def _told(hub: Hub, keys: Keys, told: history.Told, names: dict[str, str | None]) -> ToldShape:
    record = hub.devices.get(told.device_id)
    who = getattr(told.event, "by", "")
    return ToldShape(
        at=told.at,
        access_code_id=told.code_id,
        access_code_name=names.get(told.code_id),
        device_id=told.device_id,
        device_name="" if record is None else record.name,
        by_name=next((key.name for key in keys.list() if key.key_id == who), None),
        body=told.event,
    )


ROUTES: list[Route] = [
    route("/hub/codes/list", READ, list_codes, CodesAnswer, ListCodes),
    route("/hub/codes/get", READ, get, CodeAnswer, GetCode),
    route("/hub/codes/slots", READ, get_slots, SlotsAnswer, GetSlots),
    route("/hub/codes/history", READ, get_history, HistoryAnswer, GetHistory),
]
