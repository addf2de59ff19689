import asyncio
from pathlib import Path

import msgspec

from hubd.core.codes.reconciler import USUAL_SECONDS
from hubd.core.codes.wishes import Wish
from hubd.core.keys import Key
from hubd.model import EntranceSeen, LockSeen, ReachabilitySeen, UnlockDoor, rejected
from hubd.model.access import AcsUser, DeleteUser
from hubd.model.event import DeviceEdited
from hubd.web import board
from hubd.web.board import Hop, Links, Query, Summary, Table, read_query, site_parts
from hubd.web.desk import Orders
from hubd.web.parts import Part
from hubd.web.rows import DeviceRow
from hubd.web.sessions import Session
from tests.hubd.web.space import space
from tests.hubd.web.stage import Stage, stage, until
from tests.support.clock import NOON

EVERYTHING = Query()
VIEWER = Key("k", "Guest", "viewer", NOON)
OPERATOR = Key("k", "Front desk", "operator", NOON)


async def look(site: Stage, query: Query = EVERYTHING, key: Key = OPERATOR) -> dict[str, Part]:
    return {part.id: part for part in await site_parts(site.desk, Session("k", 0.0), key, query)}


def values[V: msgspec.Struct](part: Part, kind: type[V]) -> V:
    assert isinstance(part.values, kind)
    return part.values


def rows(part: Part) -> list[DeviceRow]:
    return [values(child, DeviceRow) for child in part.children]


def names(part: Part) -> list[str]:
    return [row.name for row in rows(part)]


async def site_of(site: Stage, locks: int) -> None:
    for number in range(locks):
        await site.lock(f"Room {number + 1}", LockSeen(native_id=f"Room {number + 1}", locked=True))


def test_queries_are_read_and_nonsense_is_ignored() -> None:
    assert read_query((("q", "room"), ("show", "locks"), ("p", "3"))) == Query("room", "locks", 3)
    for pairs in ((), (("p", "x"), ("show", "everything")), (("p", "-1"),), (("p", "9" * 99),), (("p", "²"),)):
        assert read_query(pairs) == Query()
    assert len(read_query((("q", "x" * 9999),)).text) <= board.MAX_TEXT


