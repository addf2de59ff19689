from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hubd.api import project
from hubd.model.capability import Capabilities, LockCapability, SetPointRange, ThermostatCapability
from hubd.model.command import LockDoor, SimulateManualLock
from hubd.model.device import DeviceDescription
from hubd.model.outcome import Outcome, done, expired, rejected, sent_unconfirmed, unreachable, unsupported
from hubd.model.seen import BatterySeen, DoorSeen, LockSeen, ReachabilitySeen
from hubd.store.records import CommandRecord, Resolution
from tests.hubd.api.harness import Api

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOCK, THERMOSTAT = "lock-1", "thermostat-1"


async def properties(api: Api, name: str = "Room 101") -> dict[str, Any]:
    found: dict[str, Any] = (await api.device(name))["properties"]
    return found


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_read_back_as_written(moment: datetime) -> None:
    text = project.when(moment)
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment


async def test_what_is_not_known_is_not_there(api: Api) -> None:
    await api.see(LockSeen(native_id=LOCK, locked=None), DoorSeen(native_id=LOCK, open=None))
    assert not {"locked", "door_open"} & (await properties(api)).keys()
    await api.see(ReachabilitySeen(native_id=LOCK, online=False))
    found = await properties(api)
    assert found["online"] is False
    assert not {"battery", "battery_level", "locked"} & found.keys()


BATTERIES = [
    (0.05, False, "critical"),
    (0.2, False, "low"),
    (0.5, False, "good"),
    (0.9, True, "low"),
    (1.0, False, "full"),
]


async def test_batteries(api: Api) -> None:
    for level, low, status in BATTERIES:
        api.clock.ahead += timedelta(days=1)
        at = api.clock.now()
        await api.see(BatterySeen(native_id=LOCK, level=level, low=low, occurred_at=at))
        found = await properties(api)
        expected = {"level": level, "status": status, "measured_at": project.when(at), "is_stale": False}
        assert (found["battery"], found["battery_level"]) == (expected, level)


async def test_a_flaky_connection_is_a_warning_and_hinders_nothing(api: Api) -> None:
    device_id = await api.device_id()
    for _ in range(3):
        assert (await api.device("Room 101"))["warnings"] == []
        await api.see(ReachabilitySeen(native_id=LOCK, online=False), ReachabilitySeen(native_id=LOCK, online=True))
    shown = await api.device("Room 101")
    (warning,) = shown["warnings"]
    assert warning["warning_code"] == "device_has_flaky_connection"
    assert warning["created_at"] == project.when(api.hub.present(device_id).flaky_since or NOW)
    assert (shown["errors"], shown["properties"]["online"]) == ([], True)
    attempt = (await api.ok("/locks/lock_door", {"device_id": device_id}))["action_attempt"]
    assert attempt["status"] == "success"
    api.clock.ahead += timedelta(minutes=59)
    assert (await api.device("Room 101"))["warnings"] == [warning]
    api.clock.ahead += timedelta(minutes=2)
    assert (await api.device("Room 101"))["warnings"] == []


async def test_a_level_that_cannot_be_true_stands_beside_the_last_one_that_can(api: Api) -> None:
    await api.see(BatterySeen(native_id=LOCK, level=0.2))
    found = (await properties(api))["battery"]
    assert (found["level"], found["unconfirmed_level"]) == (0.9, 0.2)


async def test_an_offline_device_reports_no_battery(api: Api) -> None:
    assert "battery" in await properties(api)
    await api.see(ReachabilitySeen(native_id=LOCK, online=False))
    assert not {"battery", "battery_level"} & (await properties(api)).keys()
    assert (await api.device())["warnings"] == []


async def test_a_jammed_bolt_is_a_warning(api: Api) -> None:
    await api.see(LockSeen(native_id=LOCK, locked=None, jammed=True))
    device = await api.device()
    assert [warning["warning_code"] for warning in device["warnings"]] == ["provider_issue"]
    assert "jammed" in device["warnings"][0]["message"]
    assert "locked" not in device["properties"]
    await api.see(LockSeen(native_id=LOCK, locked=True))
    assert (await api.device())["warnings"] == []


