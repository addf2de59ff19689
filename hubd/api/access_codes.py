"""`/access_codes/*`: one code on one lock. What is asked for is durable at once; the lock follows in its own time."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hubd.api import code_shapes, shapes
from hubd.api.code_calls import Changed
from hubd.api.code_lookup import CHUNK, GetAccessCode, find, on_device, position, projector, searched
from hubd.api.code_params import (
    CodeName,
    Length,
    NewCode,
    Pin,
    Rounding,
    check_reachable,
    exact_time,
    may_be_modified,
    new_time,
    plain_name,
    refuse_offline_code,
)
from hubd.api.devices import check_managed
from hubd.api.envelope import answer
from hubd.api.filters import plain_device
from hubd.api.paging import page
from hubd.api.params import Params, Text, Uuid, Uuids
from hubd.api.route import ACT, READ, REMOVE, Call, Verb, route
from hubd.core.codes.wishes import Change, Wish
from hubd.model import ids
from hubd.model.errors import InvalidInputError, RefusedError
from hubd.store.codes import CodeRecord, Constraints
from hubd.store.tables import View

UPDATE_CODE: tuple[Verb, ...] = ("PATCH", "POST", "PUT")

type CodeLimit = Annotated[int, msgspec.Meta(ge=1, le=300_000)]
type PinLength = Annotated[int, msgspec.Meta(ge=4, le=20)]
type PinLengths = Annotated[tuple[PinLength, ...], msgspec.Meta(min_length=1, max_length=17)]


class CreateCode(NewCode, frozen=True, kw_only=True):
    """A code on one lock. `max_time_rounding` changes nothing: times are kept to the second."""

    device_id: Uuid
    common_code_key: Text | None = None
    is_offline_access_code: bool | None = None
    is_one_time_use: bool = False
    max_time_rounding: Rounding | None = None
    sync: bool = False
    use_offline_access_code: bool | None = None


class UpdateCode(Params, frozen=True, kw_only=True):
    """Members that are left out stay as they are."""

    access_code_id: Uuid
    allow_external_modification: bool | None = None
    attempt_for_offline_device: bool = True
    code: Pin | UnsetType = UNSET
    device_id: Uuid | None = None
    ends_at: Text | UnsetType | None = UNSET
    is_external_modification_allowed: bool | None = None
    is_managed: bool = True
    is_offline_access_code: bool | None = None
    is_one_time_use: bool | None = None
    max_time_rounding: Rounding | None = None
    name: CodeName | UnsetType | None = UNSET
    prefer_native_scheduling: bool | UnsetType = UNSET
    preferred_code_length: Length | None = None
    starts_at: Text | UnsetType | None = UNSET
    sync: bool = False
    type: Literal["ongoing", "time_bound"] | None = None
    use_backup_access_code_pool: bool = False
    use_offline_access_code: bool | None = None


class DeleteCode(Params, frozen=True, kw_only=True):
    """Which code; with `device_id` it must be on that device."""

    access_code_id: Uuid
    device_id: Uuid | None = None
    sync: bool = False


class OneCode(Params, frozen=True, kw_only=True):
    """Which code."""

    access_code_id: Uuid


class ListAccessCodes(Params, frozen=True, kw_only=True):
    """Seam's filters; all given ones must fit, and what a hub does not have (grants, customers) matches nothing."""

    access_code_ids: Uuids | None = None
    access_grant_id: Uuid | None = None
    access_grant_key: Text | None = None
    access_method_id: Uuid | None = None
    customer_key: Text | None = None
    device_id: Uuid | None = None
    limit: CodeLimit = 55_000
    page_cursor: Text | None = None
    search: Text | None = None
    user_identifier_key: Text | None = None


class CodeDevice(Params, frozen=True, kw_only=True):
    """Which lock."""

    device_id: Uuid


class ReportConstraints(Params, frozen=True, kw_only=True):
    """Either `supported_code_lengths`, or one or both of the bounds."""

    device_id: Uuid
    max_code_length: PinLength | None = None
    min_code_length: PinLength | None = None
    supported_code_lengths: PinLengths | None = None


