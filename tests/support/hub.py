"""A hub without its listener, and a driver that does what a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hubd.core.hub import Hub, Instance, Site
from hubd.core.policy import Policy
from hubd.core.sense import Sense
from hubd.core.sources import Sources
from hubd.driver import (
    Action,
    ActionResult,
    Arguments,
    Clock,
    DriverConfig,
    DriverError,
    Manifest,
    Port,
    Progress,
)
from hubd.model import (
    Capabilities,
    ClearCode,
    Command,
    DeviceDescription,
    LockCapability,
    LockDoor,
    LockSeen,
    Outcome,
    ReadCode,
    Seen,
    SetCode,
    ThermostatCapability,
    UnlockDoor,
    done,
    unsupported,
)
from hubd.store.records import Row
from hubd.store.secrets import Sealer
from tests.support.clock import ManualClock
from tests.support.store import open_journal

HUB_ID = "0f4d9a0e-5a52-4a41-8f0c-2b6f0f1c9d11"
SECRET_KEY = bytes(range(32))
"""Of every box of these tests, so that a hub that is started again can read what it sealed."""

type Execute = Callable[[Command], Awaitable[Outcome]]
type Act = Callable[[Arguments, str | None, Progress], Awaitable[ActionResult]]


def lock(native_id: str, **changes: Any) -> DeviceDescription:
    """Describe a lock. It has no keypad, so that the hub asks nothing of it by itself."""
    abilities = Capabilities(lock=LockCapability(), battery=True)
    values: dict[str, Any] = {"name": f"Lock {native_id}", "capabilities": abilities} | changes
    return DeviceDescription(native_id, "lock", "virtual_lock", **values)


def thermostat(native_id: str) -> DeviceDescription:
    """Describe a thermostat."""
    abilities = Capabilities(thermostat=ThermostatCapability())
    return DeviceDescription(
        native_id, "thermostat", "virtual_thermostat", f"Climate {native_id}", capabilities=abilities
    )


async def obey(command: Command) -> Outcome:
    """Carry out a lock order at once."""
    match command:
        case LockDoor() | UnlockDoor():
            locked = isinstance(command, LockDoor)
            return done(seen=(LockSeen(native_id=command.native_id, locked=locked, method="remote"),))
        case _:
            return unsupported("The scripted driver only locks and unlocks.")


class ScriptedDriver:
    """Implements `ActingDriver`. Announces its devices, then lives until `end` is given an error or None."""

    def __init__(self, *devices: DeviceDescription, execute: Execute = obey) -> None:
        self.devices = list(devices)
        self.first_readings: dict[str, tuple[Seen, ...]] = {}
        self.on_execute = execute
        self.on_start: Callable[[Port], Awaitable[object]] | None = None
        self.commands: list[Command] = []
        """Orders; what the hub does about codes by itself is not among them."""
        self.actions: dict[str, tuple[Action, Act]] = {}
        self.lives = 0
        self.port: Port | None = None
        self._end: asyncio.Future[BaseException | None] | None = None

    @property
    def living_port(self) -> Port:
        """The port of the life under way."""
        assert self.port is not None
        return self.port

    async def run(self, port: Port) -> None:
        """Live one life."""
        self.lives += 1
        self.port = port
        self._end = asyncio.get_running_loop().create_future()
        if self.on_start is not None:
            await self.on_start(port)
        for description in self.devices:
            await port.found(description, *self.first_readings.get(description.native_id, ()))
        port.ready()
        error = await self._end
        if error is not None:
            raise error

    def end(self, error: BaseException | None = None) -> None:
        """End the life under way, by an error if one is given."""
        assert self._end is not None
        self._end.set_result(error)

    async def execute(self, command: Command) -> Outcome:
        """Note an order and do what the test says."""
        if isinstance(command, SetCode | ClearCode | ReadCode):
            return unsupported("The scripted driver keeps no codes.")
        self.commands.append(command)
        return await self.on_execute(command)

    def offer(self, act: Act, name: str = "include", **members: Any) -> None:
        """Offer an action that does what `act` does. Before the manifest is asked for."""
        values: dict[str, Any] = {"title": name.capitalize(), "description": f"Does {name}."} | members
        self.actions[name] = (Action(name=name, **values), act)

    async def act(self, action: str, arguments: Arguments, native_id: str | None, progress: Progress) -> ActionResult:
        """Do what the test says."""
        return await self.actions[action][1](arguments, native_id, progress)

    def manifest(self, **changes: Any) -> Manifest:
        """Return a manifest that makes this driver."""
        values: dict[str, Any] = {"title": "Scripted", "hops": ("server", "controller"), "budget": 4}
        values |= {"actions": tuple(action for action, _ in self.actions.values())} | changes
        return Manifest(type="scripted", config=DriverConfig, create=lambda _: self, **values)


def lost(hop: str = "server", code: str = "gone", message: str = "The server is gone.") -> DriverError:
    """Build the loss of a hop."""
    return DriverError(hop, code, message, "Plug it in.")


class LiveHub:
    """A running hub with its scripted driver `front`."""

    def __init__(self, hub: Hub, driver: ScriptedDriver, clock: ManualClock) -> None:
        self.hub = hub
        self.driver = driver
        self.clock = clock

    def id_of(self, native_id: str) -> str:
        """Return the device id."""
        (found,) = [d for d, r in self.hub.devices.items() if r.device.description.native_id == native_id]
        return found

    def lock(self, native_id: str) -> LockDoor:
        """Build an order to lock."""
        return LockDoor(device_id=self.id_of(native_id), native_id=native_id)

    def unlock(self, native_id: str) -> UnlockDoor:
        """Build an order to unlock."""
        return UnlockDoor(device_id=self.id_of(native_id), native_id=native_id)

    async def rows(self, *types: str) -> list[Row]:
        """Return the journal's rows, of these types if any are given."""
        rows = await self.hub.journal.rows(0, 10_000)
        return [row for row in rows if not types or row.type in types]

    async def public(self) -> list[str]:
        """Return the public types of the journal, in order."""
        return [row.public for row in await self.rows() if row.public is not None]

    async def outcome(self, request_id: str) -> Outcome | None:
        """Return how a command ended."""
        record = await self.hub.journal.command(request_id)
        assert record is not None
        return record.outcome


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until a condition holds. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.002)


