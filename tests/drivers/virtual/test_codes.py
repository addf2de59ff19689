import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.virtual import memory as memory_module
from hubd_drivers.virtual.codes import batches
from hubd_drivers.virtual.driver import VirtualConfig, VirtualDriver
from hubd_drivers.virtual.keypad import StoredCode
from hubd_drivers.virtual.site import VirtualDevice, build

from hubd.driver.contract import RecordingPort, check_outcome, running
from hubd.model import (
    ClearCode,
    CodeHintSeen,
    CodeSeen,
    DenialSeen,
    KeypadCapability,
    LockSeen,
    Outcome,
    OutcomeKind,
    ReadCode,
    SetCode,
    SimulateConnection,
    SimulateKeypadCodeEntry,
    SimulateKeypadEdit,
    SimulateRemoval,
    TimeFrame,
)
from tests.support.clock import NOON, ManualClock

HOUR = timedelta(hours=1)
PIN = "83649275"


class Desk:
    """A running virtual driver, and somebody who works at its locks."""

    def __init__(self, driver: VirtualDriver, port: RecordingPort) -> None:
        self.driver = driver
        self.port = port

    async def do(self, kind: type[Any], native_id: str = "lock-1", **members: Any) -> Outcome:
        outcome = await self.driver.execute(kind(device_id="d", native_id=native_id, **members))
        check_outcome(outcome)
        assert PIN not in repr(outcome)
        return outcome

    async def set(self, slot: int, pin: str = PIN, **members: Any) -> Outcome:
        return await self.do(SetCode, slot=slot, pin_ref=self.port.seal(pin), **members)

    async def type(self, pin: str = PIN) -> Any:
        outcome = await self.do(SimulateKeypadCodeEntry, pin_ref=self.port.seal(pin))
        assert outcome.kind is OutcomeKind.DONE
        (seen,) = outcome.seen
        return seen

    async def edit(self, slot: int | None = None, pin: str | None = None) -> Outcome:
        pin_ref = None if pin is None else self.port.seal(pin)
        return await self.do(SimulateKeypadEdit, slot=slot, pin_ref=pin_ref)

    def hints(self) -> list[tuple[str, int | None]]:
        """Return what the locks said of themselves."""
        return [(seen.change, seen.slot) for seen in self.port.seen if isinstance(seen, CodeHintSeen)]

    def pins(self, native_id: str = "lock-1") -> dict[int, str]:
        keypad = self.driver.devices[native_id].keypad
        assert keypad is not None
        return {slot: code.pin for slot, code in keypad.codes.items()}

    def shown(self, outcome: Outcome) -> list[tuple[int, str | None]]:
        """Return slot and PIN of what was seen, None where there is none."""
        seen = [one for one in outcome.seen if isinstance(one, CodeSeen)]
        assert not any(one.is_cached for one in seen)
        return [(one.slot, None if one.pin_ref is None else self.port.reveal(one.pin_ref)) for one in seen]


@asynccontextmanager
async def a_desk(storage: Path | None = None, clock: ManualClock | None = None, **keys: Any) -> AsyncIterator[Desk]:
    driver = VirtualDriver(VirtualConfig(**({"locks": 2, "thermostats": 1, "latency_ms": 0} | keys)))
    port = RecordingPort(clock=clock)
    if storage is not None:
        port.__dict__["storage"] = storage
    async with running(driver, port):
        yield Desk(driver, port)


async def test_a_code_is_set_read_and_cleared() -> None:
    async with a_desk() as desk:
        assert desk.shown(await desk.set(7)) == [(7, PIN)]
        assert desk.shown(await desk.do(ReadCode, slot=7)) == [(7, PIN)]
        assert desk.shown(await desk.do(ClearCode, slot=7)) == [(7, None)]
        assert desk.pins() == {}


async def test_a_lock_refuses_by_name() -> None:
    async with a_desk() as desk:
        await desk.set(1)
        outcomes = [await desk.set(2), await desk.set(2, "123"), await desk.set(31), await desk.do(ReadCode, slot=0)]
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.REJECTED}
        codes = [outcome.code for outcome in outcomes]
        assert codes == ["duplicate_code", "code_refused", "slot_not_usable", "slot_not_usable"]
        assert desk.pins() == {1: PIN}


async def test_a_code_takes_its_latency_and_a_deadline_before_it_leaves_nothing() -> None:
    clock = ManualClock()
    async with a_desk(clock=clock, latency_ms=250) as desk:
        late = asyncio.create_task(desk.set(2, "4711"))
        task = asyncio.create_task(desk.set(1))
        await clock.advance(0.249)
        late.cancel()
        assert desk.pins() == {}
        await clock.advance(0.002)
        assert (await task).kind is OutcomeKind.DONE
        assert desk.pins() == {1: PIN}


