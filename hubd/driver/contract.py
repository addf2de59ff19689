"""The suite that every driver passes, third-party ones too.

Subclass `DriverContract` in a pytest module named `test_*.py`, give it a `site` fixture, and pytest runs the checks:

    class TestAcme(DriverContract):
        @pytest.fixture
        async def site(self):
            async with AcmeSimulator() as simulator:
                yield ContractSite(MANIFEST, AcmeConfig(url=simulator.url))
"""

import asyncio
import atexit
import hashlib
import hmac
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any

from hubd.driver import climate_checks, code_checks, intake
from hubd.driver.checks import CheckPort
from hubd.driver.checkup import examine
from hubd.driver.clock import Clock, SystemClock
from hubd.driver.protocol import Driver, DriverConfig, DriverError, Manifest, Secrets
from hubd.model.access import AcsGone, AcsGroup, AcsUser, AcsZone, HeldKind, Noted
from hubd.model.capability import KeypadCapability, ThermostatCapability
from hubd.model.climate import ClimateSetting
from hubd.model.command import ClearCode, Command, LockDoor, ReadClimate, ReadCode, SetClimate, SetCode, UnlockDoor
from hubd.model.device import DeviceDescription
from hubd.model.errors import HubError
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.model.seen import LockSeen, ReachabilitySeen, Seen

_NONCE_BYTES = 16
_HEAD_BYTES = _NONCE_BYTES + 32


async def _nothing() -> None:
    return


@dataclass
class ContractSite:
    """A driver and the (emulated) network that it is checked against."""

    manifest: Manifest
    config: DriverConfig
    break_link: Callable[[], Awaitable[object]] | None = None
    """Makes the nearest hop vanish, so that `run` must raise `DriverError`."""
    reset: Callable[[], Awaitable[object]] = field(default=_nothing)
    start_seconds: float = 30.0
    """How long the driver may take to be ready."""


