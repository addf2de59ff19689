"""`Idempotency-Key` on calls that change codes: one code, one attempt, one answer."""

import pytest

from hubd.api.code_calls import Changed
from hubd.api.route import Call
from hubd.core.message import Request
from hubd.model.event import Role
from tests.hubd.api.codes import PIN, make
from tests.hubd.api.harness import ORIGIN, Api

KEY = {"idempotency-key": "k"}


async def test_a_repeated_creation_is_one_code(api: Api) -> None:
    body = {"device_id": await api.device_id(), "name": "Anna"}
    first = await api.ok("/access_codes/create", body, headers=KEY)
    again = await api.ok("/access_codes/create", body, headers=KEY)
    assert again["access_code"]["access_code_id"] == first["access_code"]["access_code_id"]
    assert again["access_code"]["code"] == first["access_code"]["code"]
    assert again["action_attempt"]["action_attempt_id"] == first["action_attempt"]["action_attempt_id"]
    assert len(api.hub.journal.tables.codes) == 1


async def test_repeated_changes_and_removals(api: Api) -> None:
    code = await make(api, code=PIN)
    body = {"access_code_id": code["access_code_id"]}
    for path, members in (("update", {"name": "Ben"}), ("delete", {"sync": True})):
        first = await api.ok(f"/access_codes/{path}", body | members, headers={"idempotency-key": path})
        again = await api.ok(f"/access_codes/{path}", body | members, headers={"idempotency-key": path})
        assert again["action_attempt"]["action_attempt_id"] == first["action_attempt"]["action_attempt_id"]
    assert api.hub.journal.tables.codes == {}


async def test_a_refused_call_leaves_its_key_free(api: Api) -> None:
    device_id = await api.device_id()
    await make(api, code=PIN)
    error = await api.refused("/access_codes/create", {"device_id": device_id, "code": PIN}, headers=KEY)
    assert error["type"] == "duplicate_access_code"
    await api.ok("/access_codes/create", {"device_id": device_id}, headers=KEY)
    assert len((await api.ok("/action_attempts/list"))["action_attempts"]) == 2


@pytest.mark.parametrize("role", ["owner", "operator"])
async def test_before_its_transaction_there_is_no_answer(api: Api, role: Role) -> None:
    request = Request(method="POST", path="/", query=(), headers={}, body=b"", remote="", origin=ORIGIN)
    principal = next(key for key in api.keys.list() if key.role == "owner")
    call = Call(hub=api.hub, keys=api.keys, request=request, principal=principal)
    changed = Changed(call, "CREATE_ACCESS_CODE")
    await changed.settled(is_held=role == "owner")
    with pytest.raises(RuntimeError):
        changed.made()
    with pytest.raises(RuntimeError):
        changed.attempt()
