from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.api import acs_events
from hubd.model import AcsGone, AcsUser, EntranceSeen
from hubd.model.access_event import EntranceAudited
from hubd.store.records import Row
from tests.hubd.api.access import Acs, running_acs
from tests.support import access
from tests.support.seam_schema import ACS_EXTENSIONS, validate_event
from tests.support.site import eventually

PERSON = "33333333-3333-4333-8333-333333333333"


async def opened(acs: Acs, event_id: str, entrance: str | None = "door-lobby", **members: Any) -> dict[str, Any]:
    entry = access.audit(event_id, acs.api.clock.now() - timedelta(minutes=5), entrance, **members)
    await acs.driver.tell(entry, bookmark=event_id)
    event = (await acs.events())[-1]
    assert validate_event(event) == []
    return event


async def test_what_was_there_at_first_is_told_as_things_and_not_as_people(acs: Acs) -> None:
    found = await acs.types(acs_system_id=acs.system_id)
    assert found.count("acs_entrance.added") == 4
    assert found.count("acs_encoder.added") == 1
    assert {"acs_system.added", "acs_system.connected"} <= set(found)
    assert not [name for name in found if name.startswith(("acs_user", "acs_credential"))]
    (added,) = await acs.events(event_type="acs_entrance.added", acs_entrance_id=acs.device_id("door-pool"))
    assert added["acs_system_id"] == acs.system_id
    assert "device_id" not in added


async def test_an_opening_with_door_person_and_method(acs: Acs) -> None:
    event = await opened(acs, "7", user="user-ada")
    assert (event["event_type"], event["method"]) == ("lock.unlocked", "card")
    assert event["acs_entrance_id"] == acs.device_id("door-lobby")
    assert (event["acs_user_id"], event["acs_system_id"]) == (acs.user_id("user-ada"), acs.system_id)
    assert event["hub_operation"] == "Opened with a key"
    assert "device_id" not in event
    assert event["occurred_at"] < event["created_at"]


async def test_a_refusal_with_seams_reason_or_the_systems_own_words(acs: Acs) -> None:
    event = await opened(acs, "8", name="Refused: privacy", passage="refused", reason="blocked_by_privacy_mode")
    assert event["event_type"] == "lock.access_denied"
    assert event["reason"] == {"reason_code": "blocked_by_privacy_mode", "message": "Refused: privacy"}
    event = await opened(acs, "9", name="Refused: antipassback", passage="refused")
    assert "reason" not in event
    assert event["hub_operation"] == "Refused: antipassback"


async def test_a_door_that_is_not_known_has_no_id(acs: Acs) -> None:
    event = await opened(acs, "10", None, entrance_name="Old shed")
    assert event["event_type"] == "lock.unlocked"
    assert "acs_entrance_id" not in event


async def test_conditions_begin_and_end(acs: Acs) -> None:
    for condition in ("office_mode", "left_open"):
        for is_on in (True, False):
            seen = EntranceSeen(native_id="door-pool", conditions={condition: is_on})
            await acs.driver.see(seen)
    events = await acs.events(acs_entrance_id=acs.device_id("door-pool"))
    assert [event["event_type"] for event in events][-4:] == [
        "acs_entrance.office_mode_started",
        "acs_entrance.office_mode_ended",
        "acs_entrance.left_open_started",
        "acs_entrance.left_open_ended",
    ]


async def test_one_loss_of_the_system_is_one_event(acs: Acs) -> None:
    await acs.lost()
    await eventually(lambda: not acs.api.hub.journal.tables.instances["space"].is_connected)
    (event,) = await acs.events(event_type="acs_system.disconnected")
    assert event["acs_system_errors"][0]["error_code"] == "acs_system_disconnected"
    assert event["connected_account_errors"][0]["error_code"] == "account_disconnected"
    assert await acs.types(event_type="acs_entrance.disconnected") == []


