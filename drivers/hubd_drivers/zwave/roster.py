"""Who is on the network: which nodes are devices of the hub, and which have to wait and why."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from hubd.driver import Port
from hubd.model import BatterySeen, KeypadCapability, Seen
from hubd_drivers.zwave import mapping
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import InterviewChanged, NodeRemoved, StatusChanged
from hubd_drivers.zwave.facts import USER_CODE, USER_CREDENTIAL, NodeFacts
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.identity import Identities
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.lock import Position

_REMOVALS: Final = {
    0: "It was excluded from the Z-Wave network.",
    1: "It was excluded from the Z-Wave network by another controller.",
    2: "It was removed from the Z-Wave network as a failed node.",
    3: "It was replaced by another device in the Z-Wave network.",
    4: "It was replaced by another device in the Z-Wave network, by another controller.",
    5: "It was reset at the device and has left the Z-Wave network.",
    6: "Its inclusion failed, so it was removed from the Z-Wave network.",
}
"""By zwave-js's `RemoveNodeReason`."""


class Roster:
    """The devices of one life, each announced to the hub before anything is published about it."""

    def __init__(self, link: Link, port: Port, window: float) -> None:
        self._link = link
        self._port = port
        self._window = window
        self._identities = Identities(link.home_id)
        self._devices: dict[int, ZwaveDevice] = {}
        self._pending: dict[int, NodeFacts] = {}

    def __iter__(self) -> Iterator[ZwaveDevice]:
        return iter(tuple(self._devices.values()))

    def at(self, node_id: int) -> ZwaveDevice | None:
        """Return the device that a node is."""
        return self._devices.get(node_id)

    def named(self, native_id: str) -> ZwaveDevice | None:
        """Return a device by its identity."""
        return next((device for device in self if device.native_id == native_id), None)

    async def meet(self, facts: NodeFacts, doubts: Callable[[str, Position], bool]) -> ZwaveDevice | None:
        """Announce a node, or log why it has to wait. `doubts` tells whether a device's bolt may be elsewhere."""
        if facts.is_controller or facts.node_id == self._link.own_node_id:
            return None
        reason = mapping.why_pending(facts)
        if reason is None:
            try:
                known = facts if facts.is_ready else await self._link.with_cached_values(facts)
                device = self._identify(known, await self._keypad(known))
            except CommandError as error:
                reason = error.message
            else:
                self._pending.pop(facts.node_id, None)
                first = device.first_readings(trust_bolt=not doubts(device.native_id, device.position))
                await self._port.found(device.description, *[await self._dated(device, seen) for seen in first])
                return device
        self._pending[facts.node_id] = facts
        self._port.log.info("node %d is pending: %s", facts.node_id, reason)
        return None

    async def leave(self, event: NodeRemoved) -> ZwaveDevice | None:
        """Pass on that a node left the network; returns the device it was."""
        self._pending.pop(event.node_id, None)
        self._identities.release(event.node_id)
        device = self._devices.pop(event.node_id, None)
        if device is not None:
            reason = _REMOVALS.get(event.reason, "It was removed from the Z-Wave network.")
            await self._port.removed(device.native_id, reason)
        return device

    async def describe(self, device: ZwaveDevice) -> None:
        """Announce a device again if it now describes itself differently."""
        description = device.described()
        if description is not None:
            await self._port.found(description)

    def wait_on(self, event: StatusChanged | InterviewChanged) -> None:
        """Take in what happens to a node that has to wait."""
        facts = self._pending.get(event.node_id)
        if facts is None:
            return
        if isinstance(event, StatusChanged):
            facts = replace(facts, status=event.status)
        else:
            facts = replace(facts, stage=event.stage)
        self._pending[event.node_id] = facts
        self._port.log.debug("node %d: %s", event.node_id, mapping.why_pending(facts) or "its interview is complete")

    def _identify(self, facts: NodeFacts, keypad: KeypadCapability | None) -> ZwaveDevice:
        known = self._devices.get(facts.node_id)
        if known is not None:
            known.update(facts, keypad)
            return known
        claim = self._identities.claim(facts)
        if claim.displaced is not None:
            self._port.log.warning("node %d is a leftover: its device is now node %d", claim.displaced, facts.node_id)
            self._devices.pop(claim.displaced, None)
        device = ZwaveDevice(facts, claim.native_id, self._link.home_id, keypad, self._window)
        self._devices[facts.node_id] = device
        return device

    async def _keypad(self, facts: NodeFacts) -> KeypadCapability | None:
        if not facts.supports(USER_CODE) and not facts.supports(USER_CREDENTIAL):
            return None
        return mapping.keypad(await self._link.credential_capabilities(facts.node_id))

    async def _dated(self, device: ZwaveDevice, seen: Seen) -> Seen:
        """Give a battery level the time at which it was measured."""
        if not isinstance(seen, BatterySeen):
            return seen
        try:
            at = await self._link.measured_at(device.node_id, mapping.battery_level_id(device.facts))
            return seen if at is None else replace(seen, occurred_at=datetime.fromtimestamp(at, UTC))
        except (CommandError, ValueError, OverflowError, OSError):
            return seen
