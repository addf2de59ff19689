from pathlib import Path

from hubd.core.codes.wishes import Change
from hubd.model import BatterySeen, ClimateSetting, LockSeen
from hubd.store.climate import Preset
from hubd.web.recent import SHOWN, Recent
from tests.hubd.web.space import space
from tests.hubd.web.stage import stage, until


async def test_it_follows_the_journal(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        recent = Recent(site.hub.journal)
        assert [row.type for row in await recent.rows()] == ["hop.back", "hub.started"]
        lock = await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True))
        assert (await recent.rows())[0].type == "device.found"
        await site.order(lock)
        assert [row.type for row in await recent.rows()][:2] == ["lock.changed", "device.found"]


async def test_it_catches_up_after_a_storm(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        recent = Recent(site.hub.journal)
        await recent.rows()
        await site.lock("Room 1", LockSeen(native_id="Room 1", locked=True))
        for number in range(600):
            await site.see(LockSeen(native_id="Room 1", locked=bool(number % 2), method="manual"))
        rows = await recent.rows()
        assert len(rows) == SHOWN
        assert [row.seq for row in rows] == list(range(site.hub.journal.head, site.hub.journal.head - SHOWN, -1))
        assert await Recent(site.hub.journal).rows() == rows


async def test_what_is_said_better_elsewhere_is_left_out(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock(
            "Room 1", LockSeen(native_id="Room 1", locked=True), BatterySeen(native_id="Room 1", level=0.3)
        )
        await site.see(BatterySeen(native_id="Room 1", level=0.2))
        await site.order(lock)
        await site.order(lock)  # the bolt is there already: only the order's end tells of it
        types = [row.type for row in await Recent(site.hub.journal).rows()]
        assert types == ["command.settled", "lock.changed", "battery.low", "device.found", "hop.back", "hub.started"]


async def test_a_hand_at_a_thermostat_is_one_line_and_its_readings_are_none(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        desk, device_id = site.hub.thermostats, room.device.device_id
        setting = ClimateSetting(hvac_mode="heat", heating_set_point_celsius=21.0)
        await desk.create_preset(device_id, Preset("day", setting), "config")
        await desk.set_fallback(device_id, "day", "config")
        await until(lambda: desk.get(device_id).base.kind == "fallback")
        await site.calm(room)
        await site.warm(room, heating_set_point_celsius=24.0)
        await site.warm(room, temperature_celsius=25.0)
        every = [row.type for row in await site.hub.journal.rows(0, 500)]
        assert {"thermostat.adjusted", "thermostat.temperature_changed"} <= set(every)
        types = [row.type for row in await Recent(site.hub.journal).rows()]
        assert types[0] in {"thermostat.override_began", "thermostat.set_point_reached"}
        assert not {"thermostat.adjusted", "thermostat.temperature_changed"} & set(types)


async def test_a_change_of_a_code_is_one_line(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest", pin="73519264")
        recent = Recent(site.hub.journal)
        await recent.rows()
        await site.hub.codes.update(code.code_id, Change(name="Guest 2", pin="86420975"), "config")
        await until(lambda: not site.is_moving(code.code_id))
        rows = [row for row in await recent.rows() if row.type == "code.edited"]
        assert [row.public for row in rows] == ["access_code.changed"]
        assert len([row for row in await site.hub.journal.rows(0, 500) if row.type == "code.edited"]) == 3


async def test_a_line_of_an_audit_trail_tells_the_order_behind_it_better(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        main = await at.door("Main")
        recent = Recent(site.hub.journal)
        await site.order(main)
        assert (await recent.rows())[0].type == "command.settled"
        await at.audit("Main", is_remote=True, passage="granted", at=site.clock.now())
        types = [row.type for row in await recent.rows()]
        assert types[0] == "entrance.audited"
        assert "command.settled" not in types
