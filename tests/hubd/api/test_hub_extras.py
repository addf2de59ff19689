import json
from contextlib import aclosing
from typing import Any

from hubd.api.hub_extras import MAX_STREAMS, follow
from hubd.core.message import Request
from hubd.model.errors import StoreError
from tests.hubd.api.harness import Api
from tests.support.site import eventually


async def stream(api: Api, headers: dict[str, str] | None = None, **query: Any) -> Any:
    request = Request(
        method="GET",
        path="/hub/journal/stream",
        query=tuple((name, str(value)) for name, value in query.items()),
        headers={"authorization": f"Bearer {api.token}", **(headers or {})},
    )
    return await api.router.handle(request)


async def test_health_needs_no_key_and_tells_no_secret(api: Api) -> None:
    body = await api.ok("/health", method="GET", token="")
    assert body["ok"] is True
    assert [part["service"] for part in body["service_health_statuses"]] == ["storage", "clock", "driver/site"]
    assert {part["status"] for part in body["service_health_statuses"]} == {"healthy"}


async def test_health_says_what_is_degraded(api: Api) -> None:
    account = {"connected_account_id": (await api.device())["connected_account_id"]}
    await api.ok("/connected_accounts/simulate/disconnect", account)
    await eventually(lambda: not api.hub.health["site"].is_connected)
    api.hub.journal.problem = StoreError("disk_full", "The disk is full.")
    body = await api.ok("/health", token="")
    assert body["ok"] is False
    assert {part["service"]: part["status"] for part in body["service_health_statuses"]} == {
        "storage": "degraded",
        "clock": "healthy",
        "driver/site": "degraded",
    }
    site = await api.ok("/hub/site")
    assert site["storage"] == "The disk is full."
    (shape,) = site["instances"]
    assert (shape["state"], shape["devices"], shape["devices_online"]) == ("lost", 4, 0)
    assert [(hop["name"], hop["ok"], hop["code"]) for hop in shape["hops"]] == [("site", False, "simulated_outage")]
    assert shape["next_try_at"] is None or shape["next_try_at"].endswith("Z")


async def test_the_site_at_one_glance(api: Api) -> None:
    site = await api.ok("/hub/site", method="GET")
    assert (site["name"], site["time_zone"], site["storage"]) == ("Test site", "Europe/Berlin", "ok")
    assert site["journal_head"] == api.hub.journal.head
    (shape,) = site["instances"]
    assert (shape["instance"], shape["type"], shape["devices_online"]) == ("site", "virtual", 4)


async def test_drivers(api: Api) -> None:
    body = await api.ok("/hub/drivers")
    assert "virtual" in body["installed"]
    assert body["drivers"] == [{"type": "virtual", "title": "Virtual site", "hops": ["site"]}]


async def test_the_journal_row_by_row(api: Api) -> None:
    body = await api.ok("/hub/journal", {"limit": 1000})
    seqs = [row["seq"] for row in body["rows"]]
    assert seqs == list(range(1, body["head"] + 1))
    assert {"hub.started", "key.created", "device.found"} <= {row["type"] for row in body["rows"]}
    part = await api.ok("/hub/journal", method="GET", query={"after": 2, "limit": 3})
    assert [row["seq"] for row in part["rows"]] == [3, 4, 5]
    end = await api.ok("/hub/journal", {"after": -2})
    assert [row["seq"] for row in end["rows"]] == seqs[-2:]
    assert (await api.ok("/hub/journal", {"after": -1000}))["rows"][0]["seq"] == 1
    assert (await api.ok("/hub/journal", {"after": 2**53}))["rows"] == []


WRONG_PLACES: list[tuple[Any, Any]] = [
    ({"after": -1001}, "after"),
    ({"after": 2**53 + 1}, "after"),
    ({"after": "x"}, "after"),
    ({"limit": 0}, "limit"),
    ({"limit": 1001}, "limit"),
]


async def test_wrong_places_in_the_journal(api: Api) -> None:
    for body, field in WRONG_PLACES:
        await api.wrong(field, "/hub/journal", body)


