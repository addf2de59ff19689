"""The virtual driver: lives without a radio, answers after `latency_ms`, fails as told."""

import asyncio
from collections.abc import AsyncGenerator
from typing import assert_never

from hubd.driver import (
    ActionResult,
    Arguments,
    CheckPort,
    DriverConfig,
    DriverError,
    Finding,
    Manifest,
    Port,
    Progress,
)
from hubd.model import (
    ClearCode,
    Command,
    EditAccess,
    EncodeCredential,
    KeypadCapability,
    LockDoor,
    Outcome,
    ReadClimate,
    ReadCode,
    Scale,
    Seen,
    SetClimate,
    SetCode,
    SimulateConnection,
    SimulateHubConnection,
    SimulateHvacModeAdjusted,
    SimulateKeypadCodeEntry,
    SimulateKeypadEdit,
    SimulateManualLock,
    SimulateRemoval,
    SimulateTemperatureReached,
    UnlockDoor,
    done,
    rejected,
    sent_unconfirmed,
    unreachable,
    unsupported,
)
from hubd_drivers.virtual.actions import ACTIONS, Person
from hubd_drivers.virtual.climate import ClimateDesk
from hubd_drivers.virtual.codes import CodeDesk, Fault, batches, codes_seen
from hubd_drivers.virtual.memory import Notebook
from hubd_drivers.virtual.site import VirtualDevice, build

_MAX_DEVICES = 10_000
_MAX_LATENCY_MS = 60_000
_MAX_CODE_SLOTS = 250


class VirtualConfig(DriverConfig, frozen=True, kw_only=True):
    """Keys of a `[drivers.<id>]` table with `type = "virtual"`."""

    locks: int = 4
    thermostats: int = 1
    latency_ms: int = 30
    """How long a device takes to carry out and confirm an order."""
    fault: Fault = "none"
    """What every device does with an order: carry it out; refuse it; jam; carry it out and never answer.

    It is the same with codes and with thermostats, which know no jam and carry it out.
    """
    code_slots: int = 30
    """How many codes a lock holds; 0: the locks have no keypad."""
    schedules: bool = False
    """The locks keep to the time frame of a code by themselves, and take codes that work once."""
    masked: bool = False
    """The locks tell whether a slot is in use, and never its PIN."""
    thermostat_scale: Scale = "celsius"
    """The scale that the thermostats count in, by half degrees Celsius or by whole degrees Fahrenheit."""
    thermostats_asleep: bool = False
    """The thermostats are battery valves: they sleep, and listen for ten seconds after they woke.

    A valve wakes when somebody connects it (`SimulateConnection`) or turns its knob, and when its room's temperature
    changes; then it says how it stands.
    """

    def __post_init__(self) -> None:
        """Check the bounds."""
        bounds = {"locks": _MAX_DEVICES, "thermostats": _MAX_DEVICES, "latency_ms": _MAX_LATENCY_MS}
        bounds["code_slots"] = _MAX_CODE_SLOTS
        wrong = [
            f"{name}: must be between 0 and {most}"
            for name, most in bounds.items()
            if not 0 <= getattr(self, name) <= most
        ]
        if wrong:
            raise ValueError("\n".join(wrong))

    @property
    def keypad(self) -> KeypadCapability | None:
        """What the locks say of their keypads."""
        if self.code_slots == 0:
            return None
        return KeypadCapability(
            slots=self.code_slots,
            tells_pins=not self.masked,
            has_schedules=self.schedules,
            has_one_time=self.schedules,
        )


