from hubd.api import acs_project
from hubd.model import BatterySeen, EntranceSeen, LockSeen
from tests.hubd.api.access import Acs


async def test_a_wired_door_as_seam_shows_it(acs: Acs) -> None:
    found = await acs.entrance("door-lobby")
    flags = {name: value for name, value in found.items() if name.startswith("can_")}
    assert flags == {
        "can_unlock_with_card": True,
        "can_unlock_with_cloud_key": True,
        "can_unlock_with_code": False,
        "can_unlock_with_mobile_key": False,
    }
    assert found["salto_space_metadata"] == {
        "audit_on_keys": False,
        "door_id": "door-lobby",
        "door_name": "Lobby",
        "door_description": "Main entrance",
    }
    assert (found["errors"], found["warnings"], found["space_ids"]) == ([], [], [])
    assert "is_locked" not in found


async def test_a_room_has_the_members_of_rooms(acs: Acs) -> None:
    found = (await acs.entrance("room-101"))["salto_space_metadata"]
    assert (found["room_name"], found["room_description"], found["door_id"]) == ("Room 101", "", "room-101")
    assert "door_name" not in found


async def test_a_standalone_door_says_that_it_cannot_be_opened_from_afar(acs: Acs) -> None:
    found = await acs.entrance("door-shed")
    assert found["can_unlock_with_cloud_key"] is False
    (warning,) = found["warnings"]
    assert (warning["warning_code"], warning["hub_code"]) == ("entrance_setup_required", "standalone")
    assert warning["message"] == acs_project.STANDALONE


async def test_conditions_are_warnings_while_they_last(acs: Acs) -> None:
    on = {"office_mode": True, "privacy_mode": True, "low_battery": True, "tamper": False}
    await acs.driver.see(EntranceSeen(native_id="door-pool", conditions=on))  # type: ignore[arg-type]
    warnings = (await acs.entrance("door-pool"))["warnings"]
    assert [(one["warning_code"], one.get("hub_code")) for one in warnings] == [
        ("entrance_setup_required", "office_mode"),
        ("privacy_mode", None),
        ("entrance_setup_required", "low_battery"),
    ]
    off = dict.fromkeys(on, False)
    await acs.driver.see(EntranceSeen(native_id="door-pool", conditions=off))  # type: ignore[arg-type]
    assert (await acs.entrance("door-pool"))["warnings"] == []


async def test_a_low_level_is_the_same_warning_and_no_event_of_a_device(acs: Acs) -> None:
    for level in (0.9, 0.85, 0.8):
        await acs.driver.see(BatterySeen(native_id="door-pool", level=level))
    assert (await acs.entrance("door-pool"))["warnings"] == []
    for _ in range(2):
        await acs.driver.see(BatterySeen(native_id="door-pool", level=0.05))
    (warning,) = (await acs.entrance("door-pool"))["warnings"]
    assert (warning["warning_code"], warning["hub_code"]) == ("entrance_setup_required", "low_battery")
    await acs.driver.see(EntranceSeen(native_id="door-pool", conditions={"low_battery": True}))
    assert len((await acs.entrance("door-pool"))["warnings"]) == 1
    assert not [name for name in await acs.types() if name.startswith("device.") and "low" in name]


async def test_a_bolt_is_told_only_while_it_is_known_and_live(acs: Acs) -> None:
    await acs.driver.see(LockSeen(native_id="door-pool", locked=True))
    assert (await acs.entrance("door-pool"))["is_locked"] is True
    await acs.driver.lose("door-pool", "The door does not answer.")
    found = await acs.entrance("door-pool")
    assert "is_locked" not in found
    (error,) = found["errors"]
    assert (error["error_code"], error["message"]) == ("acs_entrance_disconnected", "The door does not answer.")


async def test_a_lost_hop_is_named_at_every_door(acs: Acs) -> None:
    await acs.lost()
    for native_id in ("door-lobby", "door-shed"):
        (error,) = (await acs.entrance(native_id))["errors"]
        assert error["error_code"] == "acs_system_disconnected"
        assert "The server does not answer." in error["message"]


async def test_only_salto_space_has_its_members(acs: Acs) -> None:
    hub = acs.api.hub
    assert acs_project.kind_of(hub, "space") == "salto_space"
    assert acs_project.has_space(hub, "space")
    assert not acs_project.has_space(hub, "site")
    assert acs_project.name_of(hub, "space") == "space"
