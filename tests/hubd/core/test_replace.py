import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hubd.core import twins
from hubd.core.hub import Hub
from hubd.core.policy import Policy
from hubd.core.replace import replace
from hubd.model import BatterySeen, LockDoor, LockSeen, Outcome, ReachabilitySeen, done, ids, unreachable
from hubd.model.errors import HubError, RefusedError
from hubd.model.event import DeviceEdited
from hubd.store.records import DeviceRecord
from hubd.store.tables import View
from tests.hubd.core.access.site import access_site, door
from tests.hubd.core.codes.watched import Watched
from tests.hubd.core.test_twins import two_ways_in
from tests.support.clock import settle
from tests.support.hub import HUB_ID, LiveHub, ScriptedDriver, live_hub, lock, lost, thermostat, until
from tests.support.locks import lock_site
from tests.support.store import slow_disk

OLD, NEW = "old", "new"
NOTES: dict[str, str | bool | None] = {"door": "101"}


def id_of(native_id: str, instance: str = "front") -> str:
    """Return the id by birth."""
    return ids.device_id(HUB_ID, instance, native_id)


def silent(native_id: str) -> ReachabilitySeen:
    return ReachabilitySeen(native_id=native_id, online=False, reason="No answer.")


async def dress(hub: Hub, device_id: str) -> None:
    """Give a device a nickname and notes."""
    event = DeviceEdited(nickname="Room 101", custom_metadata=NOTES, by="k")
    await hub.journal.transact(lambda view: view.emit(event, instance="front", device_id=device_id))


async def replaced(live: LiveHub, **options: Any) -> DeviceRecord:
    """Put the new lock in the place of the old one, which does not answer."""
    await live.driver.living_port.publish(silent(OLD))
    return await replace(live.hub, id_of(OLD), id_of(NEW), "k", **options)


def site() -> ScriptedDriver:
    driver = ScriptedDriver(lock(OLD), lock(NEW, firmware="9.9"))
    driver.first_readings[NEW] = (LockSeen(native_id=NEW, locked=True), BatterySeen(native_id=NEW, level=0.97))
    return driver