async def create(call: Call, params: CreateCode) -> code_shapes.MadeCodeAnswer:
    """Make a code; the answer does not wait for the lock, unless `sync` is true."""
    refuse_offline_code(params.is_offline_access_code, params.use_offline_access_code)
    device_id = params.device_id.lower()
    check_reachable(call, device_id, attempt_for_offline=params.attempt_for_offline_device)
    wish = replace(
        wish_of(params, device_id), common_code_key=params.common_code_key, is_one_time=params.is_one_time_use
    )
    told = Changed(call, "CREATE_ACCESS_CODE")
    await call.hub.codes.create([wish], call.principal.key_id, told)
    await told.settled(is_held=params.sync)
    return told.made()


def wish_of(params: NewCode, device_id: str) -> Wish:
    """Return the wish that is in the parameters. Raises `InvalidInputError`."""
    allowed = may_be_modified(old=params.allow_external_modification, new=params.is_external_modification_allowed)
    return Wish(
        device_id=device_id,
        name=plain_name(params.name),
        pin=params.code,
        starts_at=exact_time("starts_at", params.starts_at),
        ends_at=exact_time("ends_at", params.ends_at),
        preferred_length=params.preferred_code_length,
        is_external_modification_allowed=bool(allowed),
        prefers_native=params.prefer_native_scheduling,
        wants_pool=params.use_backup_access_code_pool,
    )


async def update(call: Call, params: UpdateCode) -> code_shapes.CodeAttemptAnswer:
    """Change a code, which keeps its place on the lock; waits for the lock with `sync` only."""
    refuse_offline_code(params.is_offline_access_code, params.use_offline_access_code)
    code_id = params.access_code_id.lower()
    code = on_device(call, code_id, params.device_id)
    check_reachable(call, code.device_id, attempt_for_offline=params.attempt_for_offline_device)
    if params.is_one_time_use is not None and params.is_one_time_use is not code.is_one_time:
        raise InvalidInputError("is_one_time_use", "stays as it was when the code was made")
    change, told = change_of(params), Changed(call, "UPDATE_ACCESS_CODE")
    if params.is_managed:
        await call.hub.codes.update(code_id, change, call.principal.key_id, told)
    elif change != Change():
        raise InvalidInputError("is_managed", "is changed by itself, without other members")
    else:
        await call.hub.codes.convert(code_id, call.principal.key_id, told, is_managed=False)
    await told.settled(is_held=params.sync)
    return told.attempt()


def change_of(params: UpdateCode) -> Change:
    """Return the change that is in the parameters. Raises `InvalidInputError`."""
    starts_at, ends_at = new_time("starts_at", params.starts_at), new_time("ends_at", params.ends_at)
    if params.type == "ongoing":
        for field, value in (("starts_at", starts_at), ("ends_at", ends_at)):
            if value is not UNSET and value is not None:
                raise InvalidInputError(field, "an ongoing code has no times")
        starts_at = ends_at = None
    if params.type == "time_bound" and (starts_at is None or ends_at is None):
        raise InvalidInputError("type", "a time_bound code has starts_at and ends_at")
    allowed = may_be_modified(old=params.allow_external_modification, new=params.is_external_modification_allowed)
    return Change(
        name=UNSET if isinstance(params.name, UnsetType) else plain_name(params.name),
        pin=params.code,
        starts_at=starts_at,
        ends_at=ends_at,
        is_external_modification_allowed=UNSET if allowed is None else allowed,
        prefers_native=params.prefer_native_scheduling,
        wants_pool=params.use_backup_access_code_pool,
    )


async def delete(call: Call, params: DeleteCode) -> code_shapes.CodeAttemptAnswer:
    """Remove a code from its lock and for good; waits for the lock with `sync` only."""
    code_id = params.access_code_id.lower()
    on_device(call, code_id, params.device_id)
    told = Changed(call, "DELETE_ACCESS_CODE")
    await call.hub.codes.delete(code_id, call.principal.key_id, told)
    await told.settled(is_held=params.sync)
    return told.attempt()


async def get(call: Call, params: GetAccessCode) -> code_shapes.AccessCodeAnswer:
    """Return a managed code."""
    return code_shapes.AccessCodeAnswer(access_code=projector(call).managed(find(call, params, is_managed=True)))


