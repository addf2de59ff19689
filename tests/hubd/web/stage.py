"""A hub with one scripted driver and a clock that the test moves: every state of a site can be put on the page."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta
from msgspec.structs import replace

from hubd.core.codes.wishes import Wish
from hubd.core.hub import Hub, Instance, Site
from hubd.core.keys import Keys
from hubd.core.policy import Policy
from hubd.driver import (
    Action,
    ActionResult,
    Arguments,
    Doctor,
    DriverConfig,
    DriverError,
    Manifest,
    Port,
    Progress,
    Question,
)
from hubd.model import (
    Capabilities,
    ClearCode,
    Climate,
    ClimateCommand,
    ClimateSeen,
    CodeCommand,
    CodeSeen,
    Command,
    DeviceDescription,
    KeypadCapability,
    LockCapability,
    LockDoor,
    LockSeen,
    Outcome,
    ReadClimate,
    ReadCode,
    Seen,
    SetClimate,
    SetCode,
    SetPointRange,
    ThermostatCapability,
    UnlockDoor,
    done,
)
from hubd.model.event import Role
from hubd.store.codes import CodeRecord
from hubd.store.database import Database
from hubd.store.journal import Journal
from hubd.store.records import DeviceRecord
from hubd.store.secrets import Sealer
from hubd.web.desk import Desk
from hubd.web.pages import Pages
from tests.support.clock import ManualClock

ZONE = ZoneInfo("Europe/Berlin")
HUB_ID = "6f0c1b0e-7f0e-4a58-9d3d-0d7ad3a1c001"
LOCK = Capabilities(lock=LockCapability(reports_door=True), keypad=KeypadCapability(slots=30), battery=True)
THERMOSTAT = Capabilities(
    thermostat=ThermostatCapability(
        hvac_modes=("off", "heat", "heat_cool"), fan_modes=("auto", "on"), heating=SetPointRange(5.0, 30.0)
    )
)


WARM = Climate(
    temperature_celsius=20.5,
    relative_humidity=0.45,
    hvac_mode="heat",
    fan_mode="auto",
    heating_set_point_celsius=21.0,
    is_heating=True,
)


class _Config(DriverConfig, frozen=True, kw_only=True):
    pass


class Pairing(Arguments, frozen=True, kw_only=True):
    """Arguments of the stage's action `include`."""

    seconds: Annotated[int, Meta(ge=10, le=240, title="Seconds", description="How long to wait.")] = 60
    security: Literal["auto", "s2"] = "auto"
    is_loud: Annotated[bool, Meta(title="Beep")] = False


ACTIONS = (
    Action(name="include", title="Include a device", description="Press its button.", arguments=Pairing, seconds=300),
    Action(name="reset", title="Reset all", description="Forgets all.", role="owner", warning="All devices are lost."),
    Action(name="ping", title="Ping", description="Asks it.", on_device=True, role="viewer", exclusive=False),
)


