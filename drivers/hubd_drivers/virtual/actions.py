"""What a person can have the simulated site do: every kind of action that there is, on devices without a radio."""

import asyncio
from typing import Annotated, Literal

import msgspec

from hubd.driver import (
    Action,
    ActionError,
    ActionResult,
    Arguments,
    DriverError,
    Fact,
    Port,
    Progress,
    Question,
    write_new,
)
from hubd.model import KeypadCapability, LinkQuality, LinkSeen
from hubd_drivers.virtual.memory import Notebook
from hubd_drivers.virtual.site import VirtualDevice, new_lock

PIN = Question(text="Which PIN is printed on the lock?", pattern="[0-9]{5}", hint="5 digits")
"""The simulated lock takes any."""
BACKUP = "backup.json"

_TIMES_SLOWER = 10
_STEPS, _PINGS = 4, 3
_EXCLUDE_SECONDS = 60
_SIGNAL_DBM = -62.0


class Include(Arguments, frozen=True, kw_only=True):
    """How a lock is added."""

    seconds: Annotated[int, msgspec.Meta(title="Wait", description="Seconds to wait for the button.", ge=5, le=240)] = (
        60
    )
    security: Annotated[
        Literal["pin", "none"], msgspec.Meta(title="Security", description="Whether the lock asks for its PIN.")
    ] = "pin"


ACTIONS = (
    Action(
        name="include",
        title="Add a lock",
        description="Press the button on the new lock, then type the PIN that is printed on it.",
        arguments=Include,
        seconds=600.0,
    ),
    Action(
        name="exclude",
        title="Take a device out",
        description="Press the button on the device; it then leaves the simulated network.",
        on_device=True,
        warning="The device leaves the site; its name and settings are only of use when it is added again.",
        seconds=300.0,
    ),
    Action(
        name="ping",
        title="Ping",
        description="Ask the device whether it answers, and measure how long it takes.",
        on_device=True,
        role="viewer",
        exclusive=False,
        seconds=120.0,
    ),
    Action(
        name="backup",
        title="Back up the site",
        description="Write down which devices the simulated site has, as a file.",
        role="owner",
        seconds=60.0,
    ),
)


class Person:
    """Somebody on the simulated site, who presses buttons and needs ten times as long as a lock."""

    def __init__(
        self,
        devices: dict[str, VirtualDevice],
        notebook: Notebook,
        latency: float,
        keypad: KeypadCapability | None,
    ) -> None:
        """`keypad` is that of new locks."""
        self.port: Port | None = None
        """Set while the simulated site is connected."""
        self._devices = devices
        self._notebook = notebook
        self._latency = latency
        self._keypad = keypad

    async def act(self, action: str, arguments: Arguments, native_id: str | None, progress: Progress) -> ActionResult:
        """Do one of `ACTIONS`. Raises `ActionError`, `DriverError`."""
        if isinstance(arguments, Include):
            return await self._include(arguments, progress)
        if native_id is None:
            return await self._back_up(progress)
        device = self._devices.get(native_id)
        if device is None:
            raise ActionError("device_not_found", "The simulated site has no such device.")
        return await (self._exclude(device, progress) if action == "exclude" else self._ping(device, progress))

    async def _include(self, arguments: Include, progress: Progress) -> ActionResult:
        await self._press("the new lock", arguments.seconds, progress)
        taken = [int(name.removeprefix("lock-")) for name in self._devices if name.startswith("lock-")]
        number = max(taken, default=0) + 1
        device = new_lock(number - 1, self._keypad)
        name = device.description.name
        port = self._connected()
        port.waiting(device.native_id, name, "It asks to join; its PIN has to be typed.")
        try:
            progress.say("A lock asks to join.")
            if arguments.security == "pin":
                await progress.ask(PIN)
            port.waiting(device.native_id, name, "It is being read.")
            for step in range(_STEPS):
                progress.say("The lock is being read.", share=step / _STEPS)
                await self._sleep(self._latency)
            self._devices[device.native_id] = device
            self._notebook.added += (number,)
            await self._notebook.keep(self._connected())
            await self._connected().found(device.description, *device.readings())
        finally:
            port.waiting(device.native_id, name, None)
        facts: dict[str, Fact] = {"native_id": device.native_id, "name": name, "security": arguments.security}
        return ActionResult(message=f"{name} was added.", facts=facts)

    async def _exclude(self, device: VirtualDevice, progress: Progress) -> ActionResult:
        name, native_id = device.description.name, device.native_id
        await self._press(name, _EXCLUDE_SECONDS, progress)
        self._devices.pop(native_id, None)
        book = self._notebook
        added = tuple(number for number in book.added if new_lock(number - 1, None).native_id != native_id)
        if added == book.added:
            book.removed += (native_id,)
        book.added = added
        await book.keep(self._connected())
        await self._connected().removed(native_id, "It was taken out of the simulated network.")
        return ActionResult(message=f"{name} was taken out.")

    async def _ping(self, device: VirtualDevice, progress: Progress) -> ActionResult:
        port, name = self._connected(), device.description.name
        rows: list[dict[str, Fact]] = []
        for number in range(1, _PINGS + 1):
            progress.say(f"Asking {name}.", share=(number - 1) / _PINGS)
            started = port.clock.monotonic()
            await self._sleep(self._latency)
            if not device.online:
                remedy = "Look at its power, and at the way to it."
                raise ActionError("device_unreachable", f"{name} does not answer.", remedy)
            rows.append({"ping": number, "round_trip_ms": round((port.clock.monotonic() - started) * 1000, 1)})
        average = round(sum(float(row["round_trip_ms"] or 0) for row in rows) / _PINGS, 1)
        link = LinkQuality(port.clock.now(), signal_dbm=_SIGNAL_DBM, round_trip_ms=average, route=(), lost_ratio=0.0)
        await port.publish(LinkSeen(native_id=device.native_id, link=link))
        facts: dict[str, Fact] = {"round_trip_ms": average, "signal_dbm": _SIGNAL_DBM}
        return ActionResult(message=f"{name} answers.", facts=facts, table=tuple(rows))

    async def _back_up(self, progress: Progress) -> ActionResult:
        port = self._connected()
        progress.say("Writing down the devices.")
        content = msgspec.json.format(msgspec.json.encode([one.description for one in self._devices.values()]))
        await asyncio.to_thread(write_new, port.storage / BACKUP, content)
        facts: dict[str, Fact] = {"devices": len(self._devices), "bytes": len(content)}
        return ActionResult(message="The site was backed up.", facts=facts, file=port.storage / BACKUP)

    async def _press(self, what: str, seconds: int, progress: Progress) -> None:
        """Wait for the button to be pressed."""
        progress.say(f"Press the button on {what}.", seconds=seconds)
        needed = self._latency * _TIMES_SLOWER
        await self._sleep(min(needed, seconds))
        if needed > seconds:
            remedy = "Start it again, and press the button before its time is over."
            raise ActionError("nothing_pressed", f"No button was pressed within {seconds} s.", remedy)

    async def _sleep(self, seconds: float) -> None:
        await self._connected().clock.sleep(seconds)
        self._connected()

    def _connected(self) -> Port:
        if self.port is None:
            message = "The simulated site is disconnected."
            raise DriverError("site", "hub_disconnected", message, "Connect it again, then start anew.")
        return self.port
