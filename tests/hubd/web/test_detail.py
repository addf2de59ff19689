from pathlib import Path

import msgspec

from hubd.model import BatterySeen, DoorSeen, EntranceSeen, LockSeen, rejected
from hubd.web.desk import Lines, Orders
from hubd.web.detail import MAX_EVENTS, Head, History, device_parts
from hubd.web.facts import Fact, Facts
from hubd.web.parts import Part
from hubd.web.sessions import Session
from tests.hubd.web.space import space
from tests.hubd.web.stage import Stage, stage
from tests.hubd.web.test_board import OPERATOR, VIEWER, values

SESSION = Session("k", 0.0)


async def look(site: Stage, device_id: str, history: History | None = None) -> dict[str, Part]:
    history = history or History(site.desk, device_id)
    return {part.id: part for part in await device_parts(site.desk, SESSION, OPERATOR, device_id, history)}


async def test_everything_known_of_a_lock(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock(
            "Room 1", LockSeen(native_id="Room 1", locked=True), BatterySeen(native_id="Room 1", level=0.8)
        )
        await site.see(DoorSeen(native_id="Room 1", open=False))
        await site.see(DoorSeen(native_id="Room 1", open=True))
        await site.order(lock)
        await site.clock.advance(1)
        site.script.answer = lambda _: rejected("jam", "The bolt is jammed.")
        await site.order(lock, lock=True)
        await site.lock("Room 2")
        parts = await look(site, lock.device.device_id)
        head = values(parts["head"], Head)
        assert (head.row.name, head.row.can_unlock, head.trouble, head.is_managed) == ("Room 1", True, "", True)
        assert [order.end for order in values(parts["orders"], Orders).orders] == ["refused", "done"]
        assert [line.text for line in values(parts["events"], Lines).lines] == [
            "Order to lock Room 1: refused. The bolt is jammed.",
            "Room 1 was unlocked by order of the configuration.",
            "The door of Room 1 was opened.",
            "Room 1 was found.",
        ]
        readings = {fact.label: fact for fact in values(parts["readings"], Facts).facts}
        assert readings["Bolt"].at is not None
        assert readings["Battery"].at_word == "read"


async def test_a_viewer_has_no_buttons_and_trouble_is_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 1", LockSeen(native_id="Room 1", locked=None, jammed=True))
        history = History(site.desk, lock.device.device_id)
        parts = await device_parts(site.desk, Session("k", 0.0), VIEWER, lock.device.device_id, history)
        head = next(values(part, Head) for part in parts if part.id == "head")
        assert not head.row.can_unlock
        assert (head.tone, head.trouble) == ("bad", "The bolt is jammed. Somebody has to look at the door.")


async def test_a_removed_device_can_still_be_looked_up(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True))
        await site.hub.removed("radio", "Room 1", "It was excluded.")
        parts = await look(site, lock.device.device_id)
        assert values(parts["head"], Head).row.reach == "Removed: It was excluded."
        assert "Removed" in {fact.label for fact in values(parts["identity"], Facts).facts}


async def test_history_reads_again_only_when_the_device_is_touched(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True))
        await site.lock("Room 2", LockSeen(native_id="Room 2", locked=True))
        history = History(site.desk, lock.device.device_id)
        await history.refresh()
        rows = history.rows
        await site.see(LockSeen(native_id="Room 2", locked=False))
        await history.refresh()
        assert history.rows is rows
        await site.see(LockSeen(native_id="Room 1", locked=False, method="manual"))
        await history.refresh()
        assert [row.type for row in history.rows] == ["lock.changed", "device.found"]


async def test_history_is_bounded(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True))
        history = History(site.desk, lock.device.device_id)
        await history.refresh()
        for number in range(600):
            await site.see(LockSeen(native_id="Room 1", locked=bool(number % 2), method="manual"))
        await history.refresh()
        assert [row.seq for row in history.rows] == list(
            range(site.hub.journal.head, site.hub.journal.head - MAX_EVENTS, -1)
        )