class Script:
    """A driver that does as the test says. `answer` is what an order gets; None carries it out."""

    def __init__(self) -> None:
        self.port: Port | None = None
        self.answer: Callable[[Command], Outcome] | None = None
        self.hold: asyncio.Event | None = None
        self.orders: list[Command] = []
        """Not those about codes: the hub gives them by itself."""
        self.answer_code: Callable[[CodeCommand], Outcome] | None = None
        self.hold_codes: asyncio.Event | None = None
        self.rooms: dict[str, Climate] = {}
        """How each thermostat stands, by native id; one that is here takes every setting, unless `answer` says else."""
        self.pins: dict[tuple[str, int], str] = {}
        """What each slot of each lock holds, by native id."""
        self.on_act: Callable[[Progress, Arguments], Awaitable[ActionResult]] | None = None
        self.acts: list[tuple[str, Arguments, str | None]] = []
        self._broken: DriverError | None = None
        self._end = asyncio.Event()

    async def run(self, port: Port) -> None:
        """Connect at once, unless the test broke the link."""
        if self._broken is None:
            self.port = port
            port.ready()
            await self._end.wait()
        self.port = None
        assert self._broken is not None
        raise self._broken

    async def execute(self, command: Command) -> Outcome:
        """Answer an order."""
        if isinstance(command, SetCode | ClearCode | ReadCode):
            return await self._keypad(command)
        if isinstance(command, SetClimate | ReadClimate) and self.answer is None:
            return self._climate(command)
        self.orders.append(command)
        if self.hold is not None:
            await self.hold.wait()
        if self.answer is not None:
            return self.answer(command)
        if not isinstance(command, LockDoor | UnlockDoor):
            return done()
        seen = LockSeen(native_id=command.native_id, locked=isinstance(command, LockDoor), method="remote")
        return done("The lock confirmed it.", (seen,))

    def _climate(self, command: ClimateCommand) -> Outcome:
        if isinstance(command, SetClimate):
            members = {name: value for name, value in command.setting.members() if value is not None}
            self.rooms[command.native_id] = replace(self.rooms.get(command.native_id, Climate()), **members)
        climate = self.rooms.get(command.native_id, Climate())
        return done("The thermostat was read back.", (ClimateSeen(native_id=command.native_id, climate=climate),))

    async def _keypad(self, command: CodeCommand) -> Outcome:
        assert self.port is not None
        if self.hold_codes is not None and not isinstance(command, ReadCode):
            await self.hold_codes.wait()
        if self.answer_code is not None and not isinstance(command, ReadCode):
            return self.answer_code(command)
        place = (command.native_id, command.slot)
        if isinstance(command, SetCode):
            self.pins[place] = self.port.secrets.reveal(command.pin_ref)
        elif isinstance(command, ClearCode):
            self.pins.pop(place, None)
        return done("The lock was read back.", (self.read(*place),))

    def read(self, native_id: str, slot: int) -> CodeSeen:
        """Tell what a slot holds."""
        assert self.port is not None
        pin = self.pins.get((native_id, slot))
        ref = None if pin is None else self.port.secrets.seal(pin)
        return CodeSeen(native_id=native_id, slot=slot, is_used=pin is not None, pin_ref=ref)

    async def act(self, action: str, arguments: Arguments, native_id: str | None, progress: Progress) -> ActionResult:
        """Do as the test says; by default ask for five digits and end well."""
        self.acts.append((action, arguments, native_id))
        if self.on_act is not None:
            return await self.on_act(progress, arguments)
        progress.say("Press the button.", seconds=60)
        await progress.ask(Question(text="Which five digits are on it?", pattern="[0-9]{5}", hint="5 digits"))
        return ActionResult(message="It is included.", facts={"node_id": 7}, table=({"node": 7, "is_up": True},))

    def break_link(self, error: DriverError) -> None:
        """Lose the link for good."""
        self._broken = error
        self._end.set()


