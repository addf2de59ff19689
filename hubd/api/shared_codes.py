"""`/access_codes/create_multiple` and `update_multiple`: one PIN on several locks."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api import code_shapes, shapes
from hubd.api.access_codes import wish_of
from hubd.api.code_lookup import projector
from hubd.api.code_params import CodeName, NewCode, check_reachable, new_time, plain_name
from hubd.api.envelope import answer
from hubd.api.params import Params, Text, Uuid
from hubd.api.route import REPLACE, UPDATE, Call, route
from hubd.core.codes.wishes import Change
from hubd.store.codes import CodeRecord
from hubd.store.tables import View

type Locks = Annotated[tuple[Uuid, ...], msgspec.Meta(min_length=1, max_length=1000)]


class CreateCodes(NewCode, frozen=True, kw_only=True):
    """One code on each of several locks."""

    device_ids: Locks
    behavior_when_code_cannot_be_shared: Literal["throw", "create_random_code"] = "throw"


class UpdateCodes(Params, frozen=True, kw_only=True):
    """Members that are left out stay as they are."""

    common_code_key: Text
    ends_at: Text | UnsetType | None = UNSET
    name: CodeName | UnsetType | None = UNSET
    starts_at: Text | UnsetType | None = UNSET


async def create_multiple(call: Call, params: CreateCodes) -> code_shapes.AccessCodesAnswer:
    """Make one code on each lock, or none at all; the same call again answers with the same codes."""
    device_ids = list(dict.fromkeys(device_id.lower() for device_id in params.device_ids))
    for device_id in device_ids:
        check_reachable(call, device_id, attempt_for_offline=params.attempt_for_offline_device)

    def told(view: View, codes: Sequence[CodeRecord]) -> None:
        if call.keeper is not None:
            call.keeper.answer(view, answer(_answer(call, codes)).body)

    wishes = [wish_of(params, device_id) for device_id in device_ids]
    may_differ = params.behavior_when_code_cannot_be_shared == "create_random_code"
    return _answer(call, await call.hub.codes.create_group(wishes, call.principal.key_id, told, may_differ=may_differ))


def _answer(call: Call, codes: Sequence[CodeRecord]) -> code_shapes.AccessCodesAnswer:
    builder = projector(call)
    return code_shapes.AccessCodesAnswer(access_codes=[builder.managed(code) for code in codes])


async def update_multiple(call: Call, params: UpdateCodes) -> shapes.Ok:
    """Change every code that has a `common_code_key`, or none at all."""
    change = Change(
        name=UNSET if isinstance(params.name, UnsetType) else plain_name(params.name),
        starts_at=new_time("starts_at", params.starts_at),
        ends_at=new_time("ends_at", params.ends_at),
    )

    def told(view: View, _: Sequence[CodeRecord]) -> None:
        if call.keeper is not None:
            call.keeper.answer(view, answer(shapes.Ok()).body)

    await call.hub.codes.update_group(params.common_code_key, change, call.principal.key_id, told)
    return shapes.Ok()


ROUTES = [
    route(
        "/access_codes/create_multiple",
        REPLACE,
        create_multiple,
        code_shapes.AccessCodesAnswer,
        CreateCodes,
        "operator",
    ),
    route("/access_codes/update_multiple", UPDATE, update_multiple, shapes.Ok, UpdateCodes, "operator"),
]