async def test_numbers_and_the_worst_problem(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site_of(site, 2)
        summary = values((await look(site))["summary"], Summary)
        assert (summary.worst, summary.others, summary.more) == (None, (), 0)
        await site.see(LockSeen(native_id="Room 1", locked=None, jammed=True))
        await site.see(ReachabilitySeen(native_id="Room 2", online=False, reason="It sleeps."))
        summary = values((await look(site))["summary"], Summary)
        assert summary.worst is not None
        assert summary.worst.who == "Room 1"
        assert [problem.who for problem in summary.others] == ["Room 2"]
        said = [counter.text.replace("\u00a0", " ") for counter in summary.counters]
        assert said == ["2 devices", "1 unreachable", "1 jammed", "storage ok"]


async def test_many_problems_are_not_all_listed(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        for number in range(board.MAX_PROBLEMS + 4):
            await site.lock(f"Room {number}", LockSeen(native_id=f"Room {number}", locked=None, jammed=True))
        summary = values((await look(site))["summary"], Summary)
        assert (len(summary.others), summary.more) == (board.MAX_PROBLEMS, 3)


async def test_the_way_to_the_devices(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site_of(site, 2)
        (link,) = values((await look(site))["links"], Links).links
        assert [(hop.name.replace("\u00a0", " "), hop.ok) for hop in link.hops] == [
            ("hub", True),
            ("server", True),
            ("controller", True),
            ("2 devices", True),
        ]
        assert (link.state, link.why, link.next_try) == ("connected", "", "")
        await site.see(ReachabilitySeen(native_id="Room 2", online=False, reason="It sleeps."))
        (link,) = values((await look(site))["links"], Links).links
        assert link.hops[-1] == Hop("2\u00a0devices", ok=False, note="1 not answering")


async def test_a_broken_hop_with_its_reason_and_what_to_do(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site_of(site, 1)
        await site.lose("controller", "The stick is gone.", "Plug it in.")
        (link,) = values((await look(site))["links"], Links).links
        assert [hop.ok for hop in link.hops] == [True, True, False, None]
        assert (link.state, link.why, link.remedy) == ("link lost", "The stick is gone.", "Plug it in.")
        assert link.next_try.replace("\u00a0", " ").endswith("1 try so far.")
        health = site.hub.health["radio"]
        health.next_try_at = None
        health.attempts = 2
        (link,) = values((await look(site))["links"], Links).links
        assert link.next_try.replace("\u00a0", " ") == "Trying now, 2 tries so far."


async def test_an_error_at_a_hop_nobody_named_breaks_the_first(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site.lose("moon", "It is far.")
        (link,) = values((await look(site))["links"], Links).links
        assert [hop.ok for hop in link.hops] == [True, False, None, None]


async def test_devices_are_paged(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site_of(site, board.PER_PAGE + 5)
        first = (await look(site))["devices"]
        assert (names(first)[:2], len(first.children)) == (["Room 1", "Room 2"], board.PER_PAGE)
        last = (await look(site, Query(page=2)))["devices"]
        assert names(last) == [f"Room {board.PER_PAGE + 1 + number}" for number in range(5)]
        frame = values((await look(site, Query(page=99)))["devices"], Table)
        assert (frame.page, frame.pages, frame.first, frame.found) == (2, 2, board.PER_PAGE + 1, board.PER_PAGE + 5)


async def test_devices_are_found(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True), native_id="Room 1")
        await site.lock("Lobby", LockSeen(native_id="x-77", locked=None, jammed=True), native_id="x-77")
        await site.thermostat("Climate 1", ReachabilitySeen(native_id="Climate 1", online=False))

        async def found(text: str = "", show: str = "all") -> list[str]:
            return names((await look(site, Query(text, show)))["devices"])

        assert await found() == ["Climate 1", "Lobby", "Room 1"]
        assert await found("ROOM") == ["Room 1"]
        assert await found("yale lob") == ["Lobby"]
        assert await found("x-77") == ["Lobby"]
        assert await found("nothing") == []
        assert await found(show="locks") == ["Lobby", "Room 1"]
        assert await found(show="thermostats") == ["Climate 1"]
        assert await found(show="problems") == ["Climate 1", "Lobby"]
        assert await found(show="unmanaged") == []


async def test_unmanaged_devices_stand_apart_without_buttons(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        for number in range(board.MAX_UNMANAGED + 2):
            lock = await site.lock(f"Lamp {number}")
            edit, device_id = DeviceEdited(is_managed=False), lock.device.device_id
            await site.hub.journal.transact(lambda view: view.emit(edit, device_id=device_id, instance="radio"))  # noqa: B023
        parts = await look(site)
        assert names(parts["devices"]) == []
        assert len(parts["unmanaged"].children) == board.MAX_UNMANAGED
        assert values(parts["unmanaged"], board.Unmanaged) == board.Unmanaged(board.MAX_UNMANAGED + 2, 2)
        assert not any(row.can_unlock for row in rows(parts["unmanaged"]))
        shown = (await look(site, Query(show="unmanaged")))["devices"]
        assert len(shown.children) == board.MAX_UNMANAGED + 2
        assert not any(row.can_unlock for row in rows(shown))


async def test_roles(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site_of(site, 1)
        assert [row.can_unlock for row in rows((await look(site))["devices"])] == [True]
        assert [row.can_unlock for row in rows((await look(site, key=VIEWER))["devices"])] == [False]


async def test_orders_under_way(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site_of(site, 1)
        (lock,) = site.hub.devices.values()
        assert values((await look(site))["pending"], Orders) == Orders(())
        site.script.hold = hold = asyncio.Event()
        await site.hub.submit(UnlockDoor(device_id=lock.device.device_id, native_id="Room 1"), "config")
        parts = await look(site)
        (order,) = values(parts["pending"], Orders).orders
        assert (order.what, order.device, order.by) == ("Unlock", "Room 1", "the configuration")
        assert rows(parts["devices"])[0].doing == "Unlocking…"
        hold.set()
        await until(lambda: not site.hub.journal.tables.open_commands)
        assert values((await look(site))["pending"], Orders) == Orders(())


async def test_a_backlog_of_the_radio_is_told_once_more_than_a_few_changes_wait(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        locks = [await site.keypad(f"Room {number + 1}") for number in range(board.FEW_CHANGES + 9)]
        assert values((await look(site))["links"], Links).links[0].backlog == ""
        site.script.hold_codes = asyncio.Event()
        wishes = [Wish(device_id=lock.device.device_id) for lock in locks]
        few = await site.hub.codes.create(wishes[: board.FEW_CHANGES], "config")
        await until(lambda: site.hub.codes.backlog("radio").steps == board.FEW_CHANGES)
        assert values((await look(site))["links"], Links).links[0].backlog == ""
        await site.hub.codes.create(wishes[board.FEW_CHANGES :], "config")
        await until(lambda: site.hub.codes.backlog("radio").steps == len(locks))
        said = values((await look(site))["links"], Links).links[0].backlog
        assert said == "12 changes of codes wait, about 3 s."
        site.script.hold_codes.set()
        await until(lambda: not site.is_moving(few[0].code_id))


async def test_codes_with_errors_are_counted_in_the_row_and_are_a_problem(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        await site.code(lock, name="Good")
        (row,) = rows((await look(site))["devices"])
        assert row.codes == ""
        site.script.answer_code = lambda _: rejected("code_refused", "The lock takes no such PIN.")
        await site.code(lock, name="Bad")
        await site.code(lock, name="Worse")
        parts = await look(site, Query(show="problems"))
        (row,) = rows(parts["devices"])
        assert row.codes.replace("\u00a0", " ") == "2 codes with errors"
        worst = values(parts["summary"], Summary).worst
        assert worst is not None
        assert (worst.who, worst.text.replace("\u00a0", " ")) == ("Room 1", "2 codes are not on the lock as wished.")


async def test_changes_of_one_lock_are_expected_one_after_the_other(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock, other = await site.keypad("Room 1"), await site.keypad("Room 2")
        site.script.hold_codes = asyncio.Event()
        ids = [lock.device.device_id] * 4 + [other.device.device_id]
        codes = await site.hub.codes.create([Wish(device_id=device_id) for device_id in ids], "config")
        await until(lambda: site.hub.codes.backlog("radio").steps == len(ids))
        assert site.hub.codes.backlog("radio").seconds == 4 * USUAL_SECONDS
        waits = [site.hub.codes.expected_wait(code) for code in (codes[0], codes[-1])]
        assert waits == [4 * USUAL_SECONDS, USUAL_SECONDS]
        assert values((await look(site))["links"], Links).links[0].backlog == "5 changes of codes wait, about 8 s."
        site.script.hold_codes.set()
        await until(lambda: not any(site.is_moving(code.code_id) for code in codes))


async def test_doors_and_encoders_stand_in_a_section_of_their_system_those_first_that_tell_something(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as site:
        await site_of(site, 1)
        at, annex = await space(site), await space(site, "annex")
        for number in range(board.MAX_DOORS + 3):
            await at.door(f"Door {number}", standalone=number % 2 == 1)
        for number in range(board.MAX_ENCODERS + 1):
            await at.encoder(f"Encoder {number}")
        await annex.door("Gate")
        await at.see(EntranceSeen(native_id="Door 22", conditions={"office_mode": True}))
        await at.see(ReachabilitySeen(native_id="Door 20", online=False, reason="No answer."))
        parts = await look(site)
        assert names(parts["devices"]) == ["Room 1"]
        shown = names(parts["access-space"])
        assert shown[:4] == ["Door 20", "Door 22", "Door 0", "Door 2"], "then those that can be opened"
        assert shown[board.MAX_DOORS :] == [f"Encoder {number}" for number in range(board.MAX_ENCODERS)]
        frame = values(parts["access-space"], board.Doors)
        assert frame.counts.replace("\u00a0", " ") == "23 doors, 11 not wired, 6 encoders"
        assert (frame.more_doors, frame.more_encoders, frame.notes) == (3, 1, ())
        assert frame.link == "Salto ProAccess Space “space”"
        assert names(parts["access-annex"]) == ["Gate"]
        assert board.systems_of(site.desk) == ["access-annex", "access-space"]
        said = [one.text.replace("\u00a0", " ") for one in values(parts["summary"], Summary).counters]
        assert said == ["7 devices", "24 doors", "1 unreachable", "storage ok"]


async def test_doors_are_found_among_the_devices_and_then_stand_nowhere_else(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.door("Main", EntranceSeen(native_id="Main", conditions={"tamper": True}))
        await at.door("Cellar", standalone=True)
        await at.encoder("Desk")
        assert values((await look(site))["devices"], Table).has_doors
        for query, found in (
            (Query(show="doors"), ["Cellar", "Main"]),
            (Query(show="encoders"), ["Desk"]),
            (Query(show="problems"), ["Main"]),
            (Query("main"), ["Main"]),
            (Query("salto cel"), ["Cellar"]),
            (Query(show="locks"), []),
        ):
            parts = await look(site, query)
            assert names(parts["devices"]) == found
            assert parts["access-space"].children == ()
            assert not values(parts["devices"], Table).has_doors
        counters = values((await look(site))["summary"], Summary).counters
        assert board.Counter("1\u00a0alarm", "bad") in counters


async def test_only_who_gives_orders_opens_doors_and_only_those_that_are_wired(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.door("Main")
        await at.door("Room 1", standalone=True)
        acts = [(row.name, row.can_lock, row.can_unlock) for row in rows((await look(site))["access-space"])]
        assert acts == [("Main", False, True), ("Room 1", False, False)]
        assert not any(row.can_unlock for row in rows((await look(site, key=VIEWER))["access-space"]))


async def test_what_waits_for_a_system_is_counted_at_its_section(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.door("Main")
        await at.note(AcsUser(native_id="Anna", full_name="Anna"))
        at.driver.on_execute = asyncio.Event().wait  # type: ignore[assignment]
        await site.hub.access.wish("space", [DeleteUser(subject="Anna")], "config")
        notes = values((await look(site))["access-space"], board.Doors).notes
        assert [note.replace("\u00a0", " ") for note in notes] == ["1 change waits"]


async def test_many_hundred_doors_make_no_large_page(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        for number in range(400):
            await at.door(f"Door {number}", EntranceSeen(native_id=f"Door {number}", conditions={"privacy_mode": True}))
        parts = await look(site)
        assert len(parts["access-space"].children) == board.MAX_DOORS
        assert len((await look(site, Query(show="doors", page=4)))["devices"].children) == board.PER_PAGE