async def test_every_kind_of_device_is_a_device(api: Api) -> None:
    bare = ThermostatCapability()
    cooler = ThermostatCapability(("off", "cool", "eco"), (), None, SetPointRange(16.0, 30.0))
    opener = LockCapability(can_lock=False)
    kinds: list[tuple[str, Any, Capabilities]] = [
        ("zigbee_thermostat", "thermostat", Capabilities(thermostat=bare)),
        ("zwave_thermostat", "thermostat", Capabilities(thermostat=cooler, battery=True)),
        ("ble_lock", "lock", Capabilities(lock=opener)),
        ("zwave_device", "other", Capabilities()),
    ]
    for number, (device_type, kind, capabilities) in enumerate(kinds):
        name = f"Device {number}"
        description = DeviceDescription(f"d-{number}", kind, device_type, name, capabilities=capabilities)
        await api.hub.found("site", description, ())
        record = next(r for r in api.hub.devices.values() if r.name == name)
        path = "/devices/get" if record.is_managed else "/devices/unmanaged/get"
        shape = (await api.ok(path, {"name": name}))["device"]
        assert shape["device_type"] == device_type
        assert not {key for key in shape if key.startswith("can_simulate")}
        assert "device_manufacturer" not in shape
        assert shape["properties"]["model"] == {
            "display_name": device_type,
            "manufacturer_display_name": "unknown",
        }


async def test_a_device_whose_driver_is_configured_no_more(api: Api) -> None:
    device_id = await api.device_id()
    record = api.hub.present(device_id)
    orphan = replace(record, device=replace(record.device, instance="gone"))
    (problem,) = project.device_errors(api.hub, orphan)
    assert (problem.error_code, problem.is_connected_account_error) == ("account_disconnected", True)
    assert "'gone'" in problem.message


def command(outcome: Outcome | None, resolution: Resolution | None = None) -> CommandRecord:
    order = LockDoor(device_id="11111111-1111-4111-8111-111111111111", native_id=LOCK)
    request_id = "22222222-2222-4222-8222-222222222222"
    return CommandRecord(
        request_id,
        order,
        "key",
        NOW,
        NOW + timedelta(seconds=15),
        started_at=NOW if outcome else None,
        settled_at=NOW if outcome else None,
        outcome=outcome,
        resolution=resolution,
    )


@pytest.mark.parametrize(
    ("record", "status", "code", "words"),
    [
        (command(None), "pending", None, ""),
        (command(done()), "success", None, ""),
        (command(rejected("lock_jammed", "It is jammed.", {"mode": 254})), "error", "lock_jammed", "It is jammed."),
        (command(unsupported("It cannot.")), "error", "not_supported", "It cannot."),
        (command(unreachable("hub_disconnected", "Gone.", {"hop": "server"})), "error", "hub_disconnected", "Gone."),
        (command(expired("Too late.")), "error", "deadline_exceeded", "Too late."),
        (command(sent_unconfirmed("No answer.")), "error", "sent_unconfirmed", "No answer."),
        (
            command(sent_unconfirmed("No answer."), Resolution(NOW, reached=True, message="It is locked.")),
            "success",
            None,
            "",
        ),
        (
            command(sent_unconfirmed("No answer."), Resolution(NOW, reached=False, message="It is unlocked.")),
            "error",
            "sent_unconfirmed",
            "No answer. It is unlocked.",
        ),
    ],
)
def test_attempts(record: CommandRecord, status: str, code: str | None, words: str) -> None:
    attempt = project.attempt(record)
    assert attempt.status == status
    assert (attempt.result == {"was_confirmed_by_device": True}) is (status == "success")
    if code is None:
        assert attempt.error is None
    else:
        assert attempt.error is not None
        assert (attempt.error.type, attempt.error.message) == (code, words)
        assert record.outcome is not None
        assert attempt.error.detail == {"outcome": str(record.outcome.kind), **record.outcome.detail}
    assert (attempt.stages.resolved_at is None) is (record.resolution is None)


def test_an_action_without_a_result_has_an_empty_one() -> None:
    simulated = replace(command(done()), command=SimulateManualLock(device_id="d", native_id=LOCK))
    assert project.attempt(simulated).result == {}