async def test_the_new_one_takes_over_id_name_and_notes_and_brings_its_own_condition(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        await dress(live.hub, id_of(OLD))
        await live.driver.living_port.publish(LockSeen(native_id=OLD, locked=False))
        kept = await replaced(live)
        assert kept == live.hub.devices[id_of(OLD)]
        assert (kept.device.device_id, kept.device.description.native_id) == (id_of(OLD), NEW)
        assert (kept.name, kept.custom_metadata, kept.is_managed) == ("Room 101", NOTES, True)
        assert (kept.device.description.firmware, kept.state.locked, kept.state.online) == ("9.9", True, True)
        assert kept.state.battery is not None
        spent = live.hub.devices[id_of(NEW)]
        assert (spent.device.description.native_id, spent.nickname, spent.custom_metadata) == (OLD, None, {})
        assert spent.removed_at is not None
        assert (spent.state.online, spent.state.locked) == (False, False)
        assert list(live.hub.known("front")) == [NEW]


async def test_what_the_network_says_of_it_goes_to_the_kept_id_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    async with live_hub(path, site()) as live:
        await replaced(live)
    driver = ScriptedDriver(lock(NEW, name="Front door"))
    async with live_hub(path, driver) as live:
        kept = live.hub.devices[id_of(OLD)]
        assert kept.device.description.name == "Front door"
        assert live.hub.devices[id_of(NEW)].removed_at is not None
        await driver.living_port.publish(LockSeen(native_id=NEW, locked=False, method="manual"))
        assert live.hub.devices[id_of(OLD)].state.locked is False
        order = LockDoor(device_id=id_of(OLD), native_id=kept.device.description.native_id)
        await live.hub.submit(order, "k", wait_seconds=5)
        assert [command.native_id for command in driver.commands] == [NEW]
        assert live.hub.devices[id_of(OLD)].state.locked is True
        await driver.living_port.removed(NEW, "It was excluded.")
        assert live.hub.devices[id_of(OLD)].removed_at is not None


async def test_scans_speak_of_what_is_there_now(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        await replaced(live)
        await live.driver.living_port.missing(NEW)
        absence = live.hub.devices[id_of(OLD)].absence
        assert absence is not None
        assert absence.scans == 1
        await live.driver.living_port.missing()
        assert live.hub.devices[id_of(OLD)].absence is None


async def test_the_old_one_is_another_device_should_it_come_back(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        await dress(live.hub, id_of(OLD))
        await replaced(live)
        assert await live.driver.living_port.found(lock(OLD)) == id_of(NEW)
        back = live.hub.devices[id_of(NEW)]
        assert (back.name, back.removed_at, back.state.online) == ("Lock old", None, True)
        assert live.hub.devices[id_of(OLD)].name == "Room 101"


async def test_it_can_be_done_again_and_taken_back(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        await replaced(live)
        await live.driver.living_port.found(lock(OLD))
        await live.driver.living_port.publish(silent(NEW))
        kept = await replace(live.hub, id_of(OLD), id_of(NEW), "k")
        assert kept.device.description.native_id == OLD
        await live.driver.living_port.found(lock("third"))
        await live.driver.living_port.publish(silent(OLD))
        assert (await replace(live.hub, id_of(OLD), id_of("third"), "k")).device.description.native_id == "third"
        assert live.hub.devices[id_of("third")].device.description.native_id == OLD


async def test_events_tell_that_one_id_is_gone_and_what_became_of_the_other(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        before = len(await live.public())
        await replaced(live)
        told = (await live.public())[before:]
        assert told == ["device.disconnected", "device.connected", "device.removed"]
        rows = {row.public: row.device_id for row in await live.rows()}
        assert (rows["device.removed"], rows["device.connected"]) == (id_of(NEW), id_of(OLD))


async def test_one_that_was_removed_is_added_again(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        await dress(live.hub, id_of(OLD))
        await live.driver.living_port.removed(OLD, "It was replaced as a failed node.")
        before = len(await live.public())
        kept = await replace(live.hub, id_of(OLD), id_of(NEW), "k")
        assert (await live.public())[before:] == ["device.added", "device.connected", "device.removed"]
        assert (kept.name, kept.removed_at) == ("Room 101", None)


async def test_what_people_call_it_stays(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        before = live.hub.devices[id_of(OLD)].name
        await replaced(live)
        kept = live.hub.devices[id_of(OLD)]
        assert (kept.name, kept.nickname, kept.device.description.name) == (before, before, f"Lock {NEW}")
        assert "device.name_changed" not in (await live.public())


async def test_unmanaged_devices_take_each_others_place_in_silence(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        unmanaged = DeviceEdited(is_managed=False, by="k")
        for device_id in (id_of(OLD), id_of(NEW)):
            await live.hub.journal.transact(partial(View.emit, event=unmanaged, device_id=device_id))
        before = len(await live.public())
        assert (await replaced(live)).is_managed is False
        assert (await live.public())[before:] == ["device.unmanaged.disconnected", "device.unmanaged.connected"]


async def refusal(hub: Hub, old: str, new: str, **options: Any) -> str:
    """Try it, find that nothing changed, and return the error's code."""
    before = dict(hub.devices)

    with pytest.raises(HubError) as refused:
        await replace(hub, old, new, "k", **options)
    assert dict(hub.devices) == before
    return refused.value.code


async def test_an_old_one_that_still_answers_is_only_replaced_by_force(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        assert await refusal(live.hub, id_of(OLD), id_of(NEW)) == "device_still_answers"
        kept = await replace(live.hub, id_of(OLD), id_of(NEW), "k", is_old_present_ok=True)
        assert kept.device.description.native_id == NEW
        assert (await live.public()).count("device.connected") == 2


async def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", ScriptedDriver(lock(OLD), lock(NEW), thermostat("t"))) as live:
        hub, port = live.hub, live.driver.living_port
        await port.publish(silent(OLD))
        assert await refusal(hub, id_of(OLD), id_of(OLD)) == "invalid_input"
        assert await refusal(hub, id_of("none"), id_of(NEW)) == "device_not_found"
        assert await refusal(hub, id_of(OLD), id_of("none")) == "device_not_found"
        assert await refusal(hub, id_of(OLD), id_of("t")) == "replacement_of_other_kind"
        await port.publish(silent(NEW))
        assert await refusal(hub, id_of(OLD), id_of(NEW), is_old_present_ok=True) == "replacement_unreachable"
        await port.removed(NEW, "It was excluded.")
        assert await refusal(hub, id_of(OLD), id_of(NEW)) == "device_not_found"


async def test_a_door_of_an_access_control_system_is_not_replaced(tmp_path: Path) -> None:
    async with access_site(tmp_path / "x.sqlite", door(OLD), door(NEW)) as site:
        await site.driver.living_port.removed(OLD, "It was deleted.")
        assert await refusal(site.hub, id_of(OLD), id_of(NEW)) == "not_supported"
        assert site.hub.devices[id_of(NEW)].removed_at is None


async def test_while_the_way_to_both_is_lost_nothing_is_replaced(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        live.driver.living_port.hop_lost(lost("controller"))
        assert await refusal(live.hub, id_of(OLD), id_of(NEW)) == "replacement_unreachable"


async def test_an_order_under_way_is_waited_for(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def wait(_: object) -> Outcome:
        await gate.wait()
        return done()

    driver = ScriptedDriver(lock(OLD), lock(NEW), execute=wait)
    async with live_hub(tmp_path / "x.sqlite", driver) as live:
        await live.driver.living_port.publish(silent(OLD))
        await live.hub.submit(LockDoor(device_id=id_of(NEW), native_id=NEW), "k")
        assert await refusal(live.hub, id_of(OLD), id_of(NEW)) == "commands_under_way"
        gate.set()
        await until(lambda: not live.hub.dispatcher.is_busy(id_of(NEW)))
        await replace(live.hub, id_of(OLD), id_of(NEW), "k")


async def test_an_order_that_was_meant_for_the_old_one_does_not_reach_the_new_one(tmp_path: Path) -> None:
    async with live_hub(tmp_path / "x.sqlite", site()) as live:
        await live.driver.living_port.publish(silent(OLD))
        stale = LockDoor(device_id=id_of(OLD), native_id=OLD)
        swap = asyncio.create_task(replace(live.hub, id_of(OLD), id_of(NEW), "k"))
        await until(lambda: live.hub.devices[id_of(OLD)].device.description.native_id == NEW)

        with pytest.raises(RefusedError) as refused:
            await live.hub.submit(stale, "k")
        assert refused.value.code == "device_replaced"
        await swap
        assert live.driver.commands == []


async def test_it_works_from_one_driver_to_another(tmp_path: Path) -> None:
    """The stick broke and the lock was included at another one."""
    path, same = tmp_path / "x.sqlite", ("serial:acme:7",)
    front, back = ScriptedDriver(lock("x", hardware_ids=same)), ScriptedDriver(lock("x", hardware_ids=same))
    async with two_ways_in(path, front, back) as hub:
        front.living_port.hop_lost(lost())
        kept = await replace(hub, id_of("x"), id_of("x", "back"), "k")
        assert (kept.device.device_id, kept.device.instance) == (id_of("x"), "back")
        assert list(hub.known("back")) == ["x"]
        assert list(hub.known("front")) == []
        await back.living_port.publish(LockSeen(native_id="x", locked=True))
        assert hub.devices[id_of("x")].state.locked is True
        assert twins.twins_of(hub.devices, kept) == []
        await front.living_port.found(lock("x", hardware_ids=same))
        other = hub.devices[id_of("x", "back")]
        assert (other.device.instance, other.removed_at) == ("front", None)
        assert twins.twins_of(hub.devices, hub.devices[id_of("x")]) == [other]
    async with two_ways_in(path, ScriptedDriver(), ScriptedDriver(lock("x", hardware_ids=same))) as hub:
        assert hub.devices[id_of("x")].device.instance == "back"


async def test_an_order_on_its_way_to_the_old_driver_does_not_reach_its_lock_of_the_same_number(tmp_path: Path) -> None:
    front, back = ScriptedDriver(lock("x")), ScriptedDriver(lock("x"))
    async with two_ways_in(tmp_path / "x.sqlite", front, back) as hub:
        await front.living_port.publish(silent("x"))
        async with slow_disk(hub.journal):
            swap = asyncio.create_task(replace(hub, id_of("x"), id_of("x", "back"), "k"))
            await settle()
            order = asyncio.create_task(hub.submit(LockDoor(device_id=id_of("x"), native_id="x"), "k"))
            await settle()
        await swap
        with pytest.raises(RefusedError) as refused:
            await order
        assert refused.value.code == "device_replaced"
        assert (front.commands, back.commands) == ([], [])


async def test_a_new_one_that_the_config_excludes_does_not_take_over(tmp_path: Path) -> None:

    policy = Policy(("lock",), exclude_ids=(NEW,))
    async with live_hub(tmp_path / "x.sqlite", site(), policy=policy) as live:
        await live.driver.living_port.publish(silent(OLD))
        assert await refusal(live.hub, id_of(OLD), id_of(NEW)) == "device_excluded_by_config"


async def test_a_twin_of_the_new_one_is_noticed_at_the_kept_id(tmp_path: Path) -> None:
    same = ("serial:acme:7",)
    front = ScriptedDriver(lock(OLD), lock(NEW, hardware_ids=same))
    async with two_ways_in(tmp_path / "x.sqlite", front, ScriptedDriver(lock("z", hardware_ids=same))) as hub:
        await front.living_port.publish(silent(OLD))
        kept = await replace(hub, id_of(OLD), id_of(NEW), "k")
        assert [one.name for one in twins.twins_of(hub.devices, kept)] == ["Lock z"]


async def test_the_new_one_need_not_rest_because_the_old_one_could_not_be_reached(tmp_path: Path) -> None:
    network = Watched(2)
    network.instead = lambda command: unreachable("asleep", "No answer.") if command.native_id == "101" else None
    async with lock_site(tmp_path / "hub.db", network) as site:
        await site.wish(pin="48213077")
        await site.wait(3600)
        assert site.lock("102").pins() == {}
        await replace(site.hub, site.id_of("101"), site.id_of("102"), "k", is_old_present_ok=True)
        await site.wait(60)
        assert site.lock("102").pins() == {1: "48213077"}
