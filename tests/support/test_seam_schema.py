"""The judge itself: good answers pass, and each fault is named with its place and its variant."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from .seam_schema import routes, validate, validate_error, validate_event

NOW = "2026-03-01T12:00:00.000Z"
WORKSPACE = "11111111-1111-4111-8111-111111111111"
ACCOUNT = "22222222-2222-4222-8222-222222222222"
DEVICE = "33333333-3333-4333-8333-333333333333"
EVENT = "44444444-4444-4444-8444-444444444444"
ATTEMPT = "55555555-5555-4555-8555-555555555555"

REPOSITORY = Path(__file__).resolve().parents[2]

type Json = dict[str, Any]


def device(**changes: object) -> Json:
    """Return a lock as ``/devices/get`` tells it, with ``changes`` to its top level."""
    properties = {
        "name": "Front door",
        "online": True,
        "appearance": {"name": "Front door"},
        "model": {"display_name": "Generic lock", "manufacturer_display_name": "Unknown"},
        "locked": True,
        "battery": {"level": 0.5, "status": "good"},
        "battery_level": 0.5,
    }
    return {
        "device_id": DEVICE,
        "device_type": "yale_lock",
        "space_ids": [],
        "display_name": "Front door",
        "capabilities_supported": ["lock", "battery"],
        "can_remotely_lock": True,
        "properties": properties,
        "connected_account_id": ACCOUNT,
        "workspace_id": WORKSPACE,
        "errors": [],
        "warnings": [],
        "created_at": NOW,
        "is_managed": True,
        "custom_metadata": {"room": "12", "staff_only": False},
        **changes,
    }


def event(event_type: str, **changes: object) -> Json:
    """Return an event of a device, with ``changes``."""
    return {
        "event_id": EVENT,
        "event_type": event_type,
        "workspace_id": WORKSPACE,
        "connected_account_id": ACCOUNT,
        "device_id": DEVICE,
        "created_at": NOW,
        "occurred_at": NOW,
        **changes,
    }


def attempt(**changes: object) -> Json:
    """Return a successful lock attempt, with ``changes``."""
    return {
        "action_attempt_id": ATTEMPT,
        "action_type": "LOCK_DOOR",
        "status": "success",
        "result": {"was_confirmed_by_device": True},
        "error": None,
        **changes,
    }


def device_faults(value: Json) -> list[str]:
    """Return the faults of ``value`` as the answer of ``/devices/get``."""
    return validate("/devices/get", 200, {"device": value, "ok": True})


def attempt_faults(value: Json, route: str = "/action_attempts/get") -> list[str]:
    """Return the faults of ``value`` as the answer of ``route``."""
    return validate(route, 200, {"action_attempt": value, "ok": True})


def only(faults: list[str]) -> str:
    """Return the one fault; fail when there are none or several."""
    assert len(faults) == 1, faults
    return faults[0]


@pytest.mark.parametrize("device_type", ["yale_lock", "ecobee_thermostat", "zwave_lock", "virtual_thermostat"])
def test_a_device_of_an_official_or_documented_type_passes(device_type: str) -> None:
    assert device_faults(device(device_type=device_type)) == []


@pytest.mark.parametrize("device_type", ["zwave_sensor", "acme_lock", "my_zwave_lock", "zwave_lock2", "", 7, None])
def test_a_device_of_another_type_is_refused(device_type: object) -> None:
    assert only(device_faults(device(device_type=device_type))).startswith("body.device.device_type: ")


@pytest.mark.parametrize("name", ["device_id", "space_ids", "properties", "errors", "custom_metadata", "is_managed"])
def test_a_device_without_a_required_field_is_refused(name: str) -> None:
    value = device()
    del value[name]
    assert only(device_faults(value)) == f'body.device: "{name}" is a required property'


@pytest.mark.parametrize("name", ["online", "name", "appearance", "model"])
def test_a_device_without_a_required_property_is_refused(name: str) -> None:
    value = device()
    del value["properties"][name]
    assert only(device_faults(value)) == f'body.device.properties: "{name}" is a required property'


def test_every_fault_of_a_device_is_told_with_its_place() -> None:
    value = device(device_id="lock-1", created_at="yesterday", custom_metadata={"room": 12})
    value["properties"]["battery"]["level"] = 55
    value["properties"]["locked"] = "yes"
    assert sorted(device_faults(value)) == [
        'body.device.created_at: "yesterday" is not a "date-time"',
        'body.device.custom_metadata.room: 12 is not of types "boolean", "string"',
        'body.device.device_id: "lock-1" is not a "uuid"',
        "body.device.properties.battery.level: 55 is greater than the maximum of 1",
        'body.device.properties.locked: "yes" is not of type "boolean"',
    ]


def test_a_device_error_is_judged_by_its_code() -> None:
    error = {"error_code": "hub_disconnected", "message": "The stick is gone.", "created_at": NOW}
    assert device_faults(device(errors=[{**error, "is_device_error": True}])) == []
    assert only(device_faults(device(errors=[error]))) == (
        'body.device.errors[0]<hub_disconnected>: "is_device_error" is a required property'
    )
    unknown = only(device_faults(device(errors=[{**error, "error_code": "stick_gone"}])))
    assert unknown.startswith('body.device.errors[0]<stick_gone>.error_code: "stick_gone" is not one of ')


def test_an_unmanaged_device_is_not_a_managed_one() -> None:
    unmanaged = device(is_managed=False, device_type="ble_lock")
    answer = {"device": unmanaged, "ok": True}
    assert validate("/devices/unmanaged/get", 200, answer) == []
    assert only(validate("/devices/get", 200, answer)).startswith("body.device.is_managed: ")


def test_a_list_needs_its_pagination_and_ok() -> None:
    page: Json = {"has_next_page": True, "next_page_cursor": "c", "next_page_url": None}
    answer: Json = {"devices": [device()], "pagination": page, "ok": True}
    assert validate("/devices/list", 200, answer) == []
    del page["next_page_url"]
    answer["ok"] = False
    assert sorted(validate("/devices/list", 200, answer)) == [
        "body.ok: true was expected",
        'body.pagination: "next_page_url" is a required property',
    ]


def test_an_event_is_judged_by_its_type() -> None:
    assert validate_event(event("lock.locked", method="remote", action_attempt_id=ATTEMPT)) == []
    assert only(validate_event(event("lock.locked"))) == 'body<lock.locked>: "method" is a required property'
    wrong = only(validate_event(event("lock.unlocked", method="fingerprint")))
    assert wrong.startswith('body<lock.unlocked>.method: "fingerprint" is not one of "keycode", "manual" or ')
    assert only(validate_event(event("device.low_battery", battery_level=55))) == (
        "body<device.low_battery>.battery_level: 55 is greater than the maximum of 1"
    )


def test_an_event_of_no_known_type_is_refused() -> None:
    assert only(validate_event(event("lock.kicked"))).startswith('body<lock.kicked>.event_type: "lock.kicked" is not ')
    nameless = event("lock.locked")
    del nameless["event_type"]
    assert only(validate_event(nameless)) == 'body: "event_type" is a required property'
    assert only(validate_event([])) == 'body: [] is not of type "object"'


def test_a_disconnection_carries_its_error_lists() -> None:
    lists: dict[str, list[Json]] = {
        "connected_account_errors": [],
        "connected_account_warnings": [],
        "device_errors": [{"error_code": "hub_disconnected", "message": "Gone.", "created_at": NOW}],
        "device_warnings": [],
    }
    good = event("device.disconnected", error_code="hub_disconnected", **lists)
    assert validate_event(good) == []
    bad = copy.deepcopy(good)
    del bad["device_errors"][0]["message"]
    assert only(validate_event(bad)) == (
        'body<device.disconnected>.device_errors[0]<hub_disconnected>: "message" is a required property'
    )


def test_an_event_in_a_list_is_found_by_its_place() -> None:
    events = [event("device.connected"), event("lock.locked", method="fob")]
    fault = only(validate("/events/list", 200, {"events": events, "ok": True}))
    assert fault.startswith('body.events[1]<lock.locked>.method: "fob" is not one of ')


def test_an_action_attempt_is_judged_by_type_and_status() -> None:
    failed = attempt(status="error", result=None, error={"type": "device_offline", "message": "No answer."})
    for good in (attempt(), attempt(result={}), attempt(status="pending", result=None), failed):
        assert attempt_faults(good) == []
    pending = only(attempt_faults(attempt(status="pending")))
    assert pending.startswith("body.action_attempt<LOCK_DOOR pending>.result: ")
    assert only(attempt_faults({**failed, "error": {"message": "No answer."}})) == (
        'body.action_attempt<LOCK_DOOR error>.error: "type" is a required property'
    )
    unknown = only(attempt_faults(attempt(status="done")))
    assert unknown.startswith('body.action_attempt<LOCK_DOOR done>.status: "done" is not one of ')


def test_a_success_with_an_error_is_refused() -> None:
    fault = only(attempt_faults(attempt(error={"type": "late", "message": "Late."})))
    assert fault.startswith("body.action_attempt<LOCK_DOOR success>.error: ")


def test_an_action_route_answers_with_its_own_attempt() -> None:
    assert attempt_faults(attempt(), "/locks/lock_door") == []
    assert only(attempt_faults(attempt(), "/locks/unlock_door")) == (
        'body.action_attempt<LOCK_DOOR success>.action_type: "UNLOCK_DOOR" was expected'
    )


def test_an_error_envelope() -> None:
    good: Json = {
        "error": {"type": "device_not_found", "message": "No such device.", "request_id": "r"},
        "ok": False,
    }
    assert validate_error(good) == []
    assert validate("/devices/get", 404, good) == []
    assert validate("/hub/none", 501, good) == []
    assert only(validate_error({**good, "ok": True})) == "body.ok: false was expected"
    assert only(validate_error({"error": {"type": "device_not_found"}, "ok": False})) == (
        'body.error: "message" is a required property'
    )


def test_an_invalid_input_names_its_fields() -> None:
    error: Json = {"type": "invalid_input", "message": "device_id: not a uuid"}
    assert only(validate_error({"error": error, "ok": False})) == (
        'body.error: "validation_errors" is a required property'
    )
    error["validation_errors"] = {"_errors": [], "device_id": {"_errors": ["not a uuid"]}}
    assert validate_error({"error": error, "ok": False}) == []
    error["validation_errors"]["device_id"] = ["not a uuid"]
    assert only(validate_error({"error": error, "ok": False})).startswith("body.error.validation_errors.device_id: ")


def test_an_undeclared_status_or_route_is_told() -> None:
    assert validate("/devices/get", 204, None) == ["status: /devices/get does not declare 204"]
    with pytest.raises(LookupError, match="/noise_sensors/list"):
        validate("/noise_sensors/list", 200, {})


def test_the_key_that_the_sdks_read_must_be_there() -> None:
    assert only(validate("/events/get", 200, {"ok": True})) == 'body: "event" is a required property'
    assert validate("/events/get", 200, {"ok": True, "event": event("device.connected")}) == []
    assert validate("/webhooks/delete", 200, {"ok": True}) == []


@pytest.mark.parametrize("route", sorted(routes()))
def test_every_route_refuses_an_empty_answer(route: str) -> None:
    assert 'body: "ok" is a required property' in validate(route, 200, {})


def test_the_trimmed_schema_and_the_list_of_routes_agree() -> None:
    verbs = json.loads((REPOSITORY / "hubd/api/seam_routes.json").read_text("utf-8"))
    paths = json.loads((REPOSITORY / "tests/fixtures/seam/openapi.json").read_text("utf-8"))["paths"]
    assert {route: verbs.get(route) for route in paths} == {
        route: sorted(verb.upper() for verb in operations) for route, operations in paths.items()
    }