@pytest.mark.parametrize(
    ("fault", "kind", "code", "changes"),
    [
        ("none", OutcomeKind.DONE, "done", True),
        ("jam", OutcomeKind.DONE, "done", True),
        ("refuse", OutcomeKind.REJECTED, "device_refused", False),
        ("silent", OutcomeKind.SENT_UNCONFIRMED, "sent_unconfirmed", True),
    ],
)
async def test_faults(fault: Any, kind: OutcomeKind, code: str, *, changes: bool) -> None:
    async with a_desk(fault=fault) as desk:
        outcome = await desk.set(1)
        assert (outcome.kind, outcome.code) == (kind, code)
        assert desk.pins() == ({1: PIN} if changes else {})
        assert (await desk.do(ReadCode, slot=1)).kind is kind
        desk.driver.fault = "none"
        await desk.set(1, "4711")
        desk.driver.fault = fault
        assert (await desk.do(ClearCode, slot=1)).kind is kind
        assert desk.pins() == ({} if changes else {1: "4711"})


async def test_a_silent_lock_does_not_say_that_it_refuses() -> None:
    async with a_desk() as desk:
        await desk.set(1)
        desk.driver.fault = "silent"
        assert (await desk.set(2)).kind is OutcomeKind.SENT_UNCONFIRMED
        assert desk.pins() == {1: PIN}


async def test_what_such_a_lock_does_not_know() -> None:
    frame = TimeFrame(NOON, NOON + HOUR)
    async with a_desk() as desk:
        for outcome in (
            await desk.set(1, frame=frame),
            await desk.set(1, is_one_time=True),
            await desk.do(ReadCode, "thermostat-1", slot=1),
            await desk.do(SimulateKeypadEdit, "thermostat-1"),
            await desk.do(SimulateKeypadCodeEntry, "thermostat-1", pin_ref=desk.port.seal(PIN)),
        ):
            assert outcome.kind is OutcomeKind.UNSUPPORTED
        assert desk.pins() == {}
    async with a_desk(code_slots=0) as desk:
        assert desk.port.devices["lock-1"].capabilities.keypad is None
        assert (await desk.set(1)).kind is OutcomeKind.UNSUPPORTED


@pytest.mark.parametrize("kind", [SetCode, SimulateKeypadCodeEntry, SimulateKeypadEdit])
async def test_a_pin_that_the_hub_has_forgotten(kind: type[Any]) -> None:
    async with a_desk() as desk:
        members: dict[str, Any] = {"slot": 1} if kind is SetCode else {}
        outcome = await desk.do(kind, pin_ref="gone", **members)
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "pin_unknown")


async def test_a_lock_off_its_network_is_not_reached() -> None:
    async with a_desk() as desk:
        await desk.do(SimulateConnection, connected=False)
        outcome = await desk.set(1)
        assert (outcome.kind, outcome.code) == (OutcomeKind.UNREACHABLE, "device_unreachable")
        assert desk.pins() == {}
        await desk.edit(pin="4711")
        assert (desk.hints(), desk.pins()) == ([], {1: "4711"})


async def test_every_slot_is_told_at_a_connect() -> None:
    driver = VirtualDriver(VirtualConfig(locks=3, thermostats=0, latency_ms=0, code_slots=4))
    async with running(driver, RecordingPort()) as _:
        for native_id, slot in (("lock-1", 2), ("lock-2", 4)):
            keypad = driver.devices[native_id].keypad
            assert keypad is not None
            keypad.put(slot, StoredCode(PIN))
        await driver.execute(SimulateConnection(device_id="d", native_id="lock-3", connected=False))
    port = RecordingPort()
    async with running(driver, port):
        told = [seen for seen in port.seen if isinstance(seen, CodeSeen)]
    assert [(seen.native_id, seen.slot) for seen in told] == [
        (native_id, slot) for native_id in ("lock-1", "lock-2") for slot in range(1, 5)
    ]
    pins = {(seen.native_id, seen.slot): port.reveal(seen.pin_ref) for seen in told if seen.pin_ref is not None}
    assert pins == {("lock-1", 2): PIN, ("lock-2", 4): PIN}
    assert not any(seen.is_cached for seen in told)


def test_few_pins_are_open_at_once() -> None:
    devices = list(build(450, 1, KeypadCapability(slots=200)).values())
    assert [len(group) for group in batches(devices)] == [200, 200, 51]
    for device in devices[:10]:
        assert device.keypad is not None
        device.keypad.codes = {slot: StoredCode(f"{slot:04}") for slot in range(1, 201)}
    groups = list(batches(devices))
    assert [len(group) for group in groups] == [2, 2, 2, 2, 200, 200, 43]
    assert [device for group in groups for device in group] == devices
    assert list(batches([])) == []


def test_a_lock_with_more_pins_than_that_is_alone() -> None:
    first, second = build(2, 0, KeypadCapability(slots=1000)).values()
    assert first.keypad is not None
    first.keypad.codes = {slot: StoredCode(f"{slot:04}") for slot in range(1, 701)}
    groups: list[list[VirtualDevice]] = list(batches([first, second]))
    assert groups == [[first], [second]]


