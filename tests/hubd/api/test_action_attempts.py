import uuid
from typing import Any

from tests.hubd.api.harness import Api


async def act(api: Api, device_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok("/locks/lock_door", {"device_id": device_id}))["action_attempt"]
    return found


async def test_get_returns_what_the_action_returned(api: Api) -> None:
    attempt = await act(api, await api.device_id())
    query = {"action_attempt_id": attempt["action_attempt_id"]}
    assert (await api.ok("/action_attempts/get", query))["action_attempt"] == attempt
    query["action_attempt_id"] = query["action_attempt_id"].upper()
    assert (await api.ok("/action_attempts/get", method="GET", query=query))["action_attempt"] == attempt


async def test_an_attempt_that_is_not_there(api: Api) -> None:
    error = await api.refused("/action_attempts/get", {"action_attempt_id": str(uuid.uuid4())})
    assert (error["status"], error["type"]) == (404, "action_attempt_not_found")
    await api.wrong("action_attempt_id", "/action_attempts/get", {})
    await api.wrong("action_attempt_id", "/action_attempts/get", {"action_attempt_id": "1"})


async def test_list_by_device_or_ids(api: Api) -> None:
    first, second = await api.device_id("Room 101"), await api.device_id("Room 102")
    attempts = [await act(api, device_id) for device_id in (first, second, first)]
    ids = [attempt["action_attempt_id"] for attempt in attempts]

    async def listed(**filters: Any) -> list[str]:
        found = (await api.ok("/action_attempts/list", filters))["action_attempts"]
        return [attempt["action_attempt_id"] for attempt in found]

    assert await listed() == ids
    assert await listed(device_id=first) == [ids[0], ids[2]]
    assert await listed(action_attempt_ids=[ids[2], ids[1].upper()]) == ids[1:]
    assert await listed(action_attempt_ids=ids, device_id=second) == [ids[1]]
    assert await listed(action_attempt_ids=[]) == []
    assert await listed(device_id=str(uuid.uuid4())) == []
    query = [("action_attempt_ids", ids[0]), ("action_attempt_ids", ids[1])]
    both = (await api.ok("/action_attempts/list", method="GET", query=query))["action_attempts"]
    assert both == attempts[:2]


async def test_pages(api: Api) -> None:
    device_id = await api.device_id()
    ids = [(await act(api, device_id))["action_attempt_id"] for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        body = {"limit": 2, "device_id": device_id, "page_cursor": cursor}
        answer = await api.ok("/action_attempts/list", body)
        seen += [attempt["action_attempt_id"] for attempt in answer["action_attempts"]]
        cursor = answer["pagination"]["next_page_cursor"]
        if not answer["pagination"]["has_next_page"]:
            break
    assert seen == ids
    assert cursor is None


WRONG_LISTS: list[tuple[Any, Any]] = [
    ({"limit": 0}, "limit"),
    ({"action_attempt_ids": "x"}, "action_attempt_ids"),
    ({"page_cursor": "x"}, "page_cursor"),
]


async def test_wrong_lists(api: Api) -> None:
    for body, field in WRONG_LISTS:
        await api.wrong(field, "/action_attempts/list", body)
