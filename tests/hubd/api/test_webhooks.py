import base64
import uuid
from typing import Any

from hubd.api.webhooks import MAX_WEBHOOKS, load
from hubd.model.event import Role
from tests.hubd.api.harness import Api

NOT_OWNERS: tuple[Role, ...] = ("viewer", "operator")
URL = "https://example.com/hook?a=1"


async def create(api: Api, **members: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok("/webhooks/create", {"url": URL, **members}))["webhook"]
    return found


async def test_the_secret_is_shown_once(api: Api) -> None:
    webhook = await create(api)
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 24
    assert webhook == {"webhook_id": webhook["webhook_id"], "url": URL, "event_types": ["*"]}
    query = {"webhook_id": webhook["webhook_id"]}
    assert (await api.ok("/webhooks/get", query))["webhook"] == webhook
    assert (await api.ok("/webhooks/get", method="GET", query=query))["webhook"] == webhook
    assert (await api.ok("/webhooks/list", method="GET"))["webhooks"] == [webhook]


async def test_the_secret_is_sealed_on_the_disk(api: Api) -> None:
    secret = base64.b64decode((await create(api))["secret"].removeprefix("whsec_"))
    (sealed,) = (await api.hub.journal.database.read("SELECT secret FROM webhooks"))[0]
    assert secret not in sealed
    (record,) = await load(api.hub)
    assert record.secret == secret
    assert record.webhook_id in repr(record)
    assert str(secret) not in repr(record)


async def test_update_and_delete(api: Api) -> None:
    webhook_id = (await create(api, event_types=["lock.locked"]))["webhook_id"]
    body = {"webhook_id": webhook_id, "event_types": ["lock.unlocked", "device.added"]}
    for method in ("PUT", "POST"):
        await api.ok("/webhooks/update", body, method=method)
    (webhook,) = (await api.ok("/webhooks/list"))["webhooks"]
    assert webhook["event_types"] == ["lock.unlocked", "device.added"]
    await api.ok("/webhooks/delete", method="DELETE", query={"webhook_id": webhook_id})
    assert (await api.ok("/webhooks/list"))["webhooks"] == []
    assert await api.hub.journal.database.read("SELECT * FROM cursors") == []


async def test_a_webhook_that_is_not_there(api: Api) -> None:
    unknown = str(uuid.uuid4())
    for path in ("get", "delete"):
        error = await api.refused(f"/webhooks/{path}", {"webhook_id": unknown})
        assert (error["status"], error["type"], error["data"]) == (404, "webhook_not_found", {"webhook_id": unknown})
    assert (await api.refused("/webhooks/update", {"webhook_id": unknown, "event_types": ["*"]}))["status"] == 404


NO_ADDRESSES: list[Any] = [
    "",
    "x",
    "ftp://example.com",
    "http://",
    "http:///x",
    "http://exa mple.com",
    "http://[::1",
    "http://host:0/",
    "http://host:99999/",
    "http://host:x/",
    "http://user:secret@host/",
    "http://user@host/",
    "http://hôst/",
    "http://host/\n",
    "javascript:alert(1)",
    "https://" + "x" * 2000,
    5,
    None,
]


async def test_what_is_no_address(api: Api) -> None:
    for url in NO_ADDRESSES:
        sentence = await api.wrong("url", "/webhooks/create", {"url": url})
        assert "secret" not in sentence
        assert (await api.ok("/webhooks/list"))["webhooks"] == []


NO_TYPES: list[Any] = [[], [""], [" "], ["a,b"], ["a\n"], ["x" * 81], ["*"] * 201, "*", [1], None]


async def test_what_is_no_list_of_types(api: Api) -> None:
    webhook_id = (await create(api))["webhook_id"]
    for types in NO_TYPES:
        await api.wrong("event_types", "/webhooks/create", {"url": URL, "event_types": types})
        await api.wrong("event_types", "/webhooks/update", {"webhook_id": webhook_id, "event_types": types})


async def test_there_are_only_so_many(api: Api) -> None:
    for _ in range(MAX_WEBHOOKS):
        await create(api)
    assert (await api.refused("/webhooks/create", {"url": URL}))["type"] == "too_many_webhooks"


async def test_only_an_owner_sees_them(api: Api) -> None:
    for role in NOT_OWNERS:
        token = await api.as_role(role)
        for path in ("create", "get", "list", "update", "delete"):
            assert (await api.refused(f"/webhooks/{path}", {}, token=token))["type"] == "forbidden"


async def test_one_whose_secret_is_of_another_box_can_still_be_deleted(api: Api) -> None:
    webhook_id = (await create(api))["webhook_id"]
    await api.hub.journal.transact(lambda view: view.execute("UPDATE webhooks SET secret = ?", bytes(40)))
    (record,) = await load(api.hub)
    assert record.secret is None
    await api.ok("/webhooks/delete", {"webhook_id": webhook_id})
    assert await load(api.hub) == []
