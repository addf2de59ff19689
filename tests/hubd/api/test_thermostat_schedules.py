import uuid
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.hubd.api.climate import heats_to, schedule, with_presets
from tests.hubd.api.codes import from_now, moment
from tests.hubd.api.harness import Api, instance, running_api

CREATE, UPDATE = "/thermostats/schedules/create", "/thermostats/schedules/update"
GET, LIST, DELETE = (f"/thermostats/schedules/{verb}" for verb in ("get", "list", "delete"))


async def got(api: Api, schedule_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok(GET, {"thermostat_schedule_id": schedule_id}))["thermostat_schedule"]
    return found


async def test_a_schedule_is_kept_as_it_was_asked_for_and_its_times_are_utc(api: Api) -> None:
    device_id = await with_presets(api)
    east = timezone(timedelta(hours=5, minutes=30))
    starts_at = (api.clock.now() + timedelta(days=1)).replace(microsecond=0).astimezone(east)
    ends_at = (starts_at + timedelta(days=2)).astimezone(timezone(timedelta(hours=-8)))
    made = await schedule(
        api,
        device_id.upper(),
        "night",
        name="Guest 12",
        starts_at=starts_at.isoformat(),
        ends_at=ends_at.isoformat(),
        is_override_allowed=False,
        max_override_period_minutes=90,
    )
    assert made == await got(api, made["thermostat_schedule_id"].upper())
    assert made["starts_at"] == starts_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    assert moment(made["ends_at"]) == ends_at
    assert made["workspace_id"] == api.hub.workspace_id
    told = {name: made[name] for name in ("device_id", "name", "climate_preset_key", "errors")}
    assert told == {"device_id": device_id, "name": "Guest 12", "climate_preset_key": "night", "errors": []}
    assert (made["is_override_allowed"], made["max_override_period_minutes"]) == (False, 90)
    assert api.clock.now() - moment(made["created_at"]) < timedelta(minutes=1)


async def test_what_is_left_out(api: Api) -> None:
    made = await schedule(api, await with_presets(api), name="")
    assert (made["name"], made["is_override_allowed"], made["max_override_period_minutes"]) == (None, True, None)


async def test_one_that_runs_is_applied_and_so_is_each_change_of_it(api: Api) -> None:
    device_id = await with_presets(api)
    made = await schedule(api, device_id, "away")
    schedule_id = made["thermostat_schedule_id"]
    await heats_to(api, device_id, 16.0)
    assert (await got(api, schedule_id))["errors"] == []
    body = {"thermostat_schedule_id": schedule_id, "climate_preset_key": "night", "name": "Renamed"}
    assert await api.ok(UPDATE, body, method="PATCH") == {"ok": True}
    await heats_to(api, device_id, 18.0)
    after = await got(api, schedule_id)
    assert after == made | {"climate_preset_key": "night", "name": "Renamed"}
    await api.ok(DELETE, method="DELETE", query={"thermostat_schedule_id": schedule_id})
    assert api.hub.thermostats.get(device_id).base.kind == "schedule"  # until the reconciler has looked
    error = await api.refused(GET, {"thermostat_schedule_id": schedule_id})
    assert (error["status"], error["type"]) == (404, "thermostat_schedule_not_found")
    for path in (UPDATE, DELETE):
        assert (await api.refused(path, {"thermostat_schedule_id": schedule_id}))["status"] == 404


async def test_an_update_changes_what_it_names_and_null_takes_away(api: Api) -> None:
    made = await schedule(api, await with_presets(api), name="Guest", max_override_period_minutes=60)
    body: dict[str, Any] = {"thermostat_schedule_id": made["thermostat_schedule_id"]}
    await api.ok(UPDATE, body)
    assert await got(api, body["thermostat_schedule_id"]) == made
    ends_at = from_now(api, days=3)
    await api.ok(UPDATE, body | {"max_override_period_minutes": None, "name": None, "ends_at": ends_at})
    after = await got(api, body["thermostat_schedule_id"])
    assert after["ends_at"] != made["ends_at"]
    assert moment(after["ends_at"]) == datetime.fromisoformat(ends_at)
    assert after | {"ends_at": made["ends_at"]} == made | {"max_override_period_minutes": None, "name": None}


async def test_the_list_is_by_start_and_of_one_thermostat(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(thermostats=2)) as api:
        device_id, other = await with_presets(api), await api.device_id("Climate 102")
        later = await schedule(api, device_id, starts_at=from_now(api, days=2), ends_at=from_now(api, days=3))
        sooner = await schedule(api, device_id, starts_at=from_now(api, days=1), ends_at=from_now(api, days=4))
        for query in ({"device_id": device_id}, {"device_id": device_id.upper()}):
            found = (await api.ok(LIST, method="GET", query=query))["thermostat_schedules"]
            assert found == [sooner, later]
        assert (await api.ok(LIST, {"device_id": other}))["thermostat_schedules"] == []
        by_user = {"device_id": device_id, "user_identifier_key": "somebody"}
        assert (await api.ok(LIST, by_user))["thermostat_schedules"] == []