class RecordingPort:
    """A port that keeps what the driver says, and lets a test wait for it."""

    def __init__(self, instance: str = "contract", clock: Clock | None = None, zone: tzinfo = UTC) -> None:
        self.instance = instance
        self.clock: Clock = clock or SystemClock()
        self.zone = zone
        self.is_time_trusted = True
        self.log = logging.getLogger(f"hubd.contract.{instance}")
        self.secrets: Secrets = self
        self.is_ready = asyncio.Event()
        self.devices: dict[str, DeviceDescription] = {}
        self.announced: list[DeviceDescription] = []
        """Every description as it was announced, those that were replaced later too."""
        self.seen: list[Seen] = []
        self.gone: dict[str, str] = {}
        self.lost_hops: dict[str, DriverError] = {}
        self.known: Mapping[str, DeviceDescription] = {}
        """What the hub knows from earlier; a test fills it."""
        self.scans: list[tuple[str, ...]] = []
        self.waits: dict[str, tuple[str, str]] = {}
        self.noted: list[Noted] = []
        self.bookmark: str | None = None
        self.cautions: dict[str, str] = {}
        self._pins: dict[str, str] = {}
        self._changed = asyncio.Condition()

    @cached_property
    def storage(self) -> Path:
        """See `Port.storage`; made when it is first asked for, removed when Python ends: not while a loop runs."""
        made = Path(tempfile.mkdtemp(prefix="hubd-contract-"))
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        return made

    def ready(self) -> None:
        """See `Port.ready`."""
        self.is_ready.set()

    def hop_lost(self, error: DriverError) -> None:
        """See `Port.hop_lost`."""
        self.lost_hops[error.hop] = error

    def hop_back(self, hop: str) -> None:
        """See `Port.hop_back`."""
        self.lost_hops.pop(hop, None)

    async def missing(self, *native_ids: str) -> None:
        """See `Port.missing`."""
        self.scans.append(native_ids)

    def waiting(self, key: str, name: str, reason: str | None) -> None:
        """See `Port.waiting`."""
        if reason is None:
            self.waits.pop(key, None)
        else:
            self.waits[key] = (name, reason)

    def held(self, kind: HeldKind) -> frozenset[str]:
        """See `Port.held`."""
        held: set[str] = set()
        for one in self.noted:
            match one:
                case AcsGone(kind=gone, native_id=native_id) if gone == kind:
                    held.discard(native_id)
                case AcsUser() | AcsGroup() | AcsZone() if one.__struct_config__.tag == kind:
                    held.add(one.native_id)
                case _:
                    pass
        return frozenset(held)

    async def note(self, *noted: Noted, bookmark: str | None = None) -> None:
        """See `Port.note`."""
        noted = intake.noted(noted)
        async with self._changed:
            self.noted.extend(noted)
            self.bookmark = bookmark or self.bookmark
            self._changed.notify_all()

    def caution(self, code: str, message: str | None, remedy: str = "") -> None:
        """See `Port.caution`."""
        if message is None:
            self.cautions.pop(code, None)
        else:
            self.cautions[code] = f"{message} {remedy}".strip()

    def seal(self, pin: str) -> str:
        """See `Secrets.seal`."""
        ref = f"pin-{len(self._pins)}"
        self._pins[ref] = pin
        return ref

    def reveal(self, ref: str) -> str:
        """See `Secrets.reveal`."""
        return self._pins[ref]

    def wrap(self, data: bytes) -> bytes:
        """See `Secrets.wrap`. It keeps bytes from the eye alone: every port of the same instance has the same key."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = bytes(a ^ b for a, b in zip(data, self._stream(nonce, len(data)), strict=True))
        return nonce + self._tag(nonce + sealed) + sealed

    def unwrap(self, data: bytes) -> bytes:
        """See `Secrets.unwrap`."""
        nonce, tag, sealed = data[:_NONCE_BYTES], data[_NONCE_BYTES:_HEAD_BYTES], data[_HEAD_BYTES:]
        if not hmac.compare_digest(tag, self._tag(nonce + sealed)):
            raise HubError("secret_unreadable", "It was not sealed by this port.")
        return bytes(a ^ b for a, b in zip(sealed, self._stream(nonce, len(sealed)), strict=True))

    def _stream(self, nonce: bytes, length: int) -> bytes:
        return hashlib.shake_256(nonce + self.instance.encode()).digest(length)

    def _tag(self, data: bytes) -> bytes:
        return hmac.digest(self.instance.encode(), data, "sha256")

    async def found(self, description: DeviceDescription, *seen: Seen) -> str:
        """See `Port.found`."""
        self.announced.append(intake.description(description))
        self.devices[description.native_id] = description
        await self.publish(*seen)
        return f"device-{description.native_id}"

    async def removed(self, native_id: str, reason: str) -> None:
        """See `Port.removed`."""
        self.gone[native_id] = reason
        await self.publish()

    async def publish(self, *seen: Seen) -> None:
        """See `Port.publish`."""
        seen = intake.readings(seen)
        async with self._changed:
            self.seen.extend(seen)
            self._changed.notify_all()

    async def wait_for(self, predicate: Callable[[Seen], bool], seconds: float = 10.0) -> Seen:
        """Return the first thing seen that fits. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds), self._changed:
            while True:
                for seen in self.seen:
                    if predicate(seen):
                        return seen
                await self._changed.wait()

    def answers(self, native_id: str) -> bool:
        """Return whether a device answered when it was last spoken of."""
        told = [one.online for one in self.seen if isinstance(one, ReachabilitySeen) and one.native_id == native_id]
        return not told or told[-1]

    def position(self, native_id: str) -> bool | None:
        """Return the last known position of a bolt: True is locked."""
        for seen in reversed(self.seen):
            if isinstance(seen, LockSeen) and seen.native_id == native_id:
                return seen.locked
        return None


@asynccontextmanager
async def running(
    driver: Driver, port: RecordingPort, start_seconds: float = 30.0
) -> AsyncIterator[asyncio.Task[None]]:
    """Run a driver until the block ends; enters once it is ready. Fails when stopping takes longer than 5 s."""
    task = asyncio.create_task(driver.run(port), name=f"driver-{port.instance}")
    ready = asyncio.create_task(port.is_ready.wait())
    try:
        done, _ = await asyncio.wait({task, ready}, timeout=start_seconds, return_when=asyncio.FIRST_COMPLETED)
        if task in done:
            await task
        assert ready in done, f"not ready within {start_seconds} s"
        yield task
    finally:
        ready.cancel()
        task.cancel()
        stopped, _ = await asyncio.wait({task}, timeout=5.0)
        assert stopped, "run() did not stop within 5 s of being cancelled"
        with suppress(asyncio.CancelledError, DriverError):
            await task