class Stage:
    """What a test plays on."""

    def __init__(self, hub: Hub, keys: Keys, clock: ManualClock, script: Script) -> None:
        self.hub = hub
        self.keys = keys
        self.clock = clock
        self.script = script
        self.pages = Pages(hub, keys)
        self.desk = Desk(hub, keys, ZONE)

    async def key(self, role: Role, name: str = "Front desk") -> str:
        """Make a key and return its token."""
        return (await self.keys.create(name, role, "config"))[1]

    async def lock(
        self, name: str, *seen: Seen, native_id: str = "", capabilities: Capabilities = LOCK
    ) -> DeviceRecord:
        """Find a lock; its native id is its name where none is given."""
        description = DeviceDescription(
            native_id=native_id or name,
            kind="lock",
            device_type="zwave_lock",
            name=name,
            manufacturer="Yale",
            model="YRD256",
            firmware="1.84",
            capabilities=capabilities,
        )
        return await self.find(description, *seen)

    async def keypad(self, name: str = "Room 1", *, held: dict[int, str] | None = None) -> DeviceRecord:
        """Find a locked lock all of whose slots are known; `held` are PINs that somebody set there before."""
        await self.lock(name, LockSeen(native_id=name, locked=True))
        self.script.pins |= {(name, slot): pin for slot, pin in (held or {}).items()}
        capability = LOCK.keypad
        assert capability is not None
        await self.see(*(self.script.read(name, slot) for slot in range(1, capability.slots + 1)))
        return next(one for one in self.hub.devices.values() if one.device.description.native_id == name)

    async def code(self, record: DeviceRecord, by: str = "config", **wish: Any) -> CodeRecord:
        """Have a code, and wait until it is as it should be, or rests."""
        (code,) = await self.hub.codes.create([Wish(device_id=record.device.device_id, **wish)], by)
        await until(lambda: not self.is_moving(code.code_id))
        return self.hub.codes.get(code.code_id)

    def is_moving(self, code_id: str) -> bool:
        """Whether the hub is about to do something for a code."""
        code = self.hub.journal.tables.codes.get(code_id)
        return code is not None and code.trouble is None and self.hub.codes.status(code) in {"setting", "removing"}

    async def thermostat(self, name: str, *seen: Seen) -> DeviceRecord:
        """Find a thermostat."""
        description = DeviceDescription(
            native_id=name, kind="thermostat", device_type="zwave_thermostat", name=name, capabilities=THERMOSTAT
        )
        return await self.find(description, *seen)

    async def room(self, name: str = "Lounge", climate: Climate = WARM) -> DeviceRecord:
        """Find a thermostat that tells how it stands, and takes what it is set to."""
        self.script.rooms[name] = climate
        return await self.thermostat(name, ClimateSeen(native_id=name, climate=climate))

    async def warm(self, record: DeviceRecord, **members: Any) -> None:
        """Let something change at a thermostat, or in its room."""
        name = record.device.description.native_id
        self.script.rooms[name] = replace(self.script.rooms[name], **members)
        await self.see(ClimateSeen(native_id=name, climate=self.script.rooms[name]))

    async def calm(self, record: DeviceRecord) -> None:
        """Return when a thermostat is as it should be."""
        await until(lambda: self.hub.thermostats.get(record.device.device_id).is_applied)

    async def find(self, description: DeviceDescription, *seen: Seen) -> DeviceRecord:
        """Find a device of the scripted driver."""
        return self.hub.devices[await self.hub.found("radio", description, seen)]

    async def see(self, *seen: Seen) -> None:
        """Publish readings."""
        await self.hub.publish("radio", seen)

    async def order(self, record: DeviceRecord, key_id: str = "config", *, lock: bool = False) -> str:
        """Give an order and wait for its end."""
        kind = LockDoor if lock else UnlockDoor
        command = kind(device_id=record.device.device_id, native_id=record.device.description.native_id)
        return await self.hub.submit(command, key_id, wait_seconds=5)

    async def lose(
        self, hop: str = "controller", message: str = "The stick is gone.", remedy: str = "Plug it in."
    ) -> None:
        """Break the link and let the hub notice."""
        self.script.break_link(DriverError(hop, "gone", message, remedy))
        health = self.hub.health["radio"]
        await until(lambda: not health.is_connected and health.next_try_at is not None)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until a condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0)


class _OverError(Exception):
    """Ends the hub's task group."""


@asynccontextmanager
async def stage(
    tmp_path: Path, site_name: str = "Hotel Seeblick", doctor: Doctor | None = None
) -> AsyncIterator[Stage]:
    """Run a hub with the connected driver instance `radio` (hops server and controller) and no devices."""
    clock = ManualClock()
    database = await Database.open(tmp_path / "hubd.sqlite")
    journal = Journal(database, clock)
    await journal.load()
    writer = asyncio.create_task(journal.run())
    try:
        async with asyncio.TaskGroup() as group:
            site = Site(HUB_ID, site_name, ZONE.key, "0.1.0", Sealer(bytes(32)), tmp_path / "drivers")
            hub = Hub(site, journal, clock, group)
            await hub.start()
            script = Script()
            manifest = Manifest(
                type="scripted",
                title="Z-Wave",
                config=_Config,
                create=lambda _: script,
                hops=("server", "controller"),
                budget=8,
                actions=ACTIONS,
                doctor=doctor,
            )
            hub.add(Instance("radio", manifest, script, Policy(("lock", "thermostat")), _Config()))
            await until(lambda: hub.health["radio"].is_connected and "radio" in journal.tables.instances)
            yield Stage(hub, Keys(journal), clock, script)
            raise _OverError  # noqa: TRY301 - a task group ends by an exception
    except* _OverError:
        pass
    finally:
        writer.cancel()
        await asyncio.wait({writer})
        await database.close()
