import uuid
from pathlib import Path
from typing import Any

from hubd.core.policy import Policy
from tests.hubd.api.harness import Api, instance, running_api


async def account(api: Api) -> dict[str, Any]:
    (found,) = (await api.ok("/connected_accounts/list"))["connected_accounts"]
    return dict(found)


async def test_a_driver_instance_is_an_account(api: Api) -> None:
    found = await account(api)
    assert found["connected_account_id"] == (await api.device())["connected_account_id"]
    assert (found["account_type"], found["display_name"], found["errors"]) == ("virtual", "site", [])
    assert found["accepted_capabilities"] == ["lock", "thermostat"]
    assert found["automatically_manage_new_devices"] is True
    assert found["time_zone"] == "Europe/Berlin"
    query = {"connected_account_id": found["connected_account_id"]}
    assert (await api.ok("/connected_accounts/get", query))["connected_account"] == found
    assert (await api.ok("/connected_accounts/get", method="GET", query=query))["connected_account"] == found


async def test_what_is_managed_is_what_the_config_says(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(policy=Policy(()))) as api:
        found = await account(api)
        assert found["accepted_capabilities"] == []
        assert found["automatically_manage_new_devices"] is False


async def test_an_account_that_is_not_there(api: Api) -> None:
    unknown = {"connected_account_id": str(uuid.uuid4())}
    for path in ("get", "update", "delete", "sync", "simulate/disconnect"):
        error = await api.refused(f"/connected_accounts/{path}", unknown)
        assert (error["status"], error["type"]) == (404, "connected_account_not_found")
    error = await api.refused("/connected_accounts/get", {"email": "anna@example.com"})
    assert (error["status"], error["type"]) == (404, "connected_account_not_found")
    both = {"email": "anna@example.com", "connected_account_id": (await account(api))["connected_account_id"]}
    assert (await api.refused("/connected_accounts/get", both))["status"] == 404
    await api.wrong("connected_account_id", "/connected_accounts/get", {})


async def test_lists_filter(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(), instance("annex", locks=1, thermostats=0)) as api:
        everything = (await api.ok("/connected_accounts/list"))["connected_accounts"]
        annex = next(found for found in everything if found["display_name"] == "annex")
        metadata = {
            "connected_account_id": annex["connected_account_id"],
            "custom_metadata": {"wing": "w", "old": True},
        }
        await api.ok("/connected_accounts/update", metadata)

        async def listed(**filters: Any) -> set[str]:
            found = (await api.ok("/connected_accounts/list", filters))["connected_accounts"]
            return {one["display_name"] for one in found}

        assert await listed(search="ANN") == {"annex"}
        assert await listed(search="virtual") == {"annex", "site"}
        assert await listed(custom_metadata_has={"wing": "w"}) == {"annex"}
        assert await listed(custom_metadata_has={"old": True}) == {"annex"}
        assert await listed(custom_metadata_has={"wing": "x"}) == set()
        for absent in ({"customer_key": "c"}, {"space_id": str(uuid.uuid4())}, {"user_identifier_key": ""}):
            assert await listed(**absent) == set()
        query = {"custom_metadata_has.old": "true"}
        answer = await api.ok("/connected_accounts/list", method="GET", query=query)
        assert len(answer["connected_accounts"]) == 1
        first = await api.ok("/connected_accounts/list", {"limit": 1})
        cursor = first["pagination"]["next_page_cursor"]
        second = await api.ok("/connected_accounts/list", {"limit": 1, "page_cursor": cursor})
        shown = [one["display_name"] for one in first["connected_accounts"] + second["connected_accounts"]]
        assert sorted(shown) == ["annex", "site"]


async def test_update_name_and_metadata(api: Api) -> None:
    account_id = (await account(api))["connected_account_id"]
    body = {"connected_account_id": account_id, "display_name": "Main house", "custom_metadata": {"a": "1", "b": True}}
    for news in (1, 0):
        head = api.hub.journal.head
        changed = (await api.ok("/connected_accounts/update", body, method="PATCH"))["connected_account"]
        assert (changed["display_name"], changed["custom_metadata"]) == ("Main house", {"a": "1", "b": True})
        assert api.hub.journal.head == head + news
    body = {"connected_account_id": account_id, "custom_metadata": {"a": None}}
    changed = (await api.ok("/connected_accounts/update", body))["connected_account"]
    assert (changed["display_name"], changed["custom_metadata"]) == ("Main house", {"b": True})


SET_IN_CONFIG: list[tuple[Any, Any]] = [
    ({"automatically_manage_new_devices": False}, "set_in_config"),
    ({"accepted_capabilities": []}, "set_in_config"),
    ({"customer_key": "c-1"}, "not_supported"),
]


async def test_what_the_config_decides_is_refused(api: Api) -> None:
    for members, code in SET_IN_CONFIG:
        body = {"connected_account_id": (await account(api))["connected_account_id"], "display_name": "x", **members}
        error = await api.refused("/connected_accounts/update", body)
        assert (error["status"], error["type"]) == (400, code)
        assert (await account(api))["display_name"] == "site"


WRONG_EDITS: list[tuple[dict[str, Any], str]] = [
    ({"display_name": ""}, "display_name"),
    ({"display_name": None}, "display_name"),
    ({"display_name": "x" * 256}, "display_name"),
    ({"custom_metadata": {"k" * 41: ""}}, "custom_metadata"),
    ({"custom_metadata": {f"k{n}": "v" for n in range(51)}}, "custom_metadata"),
]


async def test_wrong_edits(api: Api) -> None:
    account_id = (await account(api))["connected_account_id"]
    for members, field in WRONG_EDITS:
        await api.wrong(field, "/connected_accounts/update", {"connected_account_id": account_id, **members})


async def test_delete_names_the_table_to_take_out(api: Api) -> None:
    body = {"connected_account_id": (await account(api))["connected_account_id"], "sync": True}
    for method in ("POST", "DELETE"):
        error = await api.refused("/connected_accounts/delete", body, method=method)
        assert (error["status"], error["type"]) == (400, "set_in_config")
        assert "[drivers.site]" in error["message"]
    assert (await api.device())["is_managed"] is True


async def test_sync_says_whether_what_is_shown_is_live(api: Api) -> None:
    body = {"connected_account_id": (await account(api))["connected_account_id"]}
    await api.ok("/connected_accounts/sync", body)
    await api.ok("/connected_accounts/simulate/disconnect", body)
    error = await api.refused("/connected_accounts/sync", body)
    assert (error["status"], error["type"]) == (400, "account_disconnected")
    (problem,) = (await account(api))["errors"]
    assert problem["error_code"] == "account_disconnected"
    assert problem["is_connected_account_error"] is True
