import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hubd.api.events import instant
from hubd.model.errors import InvalidInputError
from tests.hubd.api.harness import Api

UNKNOWN = "11111111-1111-4111-8111-111111111111"


async def listed(api: Api, **filters: Any) -> list[dict[str, Any]]:
    """Return the events that fit, asked for in both dialects."""
    events: list[dict[str, Any]] = (await api.ok("/events/list", filters))["events"]
    pairs: list[tuple[str, Any]] = []
    for name, value in filters.items():
        pairs += [(name, item) for item in value or [""]] if isinstance(value, list) else [(name, value)]
    assert (await api.ok("/events/list", method="GET", query=pairs))["events"] == events
    return events


async def test_all_events_oldest_first(api: Api) -> None:
    await api.ok("/locks/unlock_door", {"device_id": await api.device_id()})
    events = await listed(api)
    assert [event["event_type"] for event in events] == [
        *["device.added", "device.connected"] * 4,
        "connected_account.connected",
        "lock.unlocked",
        "action_attempt.unlock_door.succeeded",
    ]
    assert [event["created_at"] for event in events] == sorted(event["created_at"] for event in events)
    for event in events:
        assert (await api.ok("/events/get", {"event_id": event["event_id"]}))["event"] == event


async def test_by_time(api: Api) -> None:
    events = await listed(api)
    times = [event["created_at"] for event in events]
    later = [event for event in events if event["created_at"] >= times[4]]
    assert await listed(api, since=times[4]) == later
    shifted = datetime.fromisoformat(times[4]).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert await listed(api, since=shifted.isoformat()) == later
    assert await listed(api, between=[times[0], times[0]]) == [e for e in events if e["created_at"] == times[0]]
    for late in ("2999-01-01", "9999-12-31T23:59:59-14:00"):
        assert await listed(api, since=late) == []
    assert await listed(api, since="0001-01-01T00:00:00+14:00") == events


async def test_by_device_type_account_and_id(api: Api) -> None:
    first, second = await api.device_id("Room 101"), await api.device_id("Room 102")
    account = (await api.device())["connected_account_id"]
    events = await listed(api)
    assert [e["event_type"] for e in await listed(api, device_id=first.upper())] == ["device.added", "device.connected"]
    assert len(await listed(api, device_ids=[first, second, UNKNOWN])) == 4
    assert len(await listed(api, event_type="device.added")) == 4
    assert len(await listed(api, event_types=["device.added", "device.connected"], device_id=first)) == 2
    assert await listed(api, connected_account_id=account) == events
    assert await listed(api, connected_account_id=UNKNOWN) == []
    ids = [events[3]["event_id"], events[1]["event_id"].upper(), UNKNOWN]
    assert await listed(api, event_ids=ids) == [events[1], events[3]]
    assert await listed(api, event_type="lock.kicked") == []
    for name in ("device_ids", "event_types", "event_ids"):
        assert await listed(api, **{name: []}) == []


async def test_limit_and_offset(api: Api) -> None:
    events = await listed(api)
    assert await listed(api, limit=2) == events[:2]
    assert await listed(api, limit=2, unstable_offset=3) == events[3:5]
    assert await listed(api, unstable_offset=1000) == []


ABSENT: list[Any] = [
    "access_grant_id",
    "access_method_id",
    "acs_access_group_id",
    "acs_credential_id",
    "acs_encoder_id",
    "acs_entrance_id",
    "acs_system_id",
    "acs_user_id",
    "connect_webview_id",
    "space_id",
    "user_identity_id",
]


async def test_what_a_hub_does_not_have_matches_nothing(api: Api) -> None:
    for name in ABSENT:
        assert await listed(api, **{name: UNKNOWN}) == []


ABSENT_LISTS: list[Any] = ["access_grant_ids", "access_method_ids", "acs_system_ids", "space_ids"]


async def test_lists_of_what_a_hub_does_not_have_match_nothing(api: Api) -> None:
    for name in ABSENT_LISTS:
        assert await listed(api, **{name: [UNKNOWN]}) == []
        assert await listed(api, **{name: []}) == []


