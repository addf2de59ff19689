from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from hubd.core.climate.recorder import ROUND
from hubd.core.keys import Key
from hubd.model import Climate, ClimateSetting, ReachabilitySeen, rejected, unreachable
from hubd.store.climate import Period, Preset, Schedule
from hubd.store.records import DeviceRecord
from hubd.store.tables import View
from hubd.web.chart import Chart, Span
from hubd.web.climate import READ_SECONDS, ClimateForm, ClimatePlans, ClimateState, Trace, climate_parts
from hubd.web.parts import Part
from hubd.web.sessions import Session
from tests.hubd.web.stage import Stage, stage, until
from tests.hubd.web.test_board import OPERATOR, VIEWER, values
from tests.support.clock import NOON

SESSION = Session("k", 0.0)
HOUR = timedelta(hours=1)
DAY = ClimateSetting(hvac_mode="heat", heating_set_point_celsius=21.0)
NIGHT = ClimateSetting(hvac_mode="heat", heating_set_point_celsius=17.0)


async def look(site: Stage, record: DeviceRecord, key: Key = OPERATOR, span: Span = "day") -> dict[str, Part]:
    record = site.hub.devices[record.device.device_id]
    trace = Trace(record.device.device_id, span)
    await trace.read(site.desk)
    return {part.id: part for part in climate_parts(site.desk, SESSION, key, record, trace)}


async def state(site: Stage, record: DeviceRecord, key: Key = OPERATOR) -> ClimateState:
    return values((await look(site, record, key))["climate"], ClimateState)


def said(found: ClimateState) -> dict[str, str]:
    """Return the lines as they are read."""
    return {
        line.label: f"{line.text}{'' if line.until is None else f', until {line.until.text}'}{line.after}".replace(
            "\u00a0", " "
        )
        for line in found.lines
    }


async def plans(site: Stage, record: DeviceRecord) -> None:
    """Have two presets, the second as fallback."""
    desk, device_id = site.hub.thermostats, record.device.device_id
    await desk.create_preset(device_id, Preset("day", DAY, name="By day"), "config")
    await desk.create_preset(device_id, Preset("night", NIGHT), "config")
    await desk.set_fallback(device_id, "night", "config")


async def schedule(site: Stage, record: DeviceRecord, begin: float, end: float, **members: object) -> None:
    """Have a schedule from and to so many hours after noon."""
    made = Schedule(
        str(UUID(int=int(begin * 100) + 10_000)),
        record.device.device_id,
        "day",
        NOON + begin * HOUR,
        NOON + end * HOUR,
        NOON,
        **members,  # type: ignore[arg-type]
    )
    await site.hub.thermostats.create_schedule(made, "config")


async def base(site: Stage, record: DeviceRecord, kind: str) -> None:
    """Wait until a plan of this kind is in force, and the device set to it."""
    kept = site.hub.thermostats.get
    await until(lambda: kept(record.device.device_id).base.kind == kind)
    await site.calm(record)