def frames(chunks: list[bytes]) -> list[tuple[int, str, dict[str, Any]]]:
    found = []
    for frame in b"".join(chunks).decode().split("\n\n"):
        if frame.startswith("id: "):
            seq, name, data = frame.split("\n")
            found.append((int(seq[4:]), name[7:], json.loads(data[6:])))
    return found


async def test_a_stream_goes_on_where_it_broke(api: Api) -> None:
    response = await stream(api, headers={"last-event-id": "3"})
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-store"
    async with aclosing(response.stream) as chunks:
        assert await anext(chunks) == b": hubd journal\n\n"
        rows = frames([await anext(chunks)])
        assert [seq for seq, _, _ in rows] == list(range(4, api.hub.journal.head + 1))
        assert api.hub.streams == 1
        await api.ok("/devices/update", {"device_id": await api.device_id(), "name": "Anna"})
        ((seq, name, row),) = frames([await anext(chunks)])
        assert (seq, name) == (api.hub.journal.head, "device.edited")
        assert row["event_type"] == "device.name_changed"
    assert api.hub.streams == 0


async def test_a_stream_starts_where_it_is_told(api: Api) -> None:
    response = await stream(api, after=-1)
    async with aclosing(response.stream) as chunks:
        await anext(chunks)
        assert [seq for seq, _, _ in frames([await anext(chunks)])] == [api.hub.journal.head]


async def test_silence_is_broken_by_a_comment(api: Api) -> None:
    async with aclosing(follow(api.hub, api.hub.journal.head, keep_alive=0.02)) as chunks:
        assert await anext(chunks) == b": hubd journal\n\n"
        assert await anext(chunks) == b": still here\n\n"
        assert await anext(chunks) == b": still here\n\n"


NO_PLACES: list[Any] = ["", "x", "-1", "1.0", "٣", "9" * 17, "9007199254740993", "9" * 5000, "\udcff"]


async def test_what_is_no_place_to_go_on(api: Api) -> None:
    for last in NO_PLACES:
        response = await stream(api, headers={"last-event-id": last})
        assert (response.status, response.stream) == (400, None)
        assert json.loads(response.body)["error"]["message"].startswith("Last-Event-ID: ")


async def test_streams_are_counted(api: Api) -> None:
    api.hub.streams = MAX_STREAMS
    response = await stream(api)
    assert (response.status, json.loads(response.body)["error"]["type"]) == (429, "too_many_streams")


async def test_keys(api: Api) -> None:
    made = await api.ok("/hub/keys/create", {"name": "app", "role": "operator"})
    assert made["token"].startswith(f"seam_{made['key']['key_id']}_")
    await api.ok("/devices/list", token=made["token"])
    keys = (await api.ok("/hub/keys/list", method="GET"))["keys"]
    assert made["key"] in keys
    assert made["token"] not in str(keys)
    for _ in range(2):
        revoked = await api.ok("/hub/keys/revoke", {"key_id": made["key"]["key_id"]})
        assert revoked["key"]["revoked_at"] is not None
        assert "token" not in revoked
    assert (await api.refused("/devices/list", token=made["token"]))["status"] == 401


WRONG_KEYS: list[tuple[Any, Any]] = [
    ({"name": "a"}, "role"),
    ({"role": "viewer"}, "name"),
    ({"name": "", "role": "viewer"}, "name"),
    ({"name": "  ", "role": "viewer"}, "name"),
    ({"name": "a\nb", "role": "viewer"}, "name"),
    ({"name": "x" * 81, "role": "viewer"}, "name"),
    ({"name": "a", "role": "king"}, "role"),
    ({"name": "a", "role": None}, "role"),
]


async def test_wrong_keys(api: Api) -> None:
    for body, field in WRONG_KEYS:
        await api.wrong(field, "/hub/keys/create", body)


async def test_the_last_owner_stays(api: Api) -> None:
    owner = next(key for key in api.keys.list() if key.role == "owner")
    sentence = await api.wrong("key_id", "/hub/keys/revoke", {"key_id": owner.key_id})
    assert "last owner" in sentence
    error = await api.refused("/hub/keys/revoke", {"key_id": "0" * 16})
    assert (error["status"], error["type"]) == (404, "key_not_found")
