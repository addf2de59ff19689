from datetime import UTC, datetime
from typing import Any

from hubd.api.code_events import MASKED, payload
from hubd.core.codes.story import public_type, tell
from hubd.model.event import CodeDelayed, CodeFailed, CodeGone, CodeMisused, CodePlaced
from hubd.model.seen import LockSeen
from hubd.store.codes import CodeRecord
from hubd.store.records import Row
from tests.hubd.api.codes import OTHER, PIN, edit_slot, event_types, from_now, make, put_in, slot_of
from tests.hubd.api.harness import Api
from tests.support.site import eventually

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def last(api: Api, event_type: str) -> dict[str, Any]:
    event: dict[str, Any] = (await api.ok("/events/get", {"event_type": event_type}))["event"]
    return event


async def say(api: Api, code: dict[str, Any], event: Any) -> dict[str, Any]:
    """Have an event of a code told, and return it as it is served."""
    record = api.hub.codes.get(code["access_code_id"])
    await api.hub.journal.transact(lambda view: tell(view, record, event))
    public = public_type(event)
    assert public is not None
    return await last(api, public)


async def test_no_event_of_a_whole_life_has_a_pin(api: Api) -> None:
    code = await make(api, name="Anna", code=PIN, starts_at=from_now(api, hours=-1), ends_at=from_now(api, days=1))
    body = {"access_code_id": code["access_code_id"], "sync": True}
    await api.ok("/access_codes/update", body | {"code": OTHER, "name": "Ben", "ends_at": from_now(api, days=2)})
    await api.ok("/access_codes/delete", body)
    events = (await api.ok("/events/list", {"access_code_id": code["access_code_id"]}))["events"]
    assert PIN not in str(events)
    assert OTHER not in str(events)
    assert all(event["device_id"] == code["device_id"] and event["connected_account_id"] for event in events)
    found = {event["event_type"].removeprefix("access_code."): event for event in events}
    assert found["set_on_device"]["code"] == MASKED
    assert found["deleted"]["code"] is None
    assert (found["code_changed"]["from"], found["code_changed"]["to"]) == ({"code": None}, {"code": None})
    assert (found["name_changed"]["from"], found["name_changed"]["to"]) == ({"name": "Anna"}, {"name": "Ben"})
    moved = found["time_frame_changed"]
    assert moved["from"]["starts_at"] == moved["to"]["starts_at"]
    assert moved["from"]["ends_at"] < moved["to"]["ends_at"]
    assert [p["property"] for p in found["changed"]["changed_properties"]] == ["name", "ends_at", "code"]
    assert found["mutations_requested"]["requested_mutations"] == [{"mutation_code": "deleting"}]


async def test_trouble_and_delay_say_what_is_wrong(api: Api) -> None:
    code = await make(api, code=PIN)
    await api.ok("/devices/simulate/disconnect", {"device_id": code["device_id"]})
    failed = CodeFailed(code_id=code["access_code_id"], error_code="failed_to_set_on_device", message="No.")
    event = await say(api, code, failed)
    assert [error["error_code"] for error in event["access_code_errors"]] == ["failed_to_set_on_device"]
    assert [error["error_code"] for error in event["device_errors"]] == ["device_disconnected"]
    event = await say(api, code, CodeDelayed(code_id=code["access_code_id"], doing="removing", reason="It is late."))
    assert event["event_type"] == "access_code.delay_in_removing_from_device"
    (warning,) = event["access_code_warnings"]
    assert (warning["warning_code"], warning["message"]) == ("delay_in_removing_from_device", "It is late.")
    failed = CodeFailed(code_id=code["access_code_id"], error_code="failed_to_remove_from_device", message="No.")
    assert (await say(api, code, failed))["event_type"] == "access_code.failed_to_remove_from_device"


async def test_use_outside_the_time_frame_is_an_event_of_the_hubs_own(api: Api) -> None:
    code = await make(api, code=PIN)
    misused = CodeMisused(code_id=code["access_code_id"], slot=1, starts_at=NOW)
    event = await say(api, code, misused)
    assert event["event_type"] == "access_code.used_outside_time_frame"
    assert (event["starts_at"], event["ends_at"]) == ("2026-03-01T12:00:00.000000Z", None)
    found = await api.ok("/access_codes/get_timeline", {"access_code_id": code["access_code_id"]})
    assert found["timeline_events"][0]["actor"] == {"type": "external"}


async def test_an_early_code_and_one_that_others_changed(api: Api) -> None:
    code = await make(api, code=PIN)
    event = await say(api, code, CodePlaced(code_id=code["access_code_id"], slot=1, is_early=True))
    assert (event["event_type"], event["code"]) == ("access_code.scheduled_on_device", MASKED)
    await edit_slot(api, slot_of(api, code), None)
    await eventually(lambda: api.hub.codes.status(api.hub.codes.get(code["access_code_id"])) == "set")
    assert "access_code.deleted_external_to_seam" in await event_types(api, code)


async def test_a_backup_that_is_pulled(api: Api) -> None:
    frame: dict[str, Any] = {"starts_at": from_now(api, hours=-1), "ends_at": from_now(api, days=1)}
    code = await make(api, use_backup_access_code_pool=True, **frame)
    await eventually(lambda: sum(c.placement is not None for c in api.hub.codes.of(code["device_id"])) == 3)
    body = {"access_code_id": code["access_code_id"]}
    backup = (await api.ok("/access_codes/pull_backup_access_code", body))["backup_access_code"]
    event = await last(api, "access_code.backup_access_code_pulled")
    assert (event["access_code_id"], event["backup_access_code_id"]) == (
        code["access_code_id"],
        backup["access_code_id"],
    )


async def test_a_lock_that_is_opened_says_by_which_code(api: Api) -> None:
    code = await make(api, code=PIN)
    foreign = await put_in(api, "5829")
    for one, is_managed in ((code, True), (foreign, False)):
        seen = LockSeen(native_id="lock-1", locked=False, method="keycode", user_slot=slot_of(api, one))
        await api.see(LockSeen(native_id="lock-1", locked=True), seen)
        event = await last(api, "lock.unlocked")
        assert (event["access_code_id"], event["access_code_is_managed"]) == (one["access_code_id"], is_managed)
        listed = (await api.ok("/events/list", {"access_code_ids": [one["access_code_id"]]}))["events"]
        assert listed[-1]["event_id"] == event["event_id"]
    assert (await api.ok("/events/list", {"access_code_ids": []}))["events"] == []


async def test_what_is_gone_from_a_device_that_is_gone(api: Api) -> None:
    gone = CodeGone(code_id="c", reason="ended", is_managed=False)
    row = Row(1, "code.gone", "access_code.unmanaged.removed", None, None, NOW, NOW, gone)
    assert payload(api.hub, row, "access_code.unmanaged.removed", gone) == {"access_code_id": "c"}
    failed = CodeFailed(code_id="c", error_code="failed_to_set_on_device", message="No.")
    found = payload(api.hub, row, "access_code.failed_to_set_on_device", failed)
    assert found["device_errors"] == []
    assert CodeRecord("c", "d", NOW, NOW).code_id == found["access_code_id"]
