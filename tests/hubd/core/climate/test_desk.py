"""The desk over a running hub: what is refused changes nothing, what is taken is durable and audited."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.core.climate.desk import KEPT_SCHEDULES, MAX_PENDING, MAX_PRESETS, ScheduleChange
from hubd.model import ClimateSetting, SetPointRange
from hubd.model.errors import HubError, InvalidInputError, NotFoundError, RefusedError, StoreError
from hubd.model.event import ThermostatEdited
from hubd.store.climate import Period, Preset
from tests.support.locks import lock_site
from tests.support.store import refuse_writes, take_writes
from tests.support.thermostats import ThermostatSite, thermostat_site

HEAT: dict[str, Any] = {"hvac_mode": "heat", "heating_set_point_celsius": 21.0}


async def refused(what: Any) -> str:
    with pytest.raises(HubError) as caught:
        await what
    return caught.value.code


async def edits(site: ThermostatSite) -> list[tuple[str, str]]:
    rows = [row.event for row in await site.rows()]
    return [(event.what, event.change) for event in rows if isinstance(event, ThermostatEdited)]


async def test_what_the_device_cannot_do_is_refused_before_anything_is_kept(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        head = site.hub.journal.head
        assert await refused(site.set(hvac_mode="eco")) == "mode_not_supported"
        assert await refused(site.set(fan_mode="circulate")) == "fan_mode_not_supported"
        assert await refused(site.set(heating_set_point_celsius=40.0)) == "set_point_out_of_range"
        assert await refused(site.set(hvac_mode="heat_cool", heating_set_point_celsius=25.5)) == "set_points_too_close"
        assert (site.hub.journal.head, site.record().pending) == (head, ())


async def test_a_lock_is_no_thermostat(tmp_path: Path) -> None:
    async with lock_site(tmp_path / "hub.db") as site:
        what = site.hub.thermostats.set(site.id_of(), ClimateSetting("off"), "SET_HVAC_MODE", "test")
        assert await refused(what) == "device_type_not_supported"
        what = site.hub.thermostats.set("gone", ClimateSetting("off"), "SET_HVAC_MODE", "test")
        assert await refused(what) == "device_not_found"


async def test_a_plan_that_allows_no_override_refuses_calls(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("home", **HEAT, is_override_allowed=False)
        await site.desk.set_fallback(site.id_of(), "home", "test")
        await site.wait(3)
        assert await refused(site.set(hvac_mode="off")) == "manual_override_not_allowed"
        await site.preset("other", hvac_mode="off")
        assert await refused(site.desk.activate(site.id_of(), "other", "test")) == "manual_override_not_allowed"


async def test_a_preset_is_activated_until_the_plan_returns(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("home", **HEAT)
        attempt = await site.desk.activate(site.id_of(), "home", "test")
        await site.wait(3)
        assert (await site.attempt(attempt), site.climate().hvac_mode) == ("success", "heat")
        assert await site.public() == ["climate_preset_activated"]
        assert await refused(site.desk.activate(site.id_of(), "none", "test")) == "climate_preset_not_found"
        await site.desk.cancel_override(site.id_of())
        assert site.record().override is None


async def test_a_waiting_room_has_an_end(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        site.thermostat().fault = "asleep"
        for _ in range(MAX_PENDING):
            await site.set(hvac_mode="off")
        assert await refused(site.set(hvac_mode="off")) == "device_queue_full"
        assert site.record().pending[0].setting == ClimateSetting("off")


async def test_what_goes_along_with_a_call_shares_its_fate(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        kept: list[str] = []

        def also(view: Any, name: str) -> None:
            view.execute("INSERT INTO cursors(name, seq) VALUES(?, 1)", name)
            kept.append(name)

        attempt = await site.desk.set(site.id_of(), ClimateSetting("off"), "SET_HVAC_MODE", "test", also)
        rows = await site.hub.journal.database.read("SELECT name FROM cursors WHERE seq = 1")
        assert (rows, kept) == ([(attempt,)], [attempt])


async def test_presets_are_checked_kept_once_and_not_taken_from_who_needs_them(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        desk, device_id = site.desk, site.id_of()
        await site.preset("home", **HEAT)
        assert await refused(site.preset("home", **HEAT)) == "climate_preset_exists"
        assert await refused(site.preset("empty")) == "invalid_input"
        assert await refused(site.preset("hot", heating_set_point_celsius=50.0)) == "set_point_out_of_range"
        warmer = ClimateSetting("heat", None, 22.3)
        await desk.update_preset(device_id, "home", lambda preset: replace(preset, setting=warmer), "test")
        assert site.record().presets == (Preset("home", ClimateSetting("heat", None, 22.5)),)
        stay = await site.schedule("home", site.at(), site.at(hours=1), name="Stay")
        with pytest.raises(RefusedError, match="needed by the schedule Stay"):
            await desk.delete_preset(device_id, "home", "test")
        await desk.delete_schedule(stay.schedule_id, "test")
        await desk.delete_preset(device_id, "home", "test")
        assert await edits(site) == [
            ("preset", "created"),
            ("preset", "updated"),
            ("schedule", "created"),
            ("schedule", "deleted"),
            ("preset", "deleted"),
        ]
        for number in range(MAX_PRESETS):
            await site.preset(str(number), **HEAT)
        assert await refused(site.preset("one more", **HEAT)) == "too_many"


async def test_a_fallback_goes_with_its_preset(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("home", **HEAT)
        await site.desk.set_fallback(site.id_of(), "home", "test")
        await site.wait(3)
        await site.desk.delete_preset(site.id_of(), "home", "test")
        await site.wait(3)
        assert (site.record().fallback_key, site.record().base.kind) == (None, "none")


async def test_programs_run_through_the_week(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        desk, device_id = site.desk, site.id_of()
        await site.preset("home", **HEAT)
        await site.preset("night", hvac_mode="heat", heating_set_point_celsius=17.0)
        day = await desk.create_program(
            device_id, "Day", (Period("22:00:00", "night"), Period("06:00:00", "home")), "test"
        )
        assert [period.starts_at for period in day.periods] == ["06:00:00", "22:00:00"]
        pushed = await desk.set_week(device_id, (day.program_id,) * 7, "test")
        assert await site.attempt(pushed) == "success"
        await site.wait(5)  # noon in UTC is 13 o'clock on the site
        assert (site.record().base.preset_key, site.climate().heating_set_point_celsius) == ("home", 21.0)
        await site.wait(9 * 3600)
        assert (site.record().base.preset_key, site.climate().heating_set_point_celsius) == ("night", 17.0)
        assert await refused(desk.delete_preset(device_id, "night", "test")) == "climate_preset_in_use"
        pushed = await desk.update_program(day.program_id, "Day", (Period("00:00:00", "home"),), "test")
        await site.wait(5)
        assert (await site.attempt(pushed), site.climate().heating_set_point_celsius) == ("success", 21.0)
        await desk.delete_program(day.program_id, "test")
        await site.wait(5)
        assert (site.record().week, site.record().base.kind) == ((None,) * 7, "none")
        assert await refused(desk.delete_program(day.program_id, "test")) == "thermostat_daily_program_not_found"
        assert await refused(desk.set_week(device_id, ("x",) * 7, "test")) == "thermostat_daily_program_not_found"


@pytest.mark.parametrize(
    "periods",
    [
        (),
        (Period("06:00:00", "home"), Period("06:00:00", "home")),
        tuple(Period(f"06:{n:02}:00", "home") for n in range(25)),
    ],
)
async def test_periods_must_make_sense(tmp_path: Path, periods: tuple[Period, ...]) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("home", **HEAT)
        with pytest.raises(InvalidInputError):
            await site.desk.create_program(site.id_of(), "Day", periods, "test")
        assert site.record().programs == ()
        what = site.desk.create_program(site.id_of(), "Day", (Period("06:00:00", "none"),), "test")
        assert await refused(what) == "climate_preset_not_found"


async def test_schedules_are_changed_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        desk = site.desk
        await site.preset("home", **HEAT)
        stay = await site.schedule("home", site.at(hours=1), site.at(hours=2))
        wrong = ScheduleChange(ends_at=site.at(minutes=30), name="Stay")
        assert await refused(desk.update_schedule(stay.schedule_id, wrong, "test")) == "invalid_input"
        assert desk.schedule(stay.schedule_id) == stay
        after = await desk.update_schedule(stay.schedule_id, ScheduleChange(starts_at=site.at(), name=None), "test")
        assert after == replace(stay, starts_at=site.at())
        await site.wait(3)
        assert site.record().base.plan_id == stay.schedule_id
        assert await refused(desk.update_schedule("none", ScheduleChange(), "test")) == "thermostat_schedule_not_found"
        assert await refused(desk.delete_schedule("none", "test")) == "thermostat_schedule_not_found"
        assert await refused(site.schedule("none", site.at(), site.at(hours=1))) == "climate_preset_not_found"
        with pytest.raises(NotFoundError):
            desk.schedule("none")
        assert desk.schedules(site.id_of()) == [after]


async def test_schedules_that_were_over_long_ago_are_dropped(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("home", **HEAT)
        old = await site.schedule("home", site.at(), site.at(hours=1))
        young = await site.schedule("home", site.at(hours=1), site.at(hours=2))
        site.clock.step(KEPT_SCHEDULES.total_seconds() + 3601)
        await site.hub.journal.transact(site.desk.prune)
        assert [one.schedule_id for one in site.desk.schedules(site.id_of())] == [young.schedule_id]
        assert old.schedule_id not in site.hub.journal.tables.schedules


async def test_a_call_at_the_minute_of_a_plan_comes_after_it(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("home", **HEAT)
        await site.schedule("home", site.at(seconds=60), site.at(hours=2))
        await site.wait(59)
        site.clock.step(1.5)  # nobody is woken by that: the hub has yet to look at the plan
        attempt_id = await site.set(heating_set_point_celsius=25.0)
        await site.wait(5)
        assert await site.attempt(attempt_id) == "success"
        assert (site.record().base.kind, site.climate().heating_set_point_celsius) == ("schedule", 25.0)


async def test_thresholds(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        assert await refused(site.desk.set_thresholds(site.id_of(), 25.0, 20.0, "test")) == "invalid_input"
        await site.desk.set_thresholds(site.id_of(), 16.0, None, "test")
        await site.network.warm("1", 15.0)
        await site.wait(1)
        assert await site.public() == ["temperature_threshold_exceeded", "temperature_changed"]
        await site.desk.set_thresholds(site.id_of(), None, None, "test")
        assert site.record().thresholds.exceeded_since is None


async def test_a_disk_that_refuses_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await refuse_writes(site.hub.journal.database)
        with pytest.raises(StoreError):
            await site.set(hvac_mode="heat")
        await take_writes(site.hub.journal.database)
        await site.wait(30)
        assert site.thermostat().settings == []
        await site.set(hvac_mode="heat")
        await site.wait(3)
        assert site.climate().hvac_mode == "heat"


async def test_a_call_that_does_not_go_with_what_is_in_force_is_refused(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.network.connect("1", online=False)
        await site.preset("hc", hvac_mode="heat_cool", heating_set_point_celsius=20.0, cooling_set_point_celsius=25.0)
        await site.desk.set_fallback(site.id_of(), "hc", "test")
        await site.wait(2)
        assert await refused(site.set(heating_set_point_celsius=24.5)) == "set_points_too_close"
        assert (site.record().override, site.record().pending) == (None, ())
        await site.set(heating_set_point_celsius=23.5)
        assert await refused(site.set(cooling_set_point_celsius=24.0)) == "set_points_too_close"


async def test_where_what_is_in_force_cannot_be_a_call_stands_for_itself(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("warm", hvac_mode="heat", heating_set_point_celsius=28.0)
        await site.network.connect("1", online=False)
        await site.desk.set_fallback(site.id_of(), "warm", "test")
        device = site.thermostat()
        device.capability = replace(device.capability, heating=SetPointRange(7.0, 25.0))
        await site.network.living_port.found(device.description)
        await site.network.connect("1", online=True)
        await site.wait(3)
        assert site.desk.plan(site.hub.devices[site.id_of()]).hold == "setting_not_possible"
        attempt = await site.set(hvac_mode="cool")
        await site.wait(3)
        assert (await site.attempt(attempt), device.climate.hvac_mode) == ("success", "cool")
