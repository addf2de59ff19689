from datetime import timedelta
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from hubd.api.code_timeline import _sentence
from hubd.model.event import CodeGone, CodeTakenOff
from tests.hubd.api.codes import OTHER, PIN, edit_slot, from_now, get, make, moment, put_in, slot_of
from tests.hubd.api.harness import Api
from tests.support.site import eventually

PATH = "/access_codes/get_timeline"


async def timeline(api: Api, code: dict[str, Any], **filters: Any) -> dict[str, Any]:
    return await api.ok(PATH, {"access_code_id": code["access_code_id"], **filters})


def types(answer: dict[str, Any]) -> list[str]:
    return [entry["event_type"].removeprefix("access_code.") for entry in answer["timeline_events"]]


async def test_a_whole_life_newest_first(api: Api) -> None:
    code = await make(api, name="Anna", code=PIN)
    change = {"access_code_id": code["access_code_id"], "name": "Anna B.", "code": OTHER, "sync": True}
    await api.ok("/access_codes/update", change)
    await api.ok("/access_codes/delete", {"access_code_id": code["access_code_id"], "sync": True})
    answer = await timeline(api, code)
    assert types(answer) == [
        "deleted",
        "removed_from_device",
        "mutations_requested",
        "set_on_device",
        "changed",
        "name_changed",
        "code_changed",
        "set_on_device",
        "created",
    ]
    entries = answer["timeline_events"]
    assert len({entry["timeline_event_id"] for entry in entries}) == len(entries)
    assert (await timeline(api, code))["timeline_events"] == entries
    assert entries[-1]["actor"] == {"type": "api_key", "id": entries[-1]["actor"]["id"], "display_name": "owner"}
    assert entries[1]["actor"] == {"type": "system"}
    assert {entry["related_resource_ids"]["device_id"] for entry in entries} == {code["device_id"]}
    assert PIN not in str(entries)
    assert OTHER not in str(entries)
    assert "Anna to Anna B." in str(entries)


async def test_somebody_at_the_lock(api: Api) -> None:
    code = await make(api, code=PIN)
    await edit_slot(api, slot_of(api, code), OTHER)
    await eventually(lambda: api.hub.codes.get(code["access_code_id"]).tampering is not None)
    found = await timeline(api, code, event_types=["access_code.modified_external_to_seam"])
    (entry,) = found["timeline_events"]
    assert (entry["actor"], entry["description"]) == (
        {"type": "external"},
        "Somebody else changed it on the lock; it is put back.",
    )
    foreign = await put_in(api, "5829")
    (entry,) = (await timeline(api, foreign))["timeline_events"]
    assert (entry["event_type"], entry["actor"]["type"]) == ("access_code.unmanaged.created", "external")


async def test_pages_end_between_two_instants(api: Api) -> None:
    code = await make(api, name="0")
    for name in "123":
        api.clock.ahead += timedelta(seconds=1)
        await api.ok("/access_codes/update", {"access_code_id": code["access_code_id"], "name": name})
    whole = (await timeline(api, code))["timeline_events"]
    for limit in (1, 2, 3, 5):
        walked: list[dict[str, Any]] = []
        answer = await timeline(api, code, limit=limit)
        while True:
            walked += answer["timeline_events"]
            if not answer["pagination"]["has_more"]:
                break
            answer = await timeline(api, code, limit=limit, before=answer["pagination"]["next_cursor"])
        assert walked == whole
    newer = await timeline(api, code, after=whole[-1]["occurred_at"])
    assert [moment(e["occurred_at"]) > moment(whole[-1]["occurred_at"]) for e in newer["timeline_events"]]
    assert types(newer) == types({"timeline_events": whole})[:-1]


async def test_what_is_asked_for_by_type_and_time(api: Api) -> None:
    code = await make(api, starts_at=from_now(api, days=1), ends_at=from_now(api, days=2), name="Anna")
    change = {"access_code_id": code["access_code_id"], "ends_at": from_now(api, days=3)}
    await api.ok("/access_codes/update", change)
    found = await timeline(api, code, event_types=["access_code.time_frame_changed"])
    assert types(found) == ["time_frame_changed"]
    assert types(await timeline(api, code, event_types=["internal.access_code.programming_started"])) == []
    assert types(await timeline(api, code, after=from_now(api, days=1))) == []
    await api.wrong("before", PATH, {"access_code_id": code["access_code_id"], "before": "soon"})
    assert (await get(api, code))["name"] == "Anna"


async def test_a_code_that_never_was(api: Api) -> None:
    error = await api.refused(PATH, {"access_code_id": "00000000-0000-4000-8000-000000000000"})
    assert (error["status"], error["type"]) == (404, "access_code_not_found")


async def test_a_backup_and_a_start_that_is_moved(api: Api) -> None:
    frame: dict[str, Any] = {"starts_at": from_now(api, hours=-1), "ends_at": from_now(api, days=1)}
    code = await make(api, use_backup_access_code_pool=True, **frame)
    await eventually(lambda: sum(c.placement is not None for c in api.hub.codes.of(code["device_id"])) == 3)
    body = {"access_code_id": code["access_code_id"]}
    await api.ok("/access_codes/pull_backup_access_code", body)
    await api.ok("/access_codes/update", body | {"starts_at": from_now(api, hours=2), "sync": True})
    found = await timeline(api, code)
    assert types(found)[0] == "removed_from_device"
    assert "it was moved to a later time" in found["timeline_events"][0]["description"]
    assert "backup_access_code_pulled" in types(found)


@pytest.mark.parametrize("kind", [CodeTakenOff, CodeGone])
def test_every_reason_has_its_words(kind: type[CodeTakenOff | CodeGone]) -> None:
    for reason in get_args(get_type_hints(kind)["reason"]):
        where = {"slot": 1} if kind is CodeTakenOff else {}
        event = msgspec.convert({"type": kind.__struct_config__.tag, "code_id": "c", "reason": reason, **where}, kind)
        assert _sentence(event, "").endswith(".")
