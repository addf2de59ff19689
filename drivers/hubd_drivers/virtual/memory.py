"""What the simulated site keeps over a restart: which devices it has, their codes and settings, as real ones do."""

import asyncio
import threading
from pathlib import Path

import msgspec

from hubd.driver import Port, write_new
from hubd.model import Climate, HubError, KeypadCapability, Outcome, sent_unconfirmed
from hubd_drivers.virtual.keypad import StoredCode
from hubd_drivers.virtual.site import VirtualDevice, new_lock
from hubd_drivers.virtual.thermostat import ThermostatError

MEMORY = "site.json"

type Codes = dict[str, dict[int, StoredCode]]
"""By native id and slot."""


class Memory(msgspec.Struct, frozen=True, omit_defaults=True):
    """The file."""

    added: tuple[int, ...] = ()
    """Numbers of the locks that were added, from 1."""
    removed: tuple[str, ...] = ()
    """Native ids of devices of the config that were taken out."""
    codes: bytes = b""
    """`Codes`, sealed."""
    climates: dict[str, Climate] = {}
    """How the thermostats stand that are not new, by native id."""


def recall(storage: Path) -> Memory:
    """Read the file; without one, or with one that is damaged, the site is as its config says. Blocks."""
    try:
        return msgspec.json.decode((storage / MEMORY).read_bytes(), type=Memory)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Memory()


def remember(storage: Path, memory: Memory) -> None:
    """Write the file. Blocks. Raises `OSError`."""
    write_new(storage / MEMORY, msgspec.json.encode(memory))


class Notebook:
    """Owner of the file, for the life of a driver. Each write holds all that was true when it began."""

    def __init__(self, devices: dict[str, VirtualDevice], keypad: KeypadCapability | None) -> None:
        self.added: tuple[int, ...] = ()
        self.removed: tuple[str, ...] = ()
        self._devices = devices
        self._keypad = keypad
        self._is_read = False
        self._wanted = 0
        self._kept = 0
        self._turn = asyncio.Lock()
        self._pen = threading.Lock()
        self._written = 0

    async def read(self, port: Port) -> None:
        """Bring the site to where it was. Once in the life of a driver."""
        if self._is_read:
            return
        memory, codes = await asyncio.to_thread(self._load, port)
        self._is_read = True
        self.added, self.removed = memory.added, memory.removed
        for number in memory.added:
            device = new_lock(number - 1, self._keypad)
            self._devices.setdefault(device.native_id, device)
        for native_id in memory.removed:
            self._devices.pop(native_id, None)
        for native_id, held in codes.items():
            lock = self._devices.get(native_id)
            if lock is not None and lock.keypad is not None:
                lock.keypad.restore(held)
        for native_id, climate in memory.climates.items():
            self._restore(port, native_id, climate)

    async def keep(self, port: Port) -> None:
        """Write the site down as it is now; durable when it returns. Raises `OSError`.

        Those who wait for a write that is under way share the next one.
        """
        self._wanted += 1
        mine = self._wanted
        async with self._turn:
            if self._kept >= mine:
                return
            memory = Memory(self.added, self.removed, climates=self._climates())
            number, codes = self._wanted, self._codes()
            await asyncio.to_thread(self._write, port, number, memory, codes)
            self._kept = number

    async def write_down(self, port: Port) -> Outcome | None:
        """Write the site down as it is now; returns what went wrong."""
        try:
            await self.keep(port)
        except OSError as error:
            message = f"The device has it, but it could not be written down: {error.strerror or error}."
            return sent_unconfirmed(message, "not_kept")
        return None

    async def forget(self, port: Port, device: VirtualDevice) -> Outcome | None:
        """Keep nothing of a device that is gone; returns what went wrong."""
        has_codes = device.keypad is not None and bool(device.keypad.codes)
        is_set = device.thermostat is not None and not device.thermostat.is_new
        return await self.write_down(port) if has_codes or is_set else None

    def _restore(self, port: Port, native_id: str, climate: Climate) -> None:
        device = self._devices.get(native_id)
        if device is None or device.thermostat is None:
            return
        try:
            device.thermostat.restore(climate)
        except ThermostatError as error:
            port.log.warning("the simulated %s is as new: %s", native_id, error.message)

    def _climates(self) -> dict[str, Climate]:
        thermostats = {native_id: device.thermostat for native_id, device in self._devices.items()}
        return {native_id: one.climate for native_id, one in thermostats.items() if one and not one.is_new}

    def _codes(self) -> Codes:
        keypads = {native_id: device.keypad for native_id, device in self._devices.items()}
        return {native_id: dict(keypad.codes) for native_id, keypad in keypads.items() if keypad and keypad.codes}

    @staticmethod
    def _load(port: Port) -> tuple[Memory, Codes]:
        memory = recall(port.storage)
        if not memory.codes:
            return memory, {}
        try:
            return memory, msgspec.json.decode(port.secrets.unwrap(memory.codes), type=Codes)
        except (HubError, msgspec.MsgspecError):
            port.log.warning("the codes of the simulated locks cannot be read any more; the locks are empty")
            return memory, {}

    def _write(self, port: Port, number: int, memory: Memory, codes: Codes) -> None:
        """Write, unless what is newer is written: a caller that was cancelled leaves its thread behind."""
        sealed = port.secrets.wrap(msgspec.json.encode(codes)) if codes else b""
        with self._pen:
            if number > self._written:
                remember(port.storage, msgspec.structs.replace(memory, codes=sealed))
                self._written = number
