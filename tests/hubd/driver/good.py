"""A driver that keeps every rule, for tests that break one of them."""

import asyncio
from collections.abc import Callable

import msgspec

from hubd.driver import DriverConfig, DriverError, Manifest, Port
from hubd.driver.contract import ContractSite
from hubd.model import (
    Capabilities,
    ClearCode,
    Climate,
    ClimateSeen,
    CodeSeen,
    Command,
    DeviceDescription,
    KeypadCapability,
    LockCapability,
    LockSeen,
    Outcome,
    ReadClimate,
    ReadCode,
    SetClimate,
    SetCode,
    SetPointRange,
    ThermostatCapability,
    TimeFrame,
    UnlockDoor,
    done,
    rejected,
    unreachable,
)
from hubd.model.degrees import snapped
from tests.support.hub import lock

type Held = tuple[str, TimeFrame | None]

OPEN = KeypadCapability(slots=10, reserved_slots=(10,), has_schedules=True)
MASKED = KeypadCapability(slots=5, tells_pins=False)
WHOLE = ThermostatCapability(
    hvac_modes=("off", "heat", "cool", "heat_cool"),
    fan_modes=("auto", "on"),
    heating=SetPointRange(5.0, 30.0),
    cooling=SetPointRange(15.0, 35.0),
    step=0.5,
)
VALVE = ThermostatCapability(hvac_modes=("off", "heat"), scale="fahrenheit", step=1.0)
STANDS = Climate(
    temperature_celsius=20.0,
    hvac_mode="heat",
    fan_mode="auto",
    heating_set_point_celsius=21.0,
    cooling_set_point_celsius=25.0,
)


class Good:
    """Two locks, one of which tells no PINs, and two thermostats, one of which only heats."""

    keypads: dict[str, KeypadCapability | None]
    thermostats: dict[str, ThermostatCapability]

    def __init__(self) -> None:
        self.is_up = False
        self.broken = asyncio.Event()
        self.native_ids = ["a", "b"]
        self.keypads = {"a": OPEN, "b": MASKED}
        self.codes: dict[str, dict[int, Held]] = {}
        self.thermostats = {"t": WHOLE, "v": VALVE}
        self.climates = {"t": STANDS, "v": Climate(hvac_mode="heat", heating_set_point_celsius=21.11)}
        self.asleep: set[str] = set()
        self.port: Port | None = None

    async def run(self, port: Port) -> None:
        self.port = port
        self.broken.clear()
        for native_id in self.native_ids:
            capabilities = Capabilities(lock=LockCapability(), keypad=self.keypads.get(native_id))
            description = lock(native_id, capabilities=capabilities)
            await port.found(description, LockSeen(native_id=native_id, locked=True))
        for native_id, thermostat in self.thermostats.items():
            abilities = Capabilities(thermostat=thermostat)
            name, kind = f"Climate {native_id}", "virtual_thermostat"
            description = DeviceDescription(native_id, "thermostat", kind, name, capabilities=abilities)
            await port.found(description, *self.stands(native_id).seen)
        self.is_up = True
        port.ready()
        try:
            await self.broken.wait()
        finally:
            self.is_up = False
        raise DriverError("server", "gone", "The server is gone.")

    async def execute(self, command: Command) -> Outcome:
        if not self.is_up:
            return unreachable("hub_disconnected", "There is no link.")
        if command.native_id not in {*self.native_ids, *self.thermostats}:
            return rejected("device_not_found", "There is no such device.")
        if isinstance(command, SetCode | ClearCode | ReadCode):
            return self.codes_of(command)
        if isinstance(command, SetClimate | ReadClimate):
            return await self.climate_of(command)
        locked = not isinstance(command, UnlockDoor)
        return done(seen=(LockSeen(native_id=command.native_id, locked=locked, method="remote"),))

    def codes_of(self, command: SetCode | ClearCode | ReadCode) -> Outcome:
        """Do what concerns a code."""
        keypad = self.keypads[command.native_id]
        assert keypad is not None
        if not 1 <= command.slot <= keypad.slots:
            return rejected("slot_not_usable", "There is no such slot.")
        codes = self.codes.setdefault(command.native_id, {})
        if isinstance(command, ClearCode):
            codes.pop(command.slot, None)
        if isinstance(command, SetCode):
            try:
                pin = self.living.secrets.reveal(command.pin_ref)
            except KeyError:
                return rejected("pin_unknown", "The PIN is not known any more.")
            if any(held[0] == pin for slot, held in codes.items() if slot != command.slot):
                return rejected("duplicate_code", "The lock has it already.")
            codes[command.slot] = pin, command.frame
        return done(seen=(self.seen(command.native_id, command.slot),))

    async def climate_of(self, command: SetClimate | ReadClimate) -> Outcome:
        """Do what concerns a thermostat."""
        native_id = command.native_id
        if native_id in self.asleep:
            return unreachable("device_asleep", "The device sleeps.")
        if isinstance(command, ReadClimate):
            return self.stands(native_id)
        await asyncio.sleep(0)
        known, setting = self.thermostats[native_id], command.setting
        members = {name: value for name, value in setting.members() if value is not None}
        if setting.hvac_mode not in {None, *known.hvac_modes} or setting.fan_mode not in {None, *known.fan_modes}:
            return rejected("mode_not_supported", "It has no such mode.")
        for kind, bounds in (("heating", known.heating), ("cooling", known.cooling)):
            point = getattr(setting, f"{kind}_set_point_celsius")
            if point is None:
                continue
            if bounds is not None and not bounds.min_celsius <= point <= bounds.max_celsius:
                return rejected("set_point_out_of_range", "It does not get so warm, or so cold.")
            members[f"{kind}_set_point_celsius"] = snapped(point, known.scale, known.step)
        self.climates[native_id] = msgspec.structs.replace(self.climates[native_id], **members)
        return self.stands(native_id)

    def stands(self, native_id: str) -> Outcome:
        """Tell how a thermostat stands."""
        return done(seen=(ClimateSeen(native_id=native_id, climate=self.climates[native_id]),))

    def seen(self, native_id: str, slot: int) -> CodeSeen:
        """Tell what a slot holds."""
        keypad, held = self.keypads[native_id], self.codes.get(native_id, {}).get(slot)
        if held is None:
            return CodeSeen(native_id=native_id, slot=slot, is_used=False)
        tells = keypad is not None and keypad.tells_pins
        pin_ref = self.living.secrets.seal(held[0]) if tells else None
        return CodeSeen(native_id=native_id, slot=slot, is_used=True, pin_ref=pin_ref, frame=held[1])

    @property
    def living(self) -> Port:
        """The port of the life under way."""
        assert self.port is not None
        return self.port


def site(driver: Good, *, make: Callable[[], Good] | None = None) -> ContractSite:
    """Build a site of this driver; with `make`, of a new one each time."""
    created: list[Good] = []

    def create(_: object) -> Good:
        created.append(make() if make else driver)
        return created[-1]

    async def break_link() -> None:
        created[-1].broken.set()

    manifest = Manifest(type="good", title="Good", config=DriverConfig, create=create, hops=("server",))
    return ContractSite(manifest, DriverConfig(), break_link=break_link, start_seconds=0.2)