class VirtualDriver:
    """Implements `hubd.driver.ActingDriver`."""

    def __init__(self, config: VirtualConfig) -> None:
        scale, are_sleepy = config.thermostat_scale, config.thermostats_asleep
        self.devices = build(config.locks, config.thermostats, config.keypad, scale, are_sleepy=are_sleepy)
        self.fault = config.fault
        """What every device does from now on with an order."""
        self._latency = config.latency_ms / 1000
        self._notebook = Notebook(self.devices, config.keypad)
        self._codes = CodeDesk(self._notebook, self._latency)
        self._climate = ClimateDesk(self._notebook, self._latency)
        self._person = Person(self.devices, self._notebook, self._latency, config.keypad)
        self._port: Port | None = None
        self._last_port: Port | None = None
        """That of the last life, under way or over: knobs are turned at any time."""
        self._hub_lost = asyncio.Event()
        self._hub_back = asyncio.Event()
        self._hub_back.set()

    async def run(self, port: Port) -> None:
        """Announce the site, then wait for somebody to cut the simulated hop."""
        if not self._hub_back.is_set():
            await self._hub_back.wait()
        self._hub_lost.clear()
        await self._notebook.read(port)
        self._last_port = port
        for some in batches(list(self.devices.values())):
            found = (port.found(one.description, *one.readings(), *codes_seen(one, port)) for one in some)
            await asyncio.gather(*found)
        self._port = self._person.port = port
        port.ready()
        try:
            await self._hub_lost.wait()
        finally:
            self._port = self._person.port = None
        raise DriverError("site", "simulated_outage", "The simulated site was disconnected by a sandbox call.")

    async def execute(self, command: Command) -> Outcome:
        """Carry out a command on a simulated device."""
        if isinstance(command, SimulateHubConnection):
            return self._switch_hub(connected=command.connected)
        if isinstance(command, EditAccess | EncodeCredential):
            return unsupported("The simulated site is no access control system.")
        is_person = isinstance(command, SimulateHvacModeAdjusted | SimulateTemperatureReached)
        port = self._last_port if is_person else self._port
        if port is None:
            return unreachable("hub_disconnected", "The simulated site is disconnected.", {"hop": "site"})
        device = self.devices.get(command.native_id)
        if device is None:
            return rejected("device_not_found", "The simulated site has no such device.")
        match command:
            case LockDoor() | UnlockDoor():
                return await self._turn(port, device, locked=isinstance(command, LockDoor))
            case SimulateConnection(connected=connected):
                return _switch(port, device, connected=connected)
            case SimulateRemoval():
                await port.removed(device.native_id, "The simulated device was excluded from its network.")
                self.devices.pop(device.native_id, None)
                return await self._notebook.forget(port, device) or done("The simulated device was removed.")
            case SetCode() | ClearCode() | ReadCode():
                return await self._codes.execute(port, device, command, self.fault)
            case SetClimate() | ReadClimate():
                return await self._climate.execute(port, device, command, self.fault)
            case SimulateHvacModeAdjusted() | SimulateTemperatureReached():
                return await self._climate.turn(port, device, command, is_linked=self._port is not None)
            case SimulateKeypadCodeEntry():
                return await self._codes.enter(port, device, command)
            case SimulateKeypadEdit():
                return await self._codes.edit(port, device, command)
            case SimulateManualLock():
                if device.description.kind != "lock":
                    return unsupported("The device is not a lock.")
                return done("The simulated person did it.", (device.lock_by_keypad(),))
            case _:
                assert_never(command)

    async def act(self, action: str, arguments: Arguments, native_id: str | None, progress: Progress) -> ActionResult:
        """Have the simulated person do it."""
        return await self._person.act(action, arguments, native_id, progress)

    async def _turn(self, port: Port, device: VirtualDevice, *, locked: bool) -> Outcome:
        if device.description.kind != "lock":
            return unsupported("The device is not a lock.")
        if not device.online:
            return unreachable("device_unreachable", "The device does not answer on its network.")
        if self._latency:
            await port.clock.sleep(self._latency)
        match self.fault:
            case "refuse":
                return rejected("device_refused", "The lock refused the order.")
            case "jam":
                message = "The bolt is jammed; somebody has to look at the door."
                return rejected("lock_jammed", message, seen=(device.jam(),))
            case "silent":
                device.turn(locked=locked)
                return sent_unconfirmed("The order was sent and the lock did not answer.")
            case "none":
                return done("The lock confirmed it.", (device.turn(locked=locked),))

    def _switch_hub(self, *, connected: bool) -> Outcome:
        if connected:
            self._hub_back.set()
        else:
            self._hub_back.clear()
            self._hub_lost.set()
        return done("The simulated hop was switched.")


def _switch(port: Port, device: VirtualDevice, *, connected: bool) -> Outcome:
    """Take a device off its network or bring it back; a thermostat then says how it stands."""
    seen: tuple[Seen, ...] = (device.connect(connected=connected),)
    if connected and device.thermostat is not None:
        device.thermostat.wake(port.clock.monotonic())
        seen = device.readings()
    return done("The simulated connection was switched.", seen)


async def check(config: VirtualConfig, _: CheckPort) -> AsyncGenerator[Finding]:
    """Implement `hubd.driver.Doctor`: there is no way to the site that could be broken."""
    evidence = (
        f"A site of locks ({config.locks}) and thermostats ({config.thermostats}) is simulated in the hub itself."
    )
    if config.fault == "none":
        yield Finding("site", "Simulated site", "ok", evidence)
        return
    evidence = f"{evidence} Each fails with what it is told (fault = {config.fault!r})."
    yield Finding("site", "Simulated site", "warning", evidence, "simulated_fault", "Take fault out of its table.")


MANIFEST = Manifest(
    type="virtual",
    title="Virtual site",
    config=VirtualConfig,
    create=VirtualDriver,
    hops=("site",),
    kinds=("lock", "thermostat"),
    budget=256,
    actions=ACTIONS,
    doctor=check,
    is_simulator=True,
)
