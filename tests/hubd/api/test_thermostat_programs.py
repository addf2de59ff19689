import uuid
from pathlib import Path
from typing import Any

from hubd.store.climate import DAYS
from tests.hubd.api.climate import heats_to, with_presets
from tests.hubd.api.harness import Api, running_api

CREATE, UPDATE, DELETE = (f"/thermostats/daily_programs/{verb}" for verb in ("create", "update", "delete"))
WEEK = "/thermostats/update_weekly_program"


def period(at: str, key: str = "away") -> dict[str, str]:
    return {"starts_at_time": at, "climate_preset_key": key}


async def make(api: Api, device_id: str, *periods: dict[str, str], name: str = "Workday") -> dict[str, Any]:
    body = {"device_id": device_id, "name": name, "periods": periods or [period("00:00:00")]}
    made: dict[str, Any] = (await api.ok(CREATE, body))["thermostat_daily_program"]
    return made


async def week_of(api: Api, device_id: str, **days: Any) -> dict[str, Any]:
    body = {"device_id": device_id, **{f"{day}_program_id": program for day, program in days.items()}}
    attempt: dict[str, Any] = (await api.ok(WEEK, body))["action_attempt"]
    return attempt


async def test_a_daily_program_is_kept_with_its_periods_by_their_start(api: Api) -> None:
    device_id = await with_presets(api)
    made = await make(api, device_id.upper(), period("22:30:00", "night"), period("06:15:30", "occupied"))
    assert made["periods"] == [period("06:15:30", "occupied"), period("22:30:00", "night")]
    assert (made["device_id"], made["name"], made["workspace_id"]) == (device_id, "Workday", api.hub.workspace_id)
    assert (await make(api, device_id, name=""))["name"] is None
    kept = api.hub.thermostats.get(device_id).programs
    assert kept[0].program_id == made["thermostat_daily_program_id"]
    assert api.hub.thermostats.get(device_id).base.kind == "none"  # no day has it


async def test_the_week_is_carried_out_and_so_is_each_change_of_a_program(api: Api) -> None:
    device_id = await with_presets(api)
    program_id = (await make(api, device_id))["thermostat_daily_program_id"]
    attempt = await week_of(api, device_id, **dict.fromkeys(DAYS, program_id.upper()))
    assert (attempt["status"], attempt["action_type"], attempt["result"]) == ("success", "PUSH_THERMOSTAT_PROGRAMS", {})
    await heats_to(api, device_id, 16.0)
    body = {
        "thermostat_daily_program_id": program_id.upper(),
        "name": "Quiet",
        "periods": [period("00:00:00", "night")],
    }
    periods = [period("00:00:00", "night")]
    attempt = (await api.ok(UPDATE, body | {"periods": periods}, method="PATCH"))["action_attempt"]
    assert (attempt["status"], attempt["error"]) == ("success", None)
    await heats_to(api, device_id, 18.0)
    (program,) = api.hub.thermostats.get(device_id).programs
    assert (program.name, program.program_id) == ("Quiet", program_id)
    assert api.hub.thermostats.get(device_id).base.plan_id == program_id


async def test_a_day_that_is_left_out_stays_and_null_takes_it_away(api: Api) -> None:
    device_id = await with_presets(api)
    one, other = [(await make(api, device_id))["thermostat_daily_program_id"] for _ in range(2)]
    await week_of(api, device_id, monday=one, sunday=one)
    await week_of(api, device_id, monday=None, tuesday=other)
    assert api.hub.thermostats.get(device_id).week == (None, other, None, None, None, None, one)
    await week_of(api, device_id)
    assert api.hub.thermostats.get(device_id).week == (None, other, None, None, None, None, one)


async def test_a_program_that_is_gone_leaves_its_days(api: Api) -> None:
    device_id = await with_presets(api)
    one, other = [(await make(api, device_id))["thermostat_daily_program_id"] for _ in range(2)]
    await week_of(api, device_id, monday=one, tuesday=other)
    await api.ok(DELETE, method="DELETE", query={"thermostat_daily_program_id": one})
    kept = api.hub.thermostats.get(device_id)
    assert (kept.week[:2], [program.program_id for program in kept.programs]) == ((None, other), [other])
    body = {"thermostat_daily_program_id": one}
    for path, more in ((DELETE, {}), (UPDATE, {"name": "x", "periods": [period("00:00:00")]})):
        error = await api.refused(path, body | more)
        assert (error["status"], error["type"]) == (404, "thermostat_daily_program_not_found")
    error = await api.refused(WEEK, {"device_id": device_id, "friday_program_id": one})
    assert (error["status"], error["type"]) == (404, "thermostat_daily_program_not_found")


