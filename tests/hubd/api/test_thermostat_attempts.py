from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.api.climate_hindrance import Hindrance
from hubd.api.route import Call
from hubd.api.thermostat_attempts import answered, shape
from hubd.core.climate.attempts import Attempt
from hubd.core.message import Request
from hubd.model.capability import Capabilities
from hubd.model.errors import StoreError
from hubd.store.codes import Trouble
from hubd.store.records import micros
from tests.hubd.api.climate import NAME, heats_to
from tests.hubd.api.harness import ORIGIN, Api

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = micros(NOW)
WHY = Hindrance("no_answer", "It did not answer.", NOW)


async def heat(api: Api, celsius: float) -> dict[str, Any]:
    body = {"device_id": await api.device_id(NAME), "heating_set_point_celsius": celsius}
    found: dict[str, Any] = (await api.ok("/thermostats/heat", body))["action_attempt"]
    return found


async def attempt(api: Api, attempt_id: str) -> dict[str, Any]:
    """Return an attempt, which get and list show alike."""
    found: dict[str, Any] = (await api.ok("/action_attempts/get", {"action_attempt_id": attempt_id}))["action_attempt"]
    listed = (await api.ok("/action_attempts/list", {"action_attempt_ids": [attempt_id]}))["action_attempts"]
    assert listed == [found]
    return found


ENDS: list[tuple[Attempt, Hindrance | None, tuple[str, Any, str | None]]] = [
    (Attempt("a", "d", "SET_HVAC_MODE", AT), None, ("pending", None, None)),
    (Attempt("a", "d", "SET_HVAC_MODE", AT), WHY, ("error", None, "no_answer")),
    (Attempt("a", "d", "SET_FAN_MODE", AT, AT), None, ("success", {}, None)),
    (Attempt("a", "d", "PUSH_THERMOSTAT_PROGRAMS", AT, AT), WHY, ("success", {}, None)),
    (Attempt("a", "d", "SET_HVAC_MODE", AT, AT, "superseded", "Later."), WHY, ("error", None, "superseded")),
]


@pytest.mark.parametrize(("made", "why", "expected"), ENDS)
def test_how_an_attempt_stands(made: Attempt, why: Hindrance | None, expected: Any) -> None:
    shown = shape(made, why)
    assert (shown.status, shown.result, shown.error and shown.error.type) == expected
    assert (shown.action_type, shown.stages.accepted_at, shown.stages.deadline) == (made.action, NOW, None)
    assert shown.stages.settled_at == (None if made.ended_at is None else NOW)


async def test_what_has_failed_may_succeed_yet(api: Api) -> None:
    device_id = await api.device_id(NAME)
    await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
    made = await heat(api, 18)
    assert (made["status"], made["error"]) == ("pending", None)
    now = api.clock.now()
    trouble = Trouble("no_answer", "It did not answer.", now, 1, now + timedelta(hours=1))
    known = api.hub.thermostats.get(device_id)
    await api.hub.journal.transact(lambda view: view.put_thermostat(replace(known, trouble=trouble)))
    shown = await attempt(api, made["action_attempt_id"])
    assert (shown["status"], shown["result"], shown["stages"]["settled_at"]) == ("error", None, None)
    assert shown["error"] == {"type": "no_answer", "message": "It did not answer."}
    await api.ok("/devices/simulate/connect", {"device_id": device_id})
    await heats_to(api, device_id, 18.0)
    shown = await attempt(api, made["action_attempt_id"])
    assert (shown["status"], shown["result"], shown["error"]) == ("success", {}, None)
    assert shown["stages"]["settled_at"] is not None


async def test_a_device_that_refuses(api: Api) -> None:
    api.driver().fault = "refuse"
    made = await heat(api, 18)
    assert (made["status"], made["error"]["type"]) == ("error", "device_refused")
    assert made["stages"]["settled_at"] is not None
    assert await attempt(api, made["action_attempt_id"]) == made
    api.driver().fault = "none"
    assert (await heat(api, 18))["status"] == "success"
    assert (await attempt(api, made["action_attempt_id"]))["status"] == "error"


async def test_a_device_that_does_not_answer_is_an_error_until_it_is_read(api: Api) -> None:
    api.driver().fault = "silent"
    made = await heat(api, 18)
    assert (made["status"], made["error"]["type"]) == ("error", "sent_unconfirmed")
    api.driver().fault = "none"
    device_id = await api.device_id(NAME)
    warmer = {"device_id": device_id, "temperature_celsius": 17.0}  # it says something: nobody waits for the next try
    await api.ok("/thermostats/simulate/temperature_reached", warmer)
    await heats_to(api, device_id, 18.0)
    assert (await attempt(api, made["action_attempt_id"]))["status"] == "success"


async def test_what_the_device_cannot_do_any_more(api: Api) -> None:
    device_id = await api.device_id(NAME)
    await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
    made = await heat(api, 18)
    record = api.hub.present(device_id)
    capability = record.device.description.capabilities.thermostat
    assert capability is not None
    poorer = replace(capability, hvac_modes=("off",))
    described = replace(record.device.description, capabilities=Capabilities(thermostat=poorer, simulated=True))
    await api.hub.found("site", described, ())
    shown = await attempt(api, made["action_attempt_id"])
    assert (shown["status"], shown["error"]["type"]) == ("error", "setting_not_possible")
    assert "no mode heat" in shown["error"]["message"]


async def test_all_kinds_of_attempts_in_one_order(api: Api) -> None:
    thermostat, lock = await api.device_id(NAME), await api.device_id("Room 101")
    made = [
        await heat(api, 18),
        (await api.ok("/locks/lock_door", {"device_id": lock}))["action_attempt"],
        (await api.ok("/access_codes/create", {"device_id": lock, "sync": True}))["action_attempt"],
        await heat(api, 19),
    ]
    ids = [one["action_attempt_id"] for one in made]
    listed = (await api.ok("/action_attempts/list"))["action_attempts"]
    assert [one["action_attempt_id"] for one in listed] == ids
    kinds = [one["action_type"] for one in listed]
    assert kinds == ["SET_HVAC_MODE", "LOCK_DOOR", "CREATE_ACCESS_CODE", "SET_HVAC_MODE"]
    own = (await api.ok("/action_attempts/list", {"device_id": thermostat.upper()}))["action_attempts"]
    assert [one["action_attempt_id"] for one in own] == [ids[0], ids[3]]
    seen, cursor = list[str](), None
    while cursor is not None or not seen:
        page = await api.ok("/action_attempts/list", {"limit": 1, "page_cursor": cursor})
        seen += [one["action_attempt_id"] for one in page["action_attempts"]]
        cursor = page["pagination"]["next_page_cursor"]
    assert seen == ids


async def test_an_attempt_of_a_device_that_is_gone(api: Api) -> None:
    device_id = await api.device_id(NAME)
    made = await heat(api, 18)
    await api.ok("/devices/delete", {"device_id": device_id})
    assert await attempt(api, made["action_attempt_id"]) == made


async def test_a_record_that_cannot_be_read(api: Api) -> None:
    request = Request(method="POST", path="/", query=(), headers={}, body=b"", remote="", origin=ORIGIN)
    principal = next(key for key in api.keys.list() if key.role == "owner")
    call = Call(hub=api.hub, keys=api.keys, request=request, principal=principal)
    with pytest.raises(StoreError):
        await answered(call, "no-such-attempt")
