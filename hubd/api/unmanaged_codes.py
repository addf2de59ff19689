"""`/access_codes/unmanaged/*`: what was found on locks and nobody wished. The hub touches none of it by itself."""

from hubd.api import code_shapes, shapes
from hubd.api.access_codes import CodeLimit
from hubd.api.code_calls import Changed
from hubd.api.code_lookup import GetAccessCode, find, missing, position, projector, searched
from hubd.api.code_params import may_be_modified
from hubd.api.filters import plain_device
from hubd.api.paging import page
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import READ, REMOVE, UPDATE, Call, route


class ListUnmanagedCodes(Params, frozen=True, kw_only=True):
    """Of one lock; users match nothing."""

    device_id: Uuid
    limit: CodeLimit = 300_000
    page_cursor: Text | None = None
    search: Text | None = None
    user_identifier_key: Text | None = None


class DeleteUnmanagedCode(Params, frozen=True, kw_only=True):
    """Which code."""

    access_code_id: Uuid
    sync: bool = False


class ConvertCode(Params, frozen=True, kw_only=True):
    """Which code. One hub has one workspace, so there is nothing to `force`; `sync` changes nothing."""

    access_code_id: Uuid
    allow_external_modification: bool | None = None
    force: bool = False
    is_external_modification_allowed: bool | None = None
    sync: bool = False


class UpdateUnmanagedCode(Params, frozen=True, kw_only=True):
    """Which code; `is_managed` true takes it on, false only notes what else is given."""

    access_code_id: Uuid
    is_managed: bool
    allow_external_modification: bool | None = None
    force: bool = False
    is_external_modification_allowed: bool | None = None


async def get(call: Call, params: GetAccessCode) -> code_shapes.UnmanagedAnswer:
    """Return a code that was found on a lock."""
    return code_shapes.UnmanagedAnswer(access_code=projector(call).unmanaged(find(call, params, is_managed=False)))


async def list_codes(call: Call, params: ListUnmanagedCodes) -> code_shapes.UnmanagedListAnswer:
    """Return a page of what was found on a lock, oldest first."""
    device_id = plain_device(call.hub, params.device_id.lower()).device.device_id
    found = [code for code in call.hub.codes.of(device_id) if not code.is_managed]
    found = [] if params.user_identifier_key is not None else await searched(call, found, params.search)
    cut, pagination = page(found, position, params, call.request)
    codes = list(map(projector(call).unmanaged, cut))
    return code_shapes.UnmanagedListAnswer(access_codes=codes, pagination=pagination)


async def delete(call: Call, params: DeleteUnmanagedCode) -> code_shapes.CodeAttemptAnswer:
    """Take a code that was found on a lock off it; waits for the lock with `sync` only."""
    code_id = params.access_code_id.lower()
    if call.hub.codes.get(code_id).is_managed:
        raise missing(code_id, is_managed=False)
    told = Changed(call, "DELETE_ACCESS_CODE")
    await call.hub.codes.delete(code_id, call.principal.key_id, told, is_managed=False)
    await told.settled(is_held=params.sync)
    return told.attempt()


async def convert(call: Call, params: ConvertCode) -> shapes.Ok:
    """Have the hub keep a code that was found on its lock. Twice is once."""
    await _manage(call, params, is_managed=True)
    return shapes.Ok()


async def update(call: Call, params: UpdateUnmanagedCode) -> shapes.Ok:
    """Take a code on, or note whether others may change it."""
    code_id = params.access_code_id.lower()
    if not params.is_managed and call.hub.codes.get(code_id).is_managed:
        raise missing(code_id, is_managed=False)
    await _manage(call, params, is_managed=params.is_managed)
    return shapes.Ok()


async def _manage(call: Call, params: ConvertCode | UpdateUnmanagedCode, *, is_managed: bool) -> None:
    allowed = may_be_modified(old=params.allow_external_modification, new=params.is_external_modification_allowed)
    await call.hub.codes.convert(
        params.access_code_id.lower(),
        call.principal.key_id,
        is_managed=is_managed,
        is_modification_allowed=allowed,
    )


ROUTES = [
    route("/access_codes/unmanaged/get", READ, get, code_shapes.UnmanagedAnswer, GetAccessCode),
    route("/access_codes/unmanaged/list", READ, list_codes, code_shapes.UnmanagedListAnswer, ListUnmanagedCodes),
    route(
        "/access_codes/unmanaged/delete", REMOVE, delete, code_shapes.CodeAttemptAnswer, DeleteUnmanagedCode, "operator"
    ),
    route("/access_codes/unmanaged/convert_to_managed", UPDATE, convert, shapes.Ok, ConvertCode, "operator"),
    route("/access_codes/unmanaged/update", UPDATE, update, shapes.Ok, UpdateUnmanagedCode, "operator"),
]
