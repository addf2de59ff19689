from typing import Any

from hubd.api.code_lookup import CHUNK
from tests.hubd.api.codes import OTHER, PIN, make, put_in
from tests.hubd.api.harness import Api

GET = "/access_codes/get"


async def test_all_that_is_given_must_fit(api: Api) -> None:
    code = await make(api, code=PIN)
    body = {"access_code_id": code["access_code_id"]}
    await api.ok(GET, body | {"device_id": code["device_id"].upper(), "code": PIN})
    for wrong in ({"code": OTHER}, {"device_id": await api.device_id("Room 102")}):
        assert (await api.refused(GET, body | wrong))["type"] == "access_code_not_found"
    await api.wrong("access_code_id", GET, {"device_id": code["device_id"]})
    await api.wrong("access_code_id", GET, {"code": PIN})
    error = await api.refused(GET, {"device_id": code["device_id"], "code": OTHER})
    assert (error["status"], error["type"]) == (404, "access_code_not_found")
    nobody: dict[str, Any] = {"device_id": "00000000-0000-4000-8000-000000000000", "code": PIN}
    assert (await api.refused(GET, nobody))["type"] == "device_not_found"


async def test_managed_and_unmanaged_are_two_worlds(api: Api) -> None:
    found = await put_in(api, "4286")
    query = {"device_id": found["device_id"], "code": "4286"}
    assert (await api.refused(GET, query))["type"] == "access_code_not_found"
    assert (await api.ok("/access_codes/unmanaged/get", query))["access_code"]["code"] == "4286"


async def test_a_search_goes_through_long_lists(api: Api) -> None:
    names = [f"Guest {number}" for number in range(CHUNK // 2 + 1)]
    for room in ("101", "102", "103"):
        for name in names[:25]:
            await make(api, lock=f"Room {room}", name=name, sync=False)
    found = (await api.ok("/access_codes/list", {"search": "GUEST 24"}))["access_codes"]
    assert [code["name"] for code in found] == ["Guest 24"] * 3
    assert len((await api.ok("/access_codes/list"))["access_codes"]) == 75