async def test_a_masked_lock_tells_no_pin() -> None:
    async with a_desk(masked=True) as desk:
        keypad = desk.port.devices["lock-1"].capabilities.keypad
        assert keypad is not None
        assert not keypad.tells_pins
        outcome = await desk.set(1)
        assert outcome.seen == (CodeSeen(native_id="lock-1", slot=1, is_used=True, is_frame_told=True),)
        assert (await desk.set(2)).code == "duplicate_code"
        assert isinstance(await desk.type(), LockSeen)


async def test_a_lock_keeps_to_its_time_frame_by_its_own_clock() -> None:
    clock = ManualClock()
    frame = TimeFrame(NOON + HOUR, NOON + 2 * HOUR)
    async with a_desk(clock=clock, schedules=True) as desk:
        keypad = desk.port.devices["lock-1"].capabilities.keypad
        assert keypad is not None
        assert (keypad.has_schedules, keypad.has_one_time) == (True, True)
        (seen,) = (await desk.set(1, frame=frame)).seen
        assert isinstance(seen, CodeSeen)
        assert seen.frame == frame
        refused = await desk.type()
        assert (refused.reason, desk.driver.devices["lock-1"].locked) == ("expired_code", True)
        await clock.advance(3600)
        assert await desk.type() == LockSeen(native_id="lock-1", locked=False, method="keycode", user_slot=1)
        await clock.advance(3600)
        assert isinstance(await desk.type(), DenialSeen)


async def test_a_one_time_code_is_used_up_also_after_a_restart(tmp_path: Path) -> None:
    async with a_desk(tmp_path, schedules=True) as desk:
        await desk.set(1, is_one_time=True)
        assert (await desk.type()).user_slot == 1
    async with a_desk(tmp_path, schedules=True) as desk:
        assert (await desk.type()).reason == "expired_code"
        told = [seen for seen in desk.port.seen if isinstance(seen, CodeSeen) and seen.native_id == "lock-1"]
        assert [seen.slot for seen in told if not seen.is_enabled] == [1]


async def test_a_pin_that_is_on_no_slot_is_denied() -> None:
    async with a_desk() as desk:
        await desk.set(1, "4711")
        denied = await desk.type()
        assert (denied.reason, denied.native_id) == ("unknown_code", "lock-1")
        assert desk.driver.devices["lock-1"].locked


async def test_somebody_at_the_keypad_is_a_hint_and_no_more() -> None:
    async with a_desk() as desk:
        before = len(desk.port.seen)
        for slot, pin in ((None, PIN), (1, "4711"), (1, None), (1, None), (5, PIN), (None, None)):
            outcome = await desk.edit(slot, pin)
            assert (outcome.kind, outcome.seen) == (OutcomeKind.DONE, ())
        assert desk.hints() == [("added", 1), ("changed", 1), ("removed", 1), ("added", 5), ("removed", None)]
        assert len(desk.port.seen) == before + 5
        assert desk.pins() == {}
        refused = await desk.edit(31, PIN)
        assert (refused.kind, refused.code) == (OutcomeKind.REJECTED, "slot_not_usable")
        assert len(desk.port.seen) == before + 5


async def test_what_is_on_a_lock_is_on_the_disk_before_it_is_said(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        await asyncio.gather(*(desk.set(slot, f"4711{slot}") for slot in range(1, 9)))
        await desk.do(ClearCode, slot=8)
        await desk.edit(9, "4711")
        held = {slot: f"4711{slot}" for slot in range(1, 8)} | {9: "4711"}
        assert desk.pins() == held
        async with a_desk(tmp_path) as other:
            assert other.pins() == held


async def test_a_lock_that_is_taken_out_comes_back_empty(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        await desk.set(1)
        await desk.do(SimulateRemoval)
    async with a_desk(tmp_path) as desk:
        assert desk.pins() == {}


@pytest.mark.parametrize("kind", [SetCode, ClearCode, SimulateKeypadEdit, SimulateKeypadCodeEntry, SimulateRemoval])
async def test_a_disk_that_refuses_is_an_outcome(kind: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with a_desk(schedules=True) as desk:
        await desk.set(1, is_one_time=True)
        monkeypatch.setattr(memory_module, "remember", full)
        pin_ref = desk.port.seal(PIN)
        members: dict[type[Any], dict[str, Any]] = {
            SetCode: {"slot": 1, "pin_ref": pin_ref},
            ClearCode: {"slot": 1},
            SimulateKeypadEdit: {"slot": 1},
            SimulateKeypadCodeEntry: {"pin_ref": pin_ref},
            SimulateRemoval: {},
        }
        outcome = await desk.do(kind, **members[kind])
        assert (outcome.kind, outcome.code) == (OutcomeKind.SENT_UNCONFIRMED, "not_kept")
        assert outcome.message.endswith("could not be written down: No space left on device.")
        assert (await desk.do(ReadCode, "lock-2", slot=1)).kind is OutcomeKind.DONE