async def test_a_thermostat_that_nothing_is_planned_for(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        found = await state(site, room)
        assert said(found) == {
            "Mode": "Heat",
            "Set to": "Heat to 21.0 °C",
            "Fan": "By itself",
            "Doing": "Heating now",
            "Plan": "None: it stays as somebody sets it",
        }
        assert (found.why, found.may_return) == ("", False)
        parts = await look(site, room)
        assert values(parts["plans"], ClimatePlans).presets == ()
        assert values(parts["chart"], Chart).summary == "Nothing is known of this time."


async def test_other_devices_have_no_such_section(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        assert await look(site, await site.lock("Room 1")) == {}
        room = await site.room()
        await site.hub.removed("radio", "Lounge", "It was excluded.")
        assert await look(site, room) == {}


async def test_a_device_that_has_told_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        found = await state(site, await site.thermostat("Lounge"))
        assert said(found) | {"Plan": ""} == {
            "Mode": "Not known",
            "Set to": "Not known",
            "Doing": "Not known",
            "Plan": "",
        }
        told = await state(site, await site.room("Other", Climate(hvac_mode="off", is_heating=False)))
        assert said(told) | {"Plan": ""} == {
            "Mode": "Off",
            "Set to": "Off",
            "Doing": "Nothing",
            "Plan": "",
        }


async def test_which_plan_is_in_force_until_when_and_what_follows(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        await plans(site, room)
        await base(site, room, "fallback")
        assert said(await state(site, room))["Plan"] == "Fallback: the preset “night” (heat to 17.0 °C)"
        await schedule(site, room, 0, 2, name="Conference")
        await schedule(site, room, 3, 4)
        await base(site, room, "schedule")
        assert said(await state(site, room))["Plan"] == (
            "The schedule “Conference”: the preset “day” (heat to 21.0 °C), until 15:00:00, then the preset “night”"
        )
        await schedule(site, room, 1.5, 2.5)
        text = said(await state(site, room))["Plan"]
        assert text.endswith("until 14:30:00, then the preset “day”")


async def test_a_weekly_program_with_its_days(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        await plans(site, room)
        desk, device_id = site.hub.thermostats, room.device.device_id
        times = (Period("06:30:00", "day"), Period("22:00:00", "night"))
        work = await desk.create_program(device_id, "Work", times, "config")
        rest = await desk.create_program(device_id, "Rest", (Period("08:00:15", "day"),), "config")
        days = (*(work.program_id,) * 5, None, rest.program_id)
        await desk.set_week(device_id, days, "config")
        await base(site, room, "program")
        found = values((await look(site, room))["plans"], ClimatePlans)
        assert [(one.days, one.name, one.periods) for one in found.week] == [
            ("Monday to Friday", "Work", (("06:30", "day"), ("22:00", "night"))),
            ("Sunday", "Rest", (("08:00:15", "day"),)),
        ]
        plan = said(await state(site, room))["Plan"]  # noon of a Sunday
        assert plan == "Weekly program: the preset “day” (heat to 21.0 °C), until 2 Mar 06:30, then the preset “day”"
        every = await desk.create_program(device_id, "All day", (Period("00:00:00", "day"),), "config")
        await desk.set_week(device_id, (every.program_id,) * 7, "config")
        await until(lambda: desk.get(device_id).base.plan_id == every.program_id)
        await site.calm(room)
        await site.warm(room, heating_set_point_celsius=24.0)
        found_lines = said(await state(site, room))
        assert found_lines["Plan"] == "Weekly program: the preset “day” (heat to 21.0 °C)"
        assert found_lines["Instead of it"].endswith(", until 2 Mar 00:00, when the plan changes")


async def test_what_was_set_instead_of_the_plan(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        await plans(site, room)
        await base(site, room, "fallback")
        await site.warm(room, heating_set_point_celsius=23.5)
        found = await state(site, room)
        line = said(found)["Instead of it"]
        assert line.startswith("Heat to 23.5 °C")
        assert line.endswith(", until the plan changes")
        assert " 13:00:00" in line
        assert found.may_return
        assert not (await state(site, room, VIEWER)).may_return
        await site.hub.thermostats.activate(room.device.device_id, "day", "config")
        await site.calm(room)
        line = said(await state(site, room))["Instead of it"]
        assert line.startswith("The preset “day” (heat to 21.0 °C")
        assert "set by the configuration 13:00:00" in line
        found_plans = values((await look(site, room))["plans"], ClimatePlans)
        assert [(one.name, one.is_in_force, one.may) for one in found_plans.presets] == [
            ("By day", True, False),
            ("night", False, True),
        ]


async def test_an_override_with_an_end(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        await plans(site, room)
        await schedule(site, room, 0, 5, max_override_minutes=90)
        await base(site, room, "schedule")
        await site.warm(room, heating_set_point_celsius=23.5)
        assert said(await state(site, room))["Instead of it"].endswith(", until 14:30:00")


async def test_why_it_is_not_as_it_should_be(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        site.script.answer = lambda _: rejected("device_refused", "The device refused it.")
        await plans(site, room)
        kept = site.hub.thermostats.get
        await until(lambda: kept(room.device.device_id).trouble is not None)
        found = await state(site, room)
        assert found.why.replace("\u00a0", " ") == ("Not set as it should be (heat to 17.0 °C). The device refused it.")
        assert found.tone == "warn"
        assert found.next_try is not None
        await site.see(ReachabilitySeen(native_id="Lounge", online=False, reason="It sleeps."))
        found = await state(site, room)
        assert found.why.endswith("It gets what is then in force as soon as it can be reached.")


async def test_what_is_on_its_way_is_no_alarm(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        site.script.answer = lambda _: unreachable("device_asleep", "It sleeps.")
        await plans(site, room)
        kept = site.hub.thermostats.get
        await until(lambda: not kept(room.device.device_id).is_applied)
        found = await state(site, room)
        assert (found.tone, found.next_try) == ("note", None)
        assert found.why.endswith("It is being set; the device has not confirmed it yet.")


async def test_schedules_that_run_and_are_to_come(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        await plans(site, room)
        await schedule(site, room, -5, -1, name="Over")
        await schedule(site, room, -2, 2, name="Covered")
        await schedule(site, room, -1, 1, name="Now", is_override_allowed=False)
        await schedule(site, room, 2, 3, max_override_minutes=60)
        for number in range(10):
            await schedule(site, room, 4 + number, 5 + number)
        found = values((await look(site, room))["plans"], ClimatePlans)
        notes = [(one.name, one.is_running, one.is_covered, one.note.replace("\u00a0", " ")) for one in found.schedules]
        assert notes[:4] == [
            ("Covered", False, True, ""),
            ("Now", True, False, "may not be overridden"),
            ("Without a name", False, False, "may be overridden for 1 hour"),
            ("Without a name", False, False, ""),
        ]
        assert found.more == 3


async def test_limits_and_that_they_are_exceeded(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        await site.hub.thermostats.set_thresholds(room.device.device_id, 10.0, 26.0, "config")
        assert said(await state(site, room))["Limits"] == "It is told when it is below 10.0 °C or above 26.0 °C"
        await site.warm(room, temperature_celsius=27.0)
        (line,) = [line for line in (await state(site, room)).lines if line.label == "Limits"]
        assert (line.tone, line.text.endswith("; it is now")) == ("bad", True)


async def test_the_form_knows_what_the_device_takes(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        form = values((await look(site, room))["climate-form"], ClimateForm)
        assert [one.value for one in form.modes] == ["off", "heat", "heat_cool"]
        assert [(one.name, one.low, one.high, one.step) for one in form.points] == [
            ("heating", "5", "30", "any"),
            ("cooling", "4", "38", "any"),
        ]
        assert (form.may, form.refusal) == (True, "")
        assert not values((await look(site, room, VIEWER))["climate-form"], ClimateForm).may


async def test_a_plan_that_lets_nobody_set_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        await plans(site, room)
        await schedule(site, room, 0, 2, is_override_allowed=False)
        await base(site, room, "schedule")
        parts = await look(site, room)
        assert values(parts["climate-form"], ClimateForm).refusal.startswith("The plan in force does not allow")
        assert not any(one.may for one in values(parts["plans"], ClimatePlans).presets)


@pytest.mark.parametrize(("span", "rows"), [("day", 2), ("week", 3)])
async def test_the_chart_is_of_the_time_that_is_asked_for(tmp_path: Path, span: Span, rows: int) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()

        def apply(view: View) -> None:
            for hours in (30, 12, 1):
                at = int((NOON - hours * HOUR).timestamp())
                sql = "INSERT INTO climate_history VALUES(?, ?, ?, ?, ?, ?, ?)"
                view.execute(sql, UUID(room.device.device_id).bytes, at, 2000 + hours, None, None, None, 0)

        await site.hub.journal.transact(apply)
        drawn = values((await look(site, room, span=span))["chart"], Chart)
        assert drawn.temperature is not None
        assert drawn.temperature.line.count("M") == rows
        assert drawn.span == span


async def test_the_chart_is_read_again_once_a_minute(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        trace = Trace(room.device.device_id)

        def apply(view: View) -> None:
            at = int(site.clock.now().timestamp())
            sql = "INSERT OR REPLACE INTO climate_history VALUES(?, ?, ?, ?, ?, ?, ?)"
            view.execute(sql, UUID(room.device.device_id).bytes, at, 2000, None, None, None, 0)

        await site.hub.journal.transact(apply)
        await trace.read(site.desk)
        first = trace.points
        await site.clock.advance(READ_SECONDS - 1)
        await site.hub.journal.transact(apply)
        await trace.read(site.desk)
        assert trace.points is first
        drawn = trace.drawn(site.desk)
        assert trace.drawn(site.desk) is drawn
        await site.clock.advance(1)
        await trace.read(site.desk)
        assert len(trace.points) == 2
        assert trace.drawn(site.desk) is not drawn
        assert trace.until == NOON + timedelta(seconds=ROUND)
        await site.clock.advance(ROUND - READ_SECONDS)
        await trace.read(site.desk)
        assert trace.until == NOON + timedelta(seconds=2 * ROUND)