async def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data") as api:
        made = await schedule(api, await with_presets(api), name="Guest 12")
    async with running_api(tmp_path / "data") as api:
        assert await got(api, made["thermostat_schedule_id"]) == made


async def test_the_same_call_twice_makes_one_schedule(api: Api) -> None:
    device_id = await with_presets(api)
    times = {"starts_at": from_now(api, days=1), "ends_at": from_now(api, days=2)}
    body = {"device_id": device_id, "climate_preset_key": "away", **times}
    one, other = [await api.ok(CREATE, body, headers={"idempotency-key": "k-1"}) for _ in range(2)]
    assert one == other
    assert len(api.hub.thermostats.schedules(device_id)) == 1
    gone = {"thermostat_schedule_id": one["thermostat_schedule"]["thermostat_schedule_id"]}
    for _ in range(2):
        assert await api.ok(DELETE, gone, headers={"idempotency-key": "k-2"}) == {"ok": True}
    error = await api.refused(DELETE, gone, headers={"idempotency-key": "k-3"})
    assert error["type"] == "thermostat_schedule_not_found"


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("starts_at", {"starts_at": None}),
    ("starts_at", {"starts_at": "tomorrow"}),
    ("starts_at", {"starts_at": "2026-11-22T12:00:00"}),
    ("ends_at", {"ends_at": "2020-01-01T00:00:00Z"}),
    ("max_override_period_minutes", {"max_override_period_minutes": 0}),
    ("max_override_period_minutes", {"max_override_period_minutes": 1.5}),
    ("max_override_period_minutes", {"max_override_period_minutes": 10**9}),
    ("is_override_allowed", {"is_override_allowed": "yes"}),
    ("climate_preset_key", {"climate_preset_key": ""}),
    ("name", {"name": "two\nlines"}),
    ("device_id", {"device_id": "1"}),
    ("priority", {"priority": 1}),
]


async def test_what_is_wrong_is_named_and_nothing_is_made(api: Api) -> None:
    device_id = await with_presets(api)
    body = {
        "device_id": device_id,
        "climate_preset_key": "away",
        "starts_at": from_now(api, hours=1),
        "ends_at": from_now(api, hours=2),
    }
    for field, change in WRONG:
        await api.wrong(field, CREATE, body | change)
    for field in body:
        await api.wrong(field, CREATE, {name: value for name, value in body.items() if name != field})
    await api.wrong("ends_at", CREATE, body | {"starts_at": from_now(api, hours=3)})
    assert api.hub.thermostats.schedules(device_id) == []


async def test_what_is_wrong_changes_nothing(api: Api) -> None:
    made = await schedule(api, await with_presets(api))
    body = {"thermostat_schedule_id": made["thermostat_schedule_id"]}
    for field, change in WRONG:
        if field not in {"device_id", "ends_at"}:
            await api.wrong(field, UPDATE, body | change)
    for change in ({"ends_at": from_now(api, hours=-2)}, {"starts_at": from_now(api, hours=2)}):
        await api.wrong("ends_at", UPDATE, body | change)
    error = await api.refused(UPDATE, body | {"climate_preset_key": "sauna"})
    assert (error["status"], error["type"]) == (404, "climate_preset_not_found")
    assert await got(api, made["thermostat_schedule_id"]) == made


async def test_only_managed_thermostats_with_that_preset_have_schedules(api: Api) -> None:
    device_id, lock = await with_presets(api), await api.device_id("Room 101")
    times = {"starts_at": from_now(api, hours=1), "ends_at": from_now(api, hours=2)}
    cases = [
        (device_id, "sauna", 404, "climate_preset_not_found"),
        (lock, "away", 400, "device_type_not_supported"),
        (str(uuid.uuid4()), "away", 404, "device_not_found"),
    ]
    for target, key, status, code in cases:
        error = await api.refused(CREATE, {"device_id": target, "climate_preset_key": key, **times})
        assert (error["status"], error["type"]) == (status, code)
    made = await schedule(api, device_id)
    await api.ok("/devices/update", {"device_id": device_id, "is_managed": False})
    error = await api.refused(CREATE, {"device_id": device_id, "climate_preset_key": "away", **times})
    assert error["type"] == "device_unmanaged"
    body = {"thermostat_schedule_id": made["thermostat_schedule_id"]}
    assert (await api.refused(UPDATE, body))["type"] == "device_unmanaged"
    await api.ok(DELETE, body)


async def test_who_may(api: Api) -> None:
    device_id, viewer = await with_presets(api), await api.as_role("viewer")
    made = await schedule(api, device_id)
    one = {"thermostat_schedule_id": made["thermostat_schedule_id"]}
    assert (await api.ok(GET, one, token=viewer))["thermostat_schedule"] == await got(
        api, made["thermostat_schedule_id"]
    )
    await api.ok(LIST, {"device_id": device_id}, token=viewer)
    for path in (CREATE, UPDATE, DELETE):
        assert (await api.refused(path, one, token=viewer))["status"] == 403
    await api.ok(DELETE, one, token=await api.as_role("operator"))