async def test_a_silent_door_is_an_event_of_its_own(acs: Acs) -> None:
    await acs.driver.lose("door-pool", "The door does not answer.")
    (event,) = await acs.events(event_type="acs_entrance.disconnected")
    assert event["acs_entrance_errors"][0]["message"] == "The door does not answer."
    assert "device_errors" not in event


async def test_people_come_and_go(acs: Acs) -> None:
    await acs.driver.tell(AcsUser("user-cora", "Cora"))
    cora = acs.user_id("user-cora")
    await acs.driver.tell(AcsGone("user", "user-cora"))
    assert await acs.types(acs_user_id=cora) == ["acs_user.created", "acs_user.deleted"]
    assert "Cora" not in str(await acs.events())


async def test_filters(acs: Acs) -> None:
    await opened(acs, "11", user="user-ada")
    await opened(acs, "12", "door-pool", user="user-bob")
    ada, bob, pool = acs.user_id("user-ada"), acs.user_id("user-bob"), acs.device_id("door-pool")
    assert await acs.types(acs_user_id=ada.upper()) == ["lock.unlocked"]
    assert await acs.types(acs_user_id=bob, acs_entrance_id=pool) == ["lock.unlocked"]
    assert await acs.types(acs_user_id=ada, acs_entrance_id=pool) == []
    assert await acs.types(acs_encoder_id=pool) == await acs.types(acs_entrance_id=PERSON) == []
    assert "acs_encoder.added" in await acs.types(acs_encoder_id=acs.device_id("encoder-1"))
    assert await acs.types(acs_system_ids=[PERSON]) == await acs.types(acs_system_id=PERSON) == []
    assert await acs.types(acs_system_ids=[acs.system_id]) == await acs.types(acs_system_id=acs.system_id)
    assert await acs.types(device_id=pool) == await acs.types(device_ids=[pool]) == []
    assert await acs.types(acs_access_group_id=PERSON) == await acs.types(acs_credential_id=PERSON) == []
    found = await acs.api.refused("/events/get", {"device_id": pool})
    assert found["type"] == "event_not_found"


async def test_nobody_else_has_these_members(acs: Acs) -> None:
    body = {"device_id": await acs.api.device_id()}
    await acs.api.ok("/locks/unlock_door", body)
    event = (await acs.events(event_type="lock.unlocked"))[-1]
    assert event["device_id"] == body["device_id"]
    assert not [name for name in event if name.startswith("acs_")]


async def test_orders_at_doors_are_told_with_the_door(acs: Acs) -> None:
    await acs.api.ok("/acs/entrances/unlock", {"acs_entrance_id": acs.device_id("door-lobby")})
    (event,) = await acs.events(event_type="action_attempt.unlock_door.succeeded")
    assert event["acs_entrance_id"] == acs.device_id("door-lobby")
    assert "device_id" not in event


async def test_audit_lines_are_told_once_over_restarts(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data") as acs:
        await opened(acs, "13", user="user-ada")
        count = len(await acs.events(acs_user_id=acs.user_id("user-ada")))
    async with running_acs(tmp_path / "data") as acs:
        assert acs.driver.port is not None
        assert acs.driver.port.bookmark == "13"
        assert len(await acs.events(acs_user_id=acs.user_id("user-ada"))) == count == 1


@pytest.mark.parametrize("shape", ACS_EXTENSIONS)
def test_the_judge_knows_the_hubs_own_types(shape: str) -> None:
    assert all(name.split(".")[0] == shape.split(".", maxsplit=1)[0] for name in ACS_EXTENSIONS[shape])


async def test_rows_of_other_kinds_have_no_members_of_these(acs: Acs) -> None:
    row: Row = (await acs.api.hub.journal.select("type = 'hub.started'", (), limit=1))[0]
    assert acs_events.place(acs.api.hub, row) == {}
    assert acs_events.payload(row, row.event) == {}
    assert acs_events.payload(row, EntranceAudited(trail_id="1", operation=1, name="x")) == {
        "hub_operation": "x",
        "method": "unknown",
    }
    assert acs_events.place(acs.api.hub, replace(row, instance="gone")) == {}
    assert not acs_events.is_access_device(None)