async def test_equal_states_give_equal_parts(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()  # of which the hub has nothing left to read by itself
        first, second = await look(site, lock.device.device_id), await look(site, lock.device.device_id)
        assert first == second
        assert all(isinstance(part.values, msgspec.Struct) for part in first.values())


async def test_a_thermostat_is_told_once_and_its_temperature_is_no_news(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        await site.warm(room, temperature_celsius=25.0)
        await site.warm(room, hvac_mode="off", heating_set_point_celsius=15.0)
        parts = await look(site, room.device.device_id)
        assert [line.text.replace("\u00a0", " ") for line in values(parts["events"], Lines).lines] == [
            "Lounge was set on the device: off.",  # at noon: nobody can tell by whom
            "Lounge was found.",
        ]
        assert {fact.label for fact in values(parts["readings"], Facts).facts} == {"Reached", "Temperature", "Humidity"}
        assert {"climate", "climate-form", "chart", "plans"} <= parts.keys()


async def test_everything_known_of_a_door_with_who_passed_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        main = await at.door("Main", description="The front")
        await at.user("Anna Berger")
        await at.see(EntranceSeen(native_id="Main", conditions={"office_mode": True, "left_open": False}))
        await site.clock.advance(60)
        await at.audit("Main", user="Anna Berger", passage="granted", at=site.clock.now())
        await at.audit("Main", "Door not opened: expired", event_id="2", user="gone", passage="refused")
        parts = await look(site, main.device.device_id)
        head = values(parts["head"], Head)
        assert (head.row.can_unlock, head.row.can_lock, head.cannot, head.trouble) == (True, False, "", "")
        assert ([notice.text for notice in head.notices], head.since) == (["Office mode"], None)
        readings = {fact.label: fact for fact in values(parts["readings"], Facts).facts}
        assert {"Left open", "Office mode", "Reached"} == set(readings)
        assert (readings["Office mode"].text, readings["Left open"].text) == ("yes: anybody may pass", "no")
        assert readings["Office mode"].at is not None
        assert readings["Office mode"].at.text == "13:00:00"
        abilities = {fact.label: fact.text for fact in values(parts["abilities"], Facts).facts}
        assert (abilities["Description"], abilities["Type"]) == ("The front", "Door")
        lines = values(parts["events"], Lines).lines
        assert [line.text for line in lines] == [
            "Main: Door not opened: expired, by a user who is not known any more.",
            "Main: Door opened: key, by “Anna Berger”.",
            "Main is in office mode: anybody may pass.",
            "Main was found.",
        ]
        assert lines[0].tone == "warn"
        assert "codes" not in parts


async def test_a_door_that_is_opened_from_here_is_told_once_with_who_ordered_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        main = await at.door("Main")
        await site.order(main)
        await at.audit("Main", "Door opened: remotely", is_remote=True, passage="granted", at=site.clock.now())
        parts = await look(site, main.device.device_id)
        assert [line.text for line in values(parts["events"], Lines).lines] == [
            "Main: Door opened: remotely, by order of the configuration.",
            "Main was found.",
        ]
        assert [order.end for order in values(parts["orders"], Orders).orders] == ["done"]


async def test_what_cannot_be_done_with_a_door_and_why(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        room = await at.door("Room 1", standalone=True)
        head = values((await look(site, room.device.device_id))["head"], Head)
        assert head.cannot.startswith("It is neither wired nor on the radio. It cannot be opened from here;")
        assert (head.row.can_unlock, head.row.reach) == (False, "Not wired")
        desk = await at.encoder("Desk")
        parts = await look(site, desk.device.device_id)
        assert values(parts["abilities"], Facts).facts == (Fact("Encoder", "writes cards, one at a time"),)
        assert values(parts["head"], Head).cannot == ""


async def test_what_a_door_is_in_and_should_not_be_is_said_once_in_its_head(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        main = await at.door("Main")
        await at.see(EntranceSeen(native_id="Main", conditions={"office_mode": True, "left_open": True}))
        head = values((await look(site, main.device.device_id))["head"], Head)
        assert (head.trouble, [notice.text for notice in head.notices]) == ("It was left open.", ["Office mode"])
        assert head.since is not None
        assert head.since.text == "13:00:00"
