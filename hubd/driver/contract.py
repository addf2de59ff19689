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
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hubd.driver import intake
from hubd.driver.clock import Clock, SystemClock
from hubd.driver.protocol import Driver, DriverConfig, DriverError, Manifest
from hubd.model.command import Command, LockDoor, UnlockDoor
from hubd.model.device import DeviceDescription
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.model.seen import LockSeen, Seen


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

    def __init__(self, instance: str = "contract", clock: Clock | None = None) -> None:
        self.instance = instance
        self.clock: Clock = clock or SystemClock()
        self.log = logging.getLogger(f"hubd.contract.{instance}")
        self.secrets = self
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

    def seal(self, pin: str) -> str:
        """See `Secrets.seal`."""
        ref = f"pin-{len(self._pins)}"
        self._pins[ref] = pin
        return ref

    def reveal(self, ref: str) -> str:
        """See `Secrets.reveal`."""
        return self._pins[ref]

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
    """Check that a device is announced whole."""
    assert description.native_id, "native_id is empty"
    assert description.name.strip(), f"{description.native_id}: announced without a name"
    assert description.device_type.isidentifier(), f"{description.native_id}: device_type {description.device_type!r}"
    if description.kind == "lock":
        assert description.capabilities.lock is not None, f"{description.native_id}: a lock without lock capability"
    if description.kind == "thermostat":
        assert description.capabilities.thermostat is not None, f"{description.native_id}: no thermostat capability"


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
            known = {seen.native_id for seen in port.seen}
            assert known <= port.devices.keys(), "something was published about a device that was never found"

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
        driver = site.manifest.create(site.config)
        async with running(driver, RecordingPort(), site.start_seconds):
            outcome = await self._execute(driver, LockDoor, "no-such-device")
        assert outcome.kind in {OutcomeKind.REJECTED, OutcomeKind.UNREACHABLE}, outcome

    async def test_link_down_is_said_at_once(self, site: ContractSite) -> None:
        """Before and after its life a driver answers UNREACHABLE within a second."""
        driver = site.manifest.create(site.config)
        async with asyncio.timeout(1.0):
            outcome = await self._execute(driver, LockDoor, "any")
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

    async def _execute(self, driver: Driver, order: type[Any], native_id: str) -> Outcome:
        command: Command = order(device_id=f"device-{native_id}", native_id=native_id)
        async with asyncio.timeout(20.0):
            outcome = await driver.execute(command)
        check_outcome(outcome)
        return outcome