def site(storage: Path, *, secret_key: bytes = SECRET_KEY, **changes: Any) -> Site:
    """Build the site that hubs of these tests stand on; without grace, a loss is told at once."""
    values: dict[str, Any] = {"name": "Test site", "time_zone": "UTC", "version": "0.0"} | changes
    return Site(hub_id=HUB_ID, sealer=Sealer(secret_key), storage=storage, **values)


@asynccontextmanager
async def bare_hub(path: Path, clock: Clock, sources: Sources | None = None, **changes: Any) -> AsyncIterator[Hub]:
    """Run a hub without drivers; `changes` are those of its site. Without sources the clock is believed."""
    async with open_journal(path, clock) as journal, stoppable() as group:
        sense = Sense(journal, clock, sources)
        await sense.open()
        hub = Hub(site(path.parent / "drivers", **changes), journal, clock, group, sense)
        await hub.start()
        if sources is not None:
            group.create_task(sense.run(), name="sense")
        yield hub


@asynccontextmanager
async def live_hub(
    path: Path,
    driver: ScriptedDriver | None = None,
    *,
    policy: Policy | None = None,
    wait: bool = True,
    clock: ManualClock | None = None,
    grace: float = 0.0,
    **manifest: Any,
) -> AsyncIterator[LiveHub]:
    """Run a hub with a scripted driver, on a clock that stands; enters once the driver is connected."""
    clock, driver = clock or ManualClock(), driver or ScriptedDriver(lock("a"))
    async with bare_hub(path, clock, grace_seconds=grace) as hub:
        made = driver.manifest(**manifest)
        hub.add(Instance("front", made, driver, policy or Policy(("lock", "thermostat"))))
        if wait:
            await until(lambda: hub.health["front"].is_connected)
            await until(lambda: "front" in hub.journal.tables.instances)
        yield LiveHub(hub, driver, clock)


class _StopError(Exception):
    pass


async def _stop() -> None:
    raise _StopError


@asynccontextmanager
async def stoppable() -> AsyncIterator[asyncio.TaskGroup]:
    """Give a task group whose tasks are cancelled when the block ends; what the block raises leaves as it is."""
    raised: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            try:
                yield group
            except Exception as error:  # noqa: BLE001 - raised again below, out of the group
                raised = error
            group.create_task(_stop())
    except* _StopError:
        pass
    if raised is not None:
        raise raised
