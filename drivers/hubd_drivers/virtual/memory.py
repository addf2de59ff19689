"""What the simulated site keeps over a restart: which devices it has, and the codes of its locks, as real locks do."""

import asyncio
import threading
from pathlib import Path

import msgspec

from hubd.driver import Port, write_new
from hubd.model import HubError, KeypadCapability
from hubd_drivers.virtual.keypad import StoredCode
from hubd_drivers.virtual.site import VirtualDevice, new_lock

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

    async def keep(self, port: Port) -> None:
        """Write the site down as it is now; durable when it returns. Raises `OSError`.

        Those who wait for a write that is under way share the next one.
        """
        self._wanted += 1
        mine = self._wanted
        async with self._turn:
            if self._kept >= mine:
                return
            number, memory, codes = self._wanted, Memory(self.added, self.removed), self._codes()
            await asyncio.to_thread(self._write, port, number, memory, codes)
            self._kept = number

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