def check_description(description: DeviceDescription) -> None:
    """Check that a device is announced whole, and says nothing that cannot be."""
    assert intake.description(description) == description, f"{description.native_id}: it says what cannot be"
    assert description.native_id, "native_id is empty"
    assert description.name.strip(), f"{description.native_id}: announced without a name"
    assert description.device_type.isidentifier(), f"{description.native_id}: device_type {description.device_type!r}"
    if description.kind == "lock":
        assert description.capabilities.lock is not None, f"{description.native_id}: a lock without lock capability"
    thermostat = description.capabilities.thermostat
    if description.kind == "thermostat":
        assert thermostat is not None, f"{description.native_id}: no thermostat capability"
    if thermostat is not None:
        climate_checks.check_capability(description.native_id, thermostat)


def check_outcome(outcome: Outcome) -> None:
    """Check that an outcome can be shown to a technician and acted on by a program."""
    assert intake.outcome(outcome) == outcome, "it cannot be written and read back"
    assert outcome.code.isidentifier(), f"code {outcome.code!r} is not a stable identifier"
    assert outcome.message.strip().endswith("."), f"message {outcome.message!r} is not a sentence"
    assert "unknown error" not in outcome.message.lower()


class DriverContract:
    """The checks. Each gets a fresh `site`."""

    async def test_announces_whole_devices(self, site: ContractSite) -> None:
        """Ready comes after every device was found; none has a placeholder."""
        port = RecordingPort()
        async with running(site.manifest.create(site.config), port, site.start_seconds):
            assert port.devices, "the driver is ready and has found no device"
            for description in port.announced:
                check_description(description)
            for description in port.devices.values():
                keypad = description.capabilities.keypad
                if keypad is not None:
                    code_checks.check_codes_seen(port.seen, description.native_id, keypad)
                thermostat = description.capabilities.thermostat
                if thermostat is not None:
                    climate_checks.check_climates_seen(port.seen, description.native_id, thermostat)
            known = {seen.native_id for seen in port.seen}
            assert known <= port.devices.keys(), "something was published about a device that was never found"

    async def test_the_checks_pass_on_a_working_site(self, site: ContractSite) -> None:
        """Its set-up checks, if it has any, find nothing wrong, name its own hops, and stay with their words."""
        port = CheckPort("contract", SystemClock())
        rounds = []
        for _ in range(2):
            found = [finding async for finding in examine(site.manifest, site.config, port)]
            rounds.append([finding.check for finding in found])
            for finding in found:
                assert finding.verdict != "failed", f"{finding.check}: {finding.evidence}"
                assert finding.hop in site.manifest.hops, f"{finding.check}: hop {finding.hop!r} is not in the manifest"
                assert finding.evidence.endswith("."), f"{finding.check}: {finding.evidence!r} is not a sentence"
        assert rounds[0] == rounds[1], "the checks have other titles each time"
        assert len(set(rounds[0])) == len(rounds[0]), "two checks have the same title"
        assert rounds[0] or site.manifest.doctor is None, "the manifest has a doctor that checks nothing"

    async def test_same_devices_after_restart(self, site: ContractSite) -> None:
        """Native ids survive a new life of the same link."""
        lives = []
        for _ in range(2):
            port = RecordingPort()
            async with running(site.manifest.create(site.config), port, site.start_seconds):
                lives.append(set(port.devices))
        assert lives[0] == lives[1]

    async def test_driver_is_reusable(self, site: ContractSite) -> None:
        """One driver object lives through several runs, as the supervisor uses it."""
        driver = site.manifest.create(site.config)
        for _ in range(2):
            async with running(driver, RecordingPort(), site.start_seconds):
                pass

    async def test_locks_and_unlocks(self, site: ContractSite) -> None:
        """An order on a lock is DONE, and what was seen agrees."""
        port = RecordingPort()
        driver = site.manifest.create(site.config)
        async with running(driver, port, site.start_seconds):
            await site.reset()
            for description in [d for d in port.devices.values() if d.kind == "lock"]:
                capability = description.capabilities.lock
                assert capability is not None
                orders: list[tuple[type[Any], bool]] = [(UnlockDoor, False)] if capability.can_unlock else []
                orders += [(LockDoor, True)] if capability.can_lock else []
                for order, locked in orders:
                    outcome = await self._execute(driver, order, description.native_id)
                    assert outcome.kind is OutcomeKind.DONE, f"{order.__name__}: {outcome}"
                    await port.publish(*outcome.seen)
                    assert port.position(description.native_id) is locked

    async def test_unknown_device(self, site: ContractSite) -> None:
        """A device that is gone is an outcome, not an exception."""
        driver, port = site.manifest.create(site.config), RecordingPort()
        async with running(driver, port, site.start_seconds):
            outcomes = [await self._execute(driver, LockDoor, "no-such-device")]
            if any(one.capabilities.keypad for one in port.devices.values()):
                outcomes.append(await self._execute(driver, ReadCode, "no-such-device", slot=1))
                outcomes.append(await self._execute(driver, ClearCode, "no-such-device", slot=1))
                pin_ref = port.seal("4738")
                outcomes.append(await self._execute(driver, SetCode, "no-such-device", slot=1, pin_ref=pin_ref))
            if any(one.capabilities.thermostat for one in port.devices.values()):
                setting = ClimateSetting(hvac_mode="off")
                outcomes.append(await self._execute(driver, SetClimate, "no-such-device", setting=setting))
                outcomes.append(await self._execute(driver, ReadClimate, "no-such-device"))
        for outcome in outcomes:
            assert outcome.kind in {OutcomeKind.REJECTED, OutcomeKind.UNREACHABLE}, outcome

    async def test_link_down_is_said_at_once(self, site: ContractSite) -> None:
        """Before and after its life a driver answers UNREACHABLE within a second."""
        driver = site.manifest.create(site.config)
        setting = ClimateSetting(hvac_mode="off")
        orders: tuple[tuple[type[Any], dict[str, Any]], ...] = (
            (LockDoor, {}),
            (ReadCode, {"slot": 1}),
            (ReadClimate, {}),
            (SetClimate, {"setting": setting}),
        )
        for order, members in orders:
            async with asyncio.timeout(1.0):
                outcome = await self._execute(driver, order, "any", **members)
            assert outcome.kind is OutcomeKind.UNREACHABLE, outcome

    async def test_link_lost_is_raised(self, site: ContractSite) -> None:
        """When the nearest hop vanishes `run` raises `DriverError` naming a hop of the manifest."""
        if site.break_link is None:
            assert site.manifest.is_simulator, "only a driver without a link may come without break_link"
            return
        driver = site.manifest.create(site.config)
        async with running(driver, RecordingPort(), site.start_seconds) as task:
            await site.break_link()
            await asyncio.wait({task}, timeout=20.0)
            assert task.done(), "run() did not notice within 20 s that its link is gone"
            error = task.exception()
        assert isinstance(error, DriverError), repr(error)
        assert error.hop in site.manifest.hops
        assert error.message

    async def test_codes_are_set_and_cleared(self, site: ContractSite) -> None:
        """A code is DONE when the lock was read back, also over another one and over itself; so is an empty slot."""
        await self._at_keypads(site, code_checks.codes_are_set_and_cleared)

    async def test_duplicate_code_is_refused(self, site: ContractSite) -> None:
        """A PIN that the lock has in another slot is `duplicate_code`, and changes nothing."""
        await self._at_keypads(site, code_checks.a_duplicate_is_refused)

    async def test_unknown_slot_is_refused(self, site: ContractSite) -> None:
        """No command for a slot that the lock has not got touches another one."""
        await self._at_keypads(site, code_checks.a_slot_that_is_not_there_is_refused)

    async def test_unknown_pin_is_refused(self, site: ContractSite) -> None:
        """A reference that the hub does not know (any more) is an outcome, not an exception."""
        await self._at_keypads(site, code_checks.a_pin_that_is_not_known_is_refused)

    async def test_time_frame_is_taken(self, site: ContractSite) -> None:
        """A keypad that `has_schedules` takes a time frame, and loses it with the next code."""
        await self._at_keypads(site, code_checks.a_time_frame_is_taken, lambda keypad: keypad.has_schedules)

    async def test_settings_are_taken(self, site: ContractSite) -> None:
        """A thermostat that is set is DONE when it was read back, and keeps what was not named."""
        await self._at_thermostats(site, climate_checks.settings_are_taken)

    async def test_whole_setting_is_taken(self, site: ContractSite) -> None:
        """Mode, set-point and fan go in one command."""
        await self._at_thermostats(site, climate_checks.a_whole_setting_is_taken)

    async def test_setting_out_of_range_is_refused(self, site: ContractSite) -> None:
        """A set-point outside the range, or a mode that the thermostat has not got, changes nothing."""
        await self._at_thermostats(site, climate_checks.what_it_has_not_got_is_refused)

    async def test_cancelled_setting_leaves_the_thermostat_usable(self, site: ContractSite) -> None:
        """A deadline that passes while a thermostat is set leaves nothing half done."""
        await self._at_thermostats(site, climate_checks.cancelling_leaves_it_usable)

    async def test_sleeping_thermostat_is_left_alone(self, site: ContractSite) -> None:
        """A thermostat that sleeps is `device_asleep`, at once."""
        await self._at_thermostats(site, climate_checks.a_sleeper_is_left_alone, is_awake=False)

    async def _at_thermostats(
        self, site: ContractSite, check: Callable[[climate_checks.Bench], Awaitable[None]], *, is_awake: bool = True
    ) -> None:
        """Do a check at the first thermostat of each kind that answers, or that sleeps. Skips where there is none."""
        port, driver = RecordingPort(), site.manifest.create(site.config)
        is_checked = False

        async def execute(order: type[Any], native_id: str, **members: Any) -> Outcome:
            return await self._execute(driver, order, native_id, **members)

        async with running(driver, port, site.start_seconds):
            await site.reset()
            kinds: dict[ThermostatCapability, climate_checks.Bench] = {}
            for native_id, description in port.devices.items():
                thermostat = description.capabilities.thermostat
                if thermostat is not None and port.answers(native_id):
                    kinds.setdefault(thermostat, climate_checks.Bench(native_id, thermostat, execute))
            for bench in kinds.values():
                async with climate_checks.at(bench) as found_awake:
                    if found_awake is is_awake:
                        is_checked = True
                        await check(bench)
        if not is_checked:
            import pytest  # noqa: PLC0415 - only where the suite runs

            pytest.skip("no device is such a thermostat")

    async def _at_keypads(
        self,
        site: ContractSite,
        check: Callable[[code_checks.Bench], Awaitable[None]],
        fits: Callable[[KeypadCapability], bool] = lambda _: True,
    ) -> None:
        """Do a check at the first lock of each kind of keypad. Skips where no device has such a keypad."""
        port, driver = RecordingPort(), site.manifest.create(site.config)

        async def execute(order: type[Any], native_id: str, **members: Any) -> Outcome:
            return await self._execute(driver, order, native_id, **members)

        async with running(driver, port, site.start_seconds):
            await site.reset()
            benches: dict[KeypadCapability, code_checks.Bench] = {}
            for native_id, description in port.devices.items():
                keypad = description.capabilities.keypad
                if keypad is not None and len(code_checks.usable(keypad)) > 1 and fits(keypad):
                    bench = code_checks.Bench(native_id, keypad, port.secrets, port.clock, execute)
                    benches.setdefault(keypad, bench)
            for bench in benches.values():
                async with code_checks.at(bench):
                    await check(bench)
        if not benches:
            import pytest  # noqa: PLC0415 - only where the suite runs

            pytest.skip("no device has such a keypad")

    async def _execute(self, driver: Driver, order: type[Any], native_id: str, **members: Any) -> Outcome:
        command: Command = order(device_id=f"device-{native_id}", native_id=native_id, **members)
        async with asyncio.timeout(20.0):
            outcome = await driver.execute(command)
        check_outcome(outcome)
        return outcome