WRONG_FILTERS: list[tuple[Any, Any]] = [
    ({"since": "yesterday"}, "since"),
    ({"since": ""}, "since"),
    ({"since": 5}, "since"),
    ({"since": "2026-01-01T00:00:00+99:00"}, "since"),
    ({"between": ["2026-01-01"]}, "between"),
    ({"between": []}, "between"),
    ({"between": ["2026-01-01", "x"]}, "between"),
    ({"between": ["2026-01-02", "2026-01-01"]}, "between"),
    ({"between": ["2026-01-02"] * 3}, "between"),
    ({"between": "2026-01-02"}, "between"),
    ({"limit": 0}, "limit"),
    ({"limit": 10_001}, "limit"),
    ({"unstable_offset": -1}, "unstable_offset"),
    ({"event_type": 5}, "event_type"),
    ({"event_types": "x"}, "event_types"),
    ({"event_types": ["x"] * 201}, "event_types"),
    ({"device_ids": [UNKNOWN] * 1001}, "device_ids"),
    ({"event_ids": ["x"]}, "event_ids"),
    ({"page_cursor": "x"}, "page_cursor"),
]


async def test_wrong_filters(api: Api) -> None:
    for body, field in WRONG_FILTERS:
        await api.wrong(field, "/events/list", body)


async def test_get_by_id_or_the_last_one_that_fits(api: Api) -> None:
    device_id = await api.device_id()
    events = await listed(api, device_id=device_id)
    assert (await api.ok("/events/get", {"device_id": device_id}))["event"] == events[-1]
    body = {"device_id": device_id, "event_type": "device.added"}
    assert (await api.ok("/events/get", body))["event"] == events[0]
    assert (await api.ok("/events/get", method="GET", query=body))["event"] == events[0]
    body["event_id"] = events[0]["event_id"]
    assert (await api.ok("/events/get", body))["event"] == events[0]
    body["event_type"] = "device.connected"
    assert (await api.refused("/events/get", body))["type"] == "event_not_found"


async def test_an_event_that_is_not_there(api: Api) -> None:
    hub_row = (await api.ok("/hub/journal", {"limit": 1}))["rows"][0]
    for event_id in (str(uuid.uuid4()), hub_row["event_id"], UNKNOWN):
        error = await api.refused("/events/get", {"event_id": event_id})
        assert (error["status"], error["type"]) == (404, "event_not_found")
    assert (await api.refused("/events/get", {"event_type": "lock.kicked"}))["status"] == 404
    await api.wrong("event_id", "/events/get", {})


@pytest.mark.parametrize(
    "text", ["", "x", "2026-13-01", "2026-01-01T25:00", "24:00", "1e9", "2026-01-01T00:00:00+24:01"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^since: is not an ISO 8601 time"):
        instant("since", text)


def test_a_time_without_an_offset_is_utc() -> None:
    expected = int(datetime(2026, 1, 31, 16, tzinfo=UTC).timestamp() * 1_000_000)
    for text in ("2026-01-31T16:00", "2026-01-31T16:00:00Z", "2026-01-31 17:00+01:00", "20260131T160000Z"):
        assert instant("since", text) == expected


async def test_of_an_access_code(api: Api) -> None:
    """By its id: what became of it and who was let in by it, also when it is gone; of nobody else's."""
    body = {"device_id": await api.device_id(), "sync": True}
    one, other = [(await api.ok("/access_codes/create", body))["access_code"]["access_code_id"] for _ in range(2)]
    await api.ok("/access_codes/delete", {"access_code_id": one, "sync": True})

    async def listed(**filters: Any) -> list[str]:
        found = (await api.ok("/events/list", filters))["events"]
        return [event["event_type"].removeprefix("access_code.") for event in found]

    life = ["created", "set_on_device", "mutations_requested", "removed_from_device", "deleted"]
    assert await listed(access_code_id=one) == life
    assert await listed(access_code_ids=[one.upper()], event_type="access_code.created") == ["created"]
    assert sorted(await listed(access_code_ids=[one, other])) == sorted([*life, "created", "set_on_device"])
    assert await listed(access_code_id=one, access_code_ids=[other]) == []
    assert await listed(access_code_id="00000000-0000-4000-8000-000000000000") == []
    assert await listed(access_code_ids=[]) == []