async def list_codes(call: Call, params: ListAccessCodes) -> code_shapes.CodeListAnswer:
    """Return a page of managed codes, oldest first."""
    elsewhere = (params.access_grant_id, params.access_grant_key, params.access_method_id, params.customer_key)
    if any(value is not None for value in (*elsewhere, params.user_identifier_key)):
        found: list[CodeRecord] = []
    else:
        found = await searched(call, _listed(call, params), params.search)
    cut, pagination = page(found, position, params, call.request)
    builder, built = projector(call), []
    for number, code in enumerate(cut, 1):
        built.append(builder.managed(code))
        if number % CHUNK == 0:
            await asyncio.sleep(0)
    return code_shapes.CodeListAnswer(access_codes=built, pagination=pagination)


def _listed(call: Call, params: ListAccessCodes) -> list[CodeRecord]:
    if params.device_id is not None:
        found = call.hub.codes.of(plain_device(call.hub, params.device_id.lower()).device.device_id)
    else:
        found = list(call.hub.journal.tables.codes.values())
    if params.access_code_ids is not None:
        wanted = {code_id.lower() for code_id in params.access_code_ids}
        found = [code for code in found if code.code_id in wanted]
    return [code for code in found if code.is_managed]


async def generate_code(call: Call, params: CodeDevice) -> code_shapes.GeneratedAnswer:
    """Return a PIN that the lock would take now; nothing is kept of it."""
    device_id = params.device_id.lower()
    record = plain_device(call.hub, device_id)
    check_managed(record, is_managed=True)
    keypad = call.hub.codes.keypad(device_id)
    if keypad is None:
        message = "The device takes no codes: its can_program_online_access_codes is not true."
        flag = "can_program_online_access_codes"
        raise RefusedError("not_supported", message, device_id=device_id, flag=flag)
    pin = call.hub.codes.generate(device_id, keypad)
    now = call.hub.clock.now()
    shape = projector(call).managed(CodeRecord(ids.new_id(), device_id, now, now))
    return code_shapes.GeneratedAnswer(
        generated_code=replace(shape, code=pin, status="unset", pending_mutations=[], warnings=[], errors=[])
    )


async def pull_backup(call: Call, params: OneCode) -> code_shapes.BackupAnswer:
    """Return the backup code that is on the lock already and works in place of this one from now on."""
    shown = projector(call).managed

    def told(view: View, codes: Sequence[CodeRecord]) -> None:
        if call.keeper is not None:
            backup = shown(codes[0])
            body = code_shapes.BackupAnswer(access_code=backup, backup_access_code=backup)
            call.keeper.answer(view, answer(body).body)

    code = await call.hub.codes.pull_backup(params.access_code_id.lower(), call.principal.key_id, told)
    backup = projector(call).managed(call.hub.journal.tables.codes.get(code.code_id) or code)
    return code_shapes.BackupAnswer(access_code=backup, backup_access_code=backup)


async def report_constraints(call: Call, params: ReportConstraints) -> shapes.Ok:
    """Keep which lengths of a PIN the lock really takes, where it says more of itself than is true."""
    lengths = params.supported_code_lengths or ()
    least, most = params.min_code_length, params.max_code_length
    if least is not None and most is not None and least > most:
        raise InvalidInputError("min_code_length", "must not be more than max_code_length")
    report = Constraints(min_length=least, max_length=most, lengths=tuple(sorted(set(lengths))))
    await call.hub.codes.report(params.device_id.lower(), report, call.principal.key_id)
    return shapes.Ok()


ROUTES = [
    route("/access_codes/create", ACT, create, code_shapes.MadeCodeAnswer, CreateCode, "operator"),
    route("/access_codes/update", UPDATE_CODE, update, code_shapes.CodeAttemptAnswer, UpdateCode, "operator"),
    route("/access_codes/delete", REMOVE, delete, code_shapes.CodeAttemptAnswer, DeleteCode, "operator"),
    route("/access_codes/get", READ, get, code_shapes.AccessCodeAnswer, GetAccessCode),
    route("/access_codes/list", READ, list_codes, code_shapes.CodeListAnswer, ListAccessCodes),
    route("/access_codes/generate_code", READ, generate_code, code_shapes.GeneratedAnswer, CodeDevice, "operator"),
    route("/access_codes/pull_backup_access_code", ACT, pull_backup, code_shapes.BackupAnswer, OneCode, "operator"),
    route("/access_codes/report_device_constraints", ACT, report_constraints, shapes.Ok, ReportConstraints, "operator"),
]