async def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data") as api:
        device_id = await with_presets(api)
        made = await make(api, device_id, period("06:00:00", "occupied"))
        await week_of(api, device_id, friday=made["thermostat_daily_program_id"])
        before = api.hub.thermostats.get(device_id)
    async with running_api(tmp_path / "data") as api:
        after = api.hub.thermostats.get(device_id)
        assert (after.programs, after.week) == (before.programs, before.week)


async def test_the_same_call_twice_is_one(api: Api) -> None:
    device_id = await with_presets(api)
    body = {"device_id": device_id, "name": "Workday", "periods": [period("06:00:00")]}
    one, other = [await api.ok(CREATE, body, headers={"idempotency-key": "k-1"}) for _ in range(2)]
    assert one == other
    (program,) = api.hub.thermostats.get(device_id).programs
    week = {"device_id": device_id, "monday_program_id": program.program_id}
    change = {"thermostat_daily_program_id": program.program_id, "name": "x", "periods": [period("07:00:00")]}
    for path, call in ((WEEK, week), (UPDATE, change)):
        answers = [await api.ok(path, call, headers={"idempotency-key": f"k-{path}"}) for _ in range(2)]
        first, again = [answer["action_attempt"] for answer in answers]
        assert first["action_attempt_id"] == again["action_attempt_id"]
        assert first["status"] == again["status"] == "success"


WRONG_PERIODS: list[tuple[str, Any]] = [
    ("periods", []),
    ("periods", None),
    ("periods", [period("06:00:00")] * 25),
    ("periods[0].starts_at_time", [period("24:00:00")]),
    ("periods[0].starts_at_time", [period("6:00:00")]),
    ("periods[0].starts_at_time", [period("06:00")]),
    ("periods[0].starts_at_time", [period("06:00:00\n")]),
    ("periods[1].starts_at_time", [period("06:00:00"), period("٠٦:00:00")]),
    ("periods[0].climate_preset_key", [{"starts_at_time": "06:00:00"}]),
    ("periods[0].priority", [period("06:00:00") | {"priority": "1"}]),
    ("periods", [period("06:00:00"), period("06:00:00", "night")]),
]


async def test_what_is_wrong_is_named_and_nothing_is_made(api: Api) -> None:
    device_id = await with_presets(api)
    made = await make(api, device_id)
    kept = api.hub.thermostats.get(device_id)
    for field, periods in WRONG_PERIODS:
        await api.wrong(field, CREATE, {"device_id": device_id, "name": "x", "periods": periods})
        body = {"thermostat_daily_program_id": made["thermostat_daily_program_id"], "name": "x", "periods": periods}
        await api.wrong(field, UPDATE, body)
    await api.wrong("name", CREATE, {"device_id": device_id, "periods": [period("06:00:00")]})
    await api.wrong("name", CREATE, {"device_id": device_id, "name": "a\tb", "periods": [period("06:00:00")]})
    await api.wrong("monday_program_id", WEEK, {"device_id": device_id, "monday_program_id": "1"})
    body = {"device_id": device_id, "name": "x", "periods": [period("06:00:00", "sauna")]}
    assert (await api.refused(CREATE, body))["type"] == "climate_preset_not_found"
    assert api.hub.thermostats.get(device_id) == kept


async def test_only_managed_thermostats_have_programs(api: Api) -> None:
    device_id, lock = await with_presets(api), await api.device_id("Room 101")
    made = await make(api, device_id)
    body = {"name": "x", "periods": [period("06:00:00")]}
    for target, code in ((lock, "device_type_not_supported"), (str(uuid.uuid4()), "device_not_found")):
        assert (await api.refused(CREATE, body | {"device_id": target}))["type"] == code
        assert (await api.refused(WEEK, {"device_id": target}))["type"] == code
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    update = body | {"thermostat_daily_program_id": made["thermostat_daily_program_id"]}
    for path, call in ((CREATE, body | {"device_id": device_id}), (WEEK, {"device_id": device_id}), (UPDATE, update)):
        assert (await api.refused(path, call))["type"] == "device_unmanaged"


async def test_who_may(api: Api) -> None:
    device_id, viewer = await with_presets(api), await api.as_role("viewer")
    for path in (CREATE, UPDATE, DELETE, WEEK):
        assert (await api.refused(path, {"device_id": device_id}, token=viewer))["status"] == 403
    body = {"device_id": device_id, "name": "x", "periods": [period("06:00:00")]}
    await api.ok(CREATE, body, token=await api.as_role("operator"))
