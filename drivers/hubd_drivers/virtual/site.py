"""The simulated devices. Pure: no clock, no task; every change returns what a driver would see of it."""

from datetime import datetime

import msgspec

from hubd.model import (
    BatterySeen,
    Capabilities,
    ClimateSeen,
    DenialSeen,
    DeviceDescription,
    DoorSeen,
    KeypadCapability,
    LockCapability,
    LockSeen,
    ReachabilitySeen,
    Scale,
    Seen,
)
from hubd_drivers.virtual.keypad import Keypad
from hubd_drivers.virtual.thermostat import Thermostat, new_thermostat

_ROOMS_PER_FLOOR = 20


class VirtualDevice(msgspec.Struct):
    """One simulated device and its condition."""

    description: DeviceDescription
    locked: bool = True
    jammed: bool = False
    door_open: bool = False
    online: bool = True
    battery: float = 0.9
    thermostat: Thermostat | None = None
    keypad: Keypad | None = None
    orders: int = 0
    """How many orders of the hub to move its bolt, or to set it, the device took: what at-most-once is proved by."""

    @property
    def native_id(self) -> str:
        """Its id on the simulated network."""
        return self.description.native_id

    def readings(self) -> tuple[Seen, ...]:
        """Return the whole condition, as read at a connect; a thermostat that does not answer tells no settings."""
        native_id = self.native_id
        reason = None if self.online else "The simulated device was taken off its network."
        seen: list[Seen] = [ReachabilitySeen(native_id=native_id, online=self.online, reason=reason)]
        if self.description.kind == "lock":
            position = None if self.jammed else self.locked
            seen.append(LockSeen(native_id=native_id, locked=position, jammed=self.jammed))
            seen.append(DoorSeen(native_id=native_id, open=self.door_open))
            seen.append(BatterySeen(native_id=native_id, level=self.battery))
        if self.thermostat is not None and self.online:
            seen.append(ClimateSeen(native_id=native_id, climate=self.thermostat.climate))
        return tuple(seen)

    def turn(self, *, locked: bool) -> LockSeen:
        """Move the bolt by remote order."""
        self.orders += 1
        self.locked, self.jammed = locked, False
        return LockSeen(native_id=self.native_id, locked=locked, method="remote")

    def jam(self) -> LockSeen:
        """The bolt starts and sticks."""
        self.orders += 1
        self.jammed = True
        return LockSeen(native_id=self.native_id, locked=None, jammed=True)

    def lock_by_keypad(self) -> LockSeen:
        """Somebody locks at the keypad, by force if need be."""
        self.locked, self.jammed = True, False
        return LockSeen(native_id=self.native_id, locked=True, method="manual")

    def enter_code(self, pin: str, now: datetime) -> LockSeen | DenialSeen:
        """Somebody types a PIN: it opens if the lock holds it and its time is now."""
        slot = None if self.keypad is None else self.keypad.slot_of(pin)
        if self.keypad is None or slot is None:
            message = "A code that is not on the lock was entered."
            return DenialSeen(native_id=self.native_id, reason="unknown_code", message=message)
        if not self.keypad.use(slot, now):
            message = f"The code of slot {slot} was entered, which does not open now."
            return DenialSeen(native_id=self.native_id, reason="expired_code", message=message)
        self.locked, self.jammed = False, False
        return LockSeen(native_id=self.native_id, locked=False, method="keycode", user_slot=slot)

    def connect(self, *, connected: bool) -> ReachabilitySeen:
        """Take the device off its network, or bring it back."""
        self.online = connected
        reason = None if connected else "The simulated device was taken off its network."
        return ReachabilitySeen(native_id=self.native_id, online=connected, reason=reason)


def build(
    locks: int,
    thermostats: int,
    keypad: KeypadCapability | None,
    scale: Scale = "celsius",
    *,
    are_sleepy: bool = False,
) -> dict[str, VirtualDevice]:
    """Build a site: rooms by floor, each with a lock; the first ones with a thermostat that counts in `scale`.

    `are_sleepy`: the thermostats are battery valves, which sleep.
    """
    devices = [new_lock(number, keypad) for number in range(locks)]
    devices += [_with_thermostat(number, new_thermostat(scale, is_sleepy=are_sleepy)) for number in range(thermostats)]
    return {device.native_id: device for device in devices}


def _room(number: int) -> int:
    floor, door = divmod(number, _ROOMS_PER_FLOOR)
    return (floor + 1) * 100 + door + 1


def new_lock(number: int, keypad: KeypadCapability | None) -> VirtualDevice:
    """Build the lock of a room, counted from 0."""
    capabilities = Capabilities(lock=LockCapability(reports_door=True), keypad=keypad, battery=True, simulated=True)
    description = DeviceDescription(
        native_id=f"lock-{number + 1}",
        kind="lock",
        device_type="virtual_lock",
        name=f"Room {_room(number)}",
        manufacturer="hubd",
        model="Virtual deadbolt",
        firmware="1.0",
        capabilities=capabilities,
    )
    codes = None if keypad is None else Keypad(keypad)
    return VirtualDevice(description, battery=0.9 - 0.01 * (number % 30), keypad=codes)


def _with_thermostat(number: int, thermostat: Thermostat) -> VirtualDevice:
    description = DeviceDescription(
        native_id=f"thermostat-{number + 1}",
        kind="thermostat",
        device_type="virtual_thermostat",
        name=f"Climate {_room(number)}",
        manufacturer="hubd",
        model="Virtual thermostat",
        firmware="1.0",
        capabilities=Capabilities(thermostat=thermostat.capability, simulated=True),
    )
    return VirtualDevice(description, thermostat=thermostat)
