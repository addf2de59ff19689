from datetime import timedelta
from pathlib import Path

from hubd.core.sense import Sense
from hubd.model import (
    BatterySeen,
    ClimateSetting,
    EntranceSeen,
    LockSeen,
    Outcome,
    ReachabilitySeen,
    rejected,
    unreachable,
)
from hubd.model.access import EditUser
from hubd.model.command import Command
from hubd.model.errors import StoreError
from hubd.model.event import AccountEdited, DeviceEdited
from hubd.store.climate import Preset
from hubd.web.condition import Rank
from hubd.web.survey import judge, link_name, survey
from tests.hubd.web.browser import Browser
from tests.hubd.web.space import space
from tests.hubd.web.stage import stage, until
from tests.support.clock import NOON
from tests.support.sources import Witnesses

DAY = timedelta(days=1)


async def test_a_healthy_site_has_no_problem(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        for number in (10, 9):
            await site.lock(f"Room {number}", LockSeen(native_id=f"Room {number}", locked=True))
        found = survey(site.hub)
        assert [known.name for known in found.managed] == ["Room 9", "Room 10"]
        assert (found.problems, found.unreachable, found.unmanaged) == ([], 0, [])


async def test_problems_stand_worst_first(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site.lock("low", LockSeen(native_id="low", locked=True), BatterySeen(native_id="low", level=0.2))
        await site.lock("jammed", LockSeen(native_id="jammed", locked=None, jammed=True))
        await site.lock("silent", ReachabilitySeen(native_id="silent", online=False, reason="It sleeps."))
        site.hub.journal.problem = StoreError("disk_full", "hubd.sqlite: the disk is full; free some space")
        found = survey(site.hub)
        assert [(problem.rank, problem.who) for problem in found.problems] == [
            (Rank.STORAGE, "Storage"),
            (Rank.JAMMED, "jammed"),
            (Rank.SILENT, "silent"),
            (Rank.BATTERY_LOW, "low"),
        ]
        assert "the disk is full; free some space" in found.problems[0].text
        assert (found.unreachable, found.with_rank(Rank.JAMMED, Rank.SILENT)) == (1, 2)


async def test_a_clock_that_nobody_proved_is_told_with_what_waits_and_what_to_do(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        site.hub.sense = Sense(site.hub.journal, site.clock, Witnesses())
        (problem,) = survey(site.hub).problems
        assert (problem.rank, problem.tone, problem.who) == (Rank.CLOCK, "warn", "Clock")
        assert "no time server answered" in problem.text
        assert "due to begin wait" in problem.text
        assert "(NTP)" in problem.text
        await site.hub.sense.confirm()
        assert survey(site.hub).problems == []


async def test_a_lost_link_is_one_problem_for_all_behind_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        for number in range(3):
            await site.lock(f"Room {number}", LockSeen(native_id=f"Room {number}", locked=True))
        await site.lose()
        found = survey(site.hub)
        assert found.unreachable == 3
        (problem,) = found.problems
        assert (
            problem.text.replace("\u00a0", " ") == "the controller is not reachable; 3 devices behind it out of reach."
        )


async def test_unmanaged_and_removed_devices_are_no_problem(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lamp = await site.lock("Lamp", ReachabilitySeen(native_id="Lamp", online=False))
        device_id = lamp.device.device_id
        edit = DeviceEdited(is_managed=False)
        await site.hub.journal.transact(lambda view: view.emit(edit, device_id=device_id, instance="radio"))
        await site.lock("Gone")
        await site.hub.removed("radio", "Gone", "It was excluded.")
        found = survey(site.hub)
        assert [known.name for known in found.unmanaged] == ["Lamp"]
        assert (found.managed, found.problems) == ([], [])


async def test_devices_of_a_driver_that_is_not_configured_any_more(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True))
        del site.hub.health["radio"]
        (problem,) = survey(site.hub).problems
        assert (problem.who, problem.rank) == ("radio", Rank.LINK)
        assert link_name(site.hub, "radio") == "radio"


async def test_a_link_has_the_name_that_people_gave_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        assert link_name(site.hub, "radio") == "Z-Wave"
        site.hub.health["other"] = site.hub.health["radio"]
        assert link_name(site.hub, "radio") == "Z-Wave “radio”"
        edit = AccountEdited(display_name="Floor 1")
        await site.hub.journal.transact(lambda view: view.emit(edit, instance="radio"))
        assert link_name(site.hub, "radio") == "Floor 1"


async def test_what_needs_a_look_comes_last_and_twice_over_is_kept(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        old = site.clock.now() - timedelta(days=4)
        battery = BatterySeen(native_id="Room 1", level=0.84, occurred_at=old)
        lock = await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True), battery)
        (problem,) = survey(site.hub).problems
        assert (problem.rank, problem.tone) == (Rank.CAUTION, "warn")
        assert problem.text.startswith("Its battery level is 4 days old")
        await site.see(ReachabilitySeen(native_id="Room 1", online=False))
        assert judge(site.hub, site.hub.devices[lock.device.device_id]).cautions == ()
        low = BatterySeen(native_id="Room 1", level=0.84, low=True, occurred_at=old)
        await site.see(ReachabilitySeen(native_id="Room 1", online=True), low)
        known = judge(site.hub, site.hub.devices[lock.device.device_id])
        assert known.trouble is not None
        assert known.trouble.rank is Rank.BATTERY_LOW
        assert [text[:26] for text in known.cautions] == ["Its battery level is 4 day"]
        page = Browser(site.pages)
        await page.sign_in(await site.key("viewer"))
        assert "Its battery level is 4 days old" in (await page.get(f"/device/{lock.device.device_id}"))["head"]


async def test_codes_that_are_not_as_wished_are_counted_beside_a_worse_trouble(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad(held={4: "1234"})
        await site.code(lock, name="Later", starts_at=NOON + DAY, ends_at=NOON + 2 * DAY)
        assert (judge(site.hub, lock).wrong_codes, judge(site.hub, lock).trouble) == (0, None)
        site.script.answer_code = lambda _: rejected("code_refused", "The lock takes no such PIN.")
        await site.code(lock, name="Bad")
        await site.see(LockSeen(native_id="Room 1", locked=None, jammed=True))
        known = judge(site.hub, site.hub.devices[lock.device.device_id])
        assert known.trouble is not None
        assert (known.wrong_codes, known.trouble.rank) == (1, Rank.JAMMED)


async def test_a_room_that_is_too_cold_and_a_thermostat_that_does_not_obey(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room, other = await site.room("Lounge"), await site.room("Bar")
        desk = site.hub.thermostats
        await desk.set_thresholds(room.device.device_id, 15.0, None, "config")
        await site.warm(room, temperature_celsius=9.5)
        site.script.answer = lambda _: rejected("device_refused", "The device refused it.")
        preset = Preset("day", ClimateSetting(hvac_mode="heat", heating_set_point_celsius=25.0))
        await desk.create_preset(other.device.device_id, preset, "config")
        await desk.set_fallback(other.device.device_id, "day", "config")
        await until(lambda: desk.get(other.device.device_id).trouble is not None)
        cold, stuck = survey(site.hub).problems
        assert (cold.who, cold.rank, cold.tone) == ("Lounge", Rank.ROOM, "bad")
        assert cold.text.replace("\u00a0", " ") == "it is too cold (9.5 °C)."
        assert (stuck.who, stuck.rank, stuck.tone) == ("Bar", Rank.CLIMATE, "warn")
        assert stuck.text == "it is not set as it should be. The device refused it."
        await site.warm(room, temperature_celsius=18.0)
        assert [problem.who for problem in survey(site.hub).problems] == ["Bar"]


async def test_what_a_system_cautions_of_and_wishes_that_are_stuck(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.door("Main", EntranceSeen(native_id="Main", conditions={"privacy_mode": True}))
        await at.encoder("Desk")
        await at.user("Anna")
        assert survey(site.hub).problems == []
        assert [known.name for known in survey(site.hub).access] == ["Desk", "Main"]

        async def refuse(_: Command) -> Outcome:
            return unreachable("busy", "Somebody has the user open.")

        at.driver.on_execute = refuse
        await site.hub.access.wish("space", [EditUser(subject="Anna", full_name="Anna B.")], "config")
        await until(lambda: site.hub.access.pending("space")[0].trouble is not None)
        site.hub.health["space"].warn("clock_off", "Its clock is off.", "Set it.")
        stuck, caution = survey(site.hub).problems
        assert (stuck.rank, stuck.who) == (Rank.EDITS, "Salto ProAccess Space")
        assert stuck.text.replace("\u00a0", " ") == "1 change is not taken yet; the hub tries again."
        assert (caution.rank, caution.tone, caution.text) == (Rank.CAUTION, "warn", "Its clock is off. Set it.")
        await at.see(EntranceSeen(native_id="Main", conditions={"intrusion": True}))
        worst = survey(site.hub).problems[0]
        assert (worst.rank, worst.who, worst.tone) == (Rank.ALARM, "Main", "bad")
