"""Who is on the network: which nodes are devices of the hub, and which have to wait and why."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from hubd.driver import Port
from hubd.model import BatterySeen, Seen
from hubd_drivers.zwave import mapping
from hubd_drivers.zwave.codes.cached import cached_codes
from hubd_drivers.zwave.codes.keypads import Keypad, find_keypad
from hubd_drivers.zwave.device import ZwaveDevice
from hubd_drivers.zwave.events import InterviewChanged, NodeAdded, NodeRemoved, StatusChanged
from hubd_drivers.zwave.facts import NodeFacts
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
_ALMOST: Final = "It has been interviewed, and zwave-js is about to call it ready."


class Roster:
    """The devices of one life, each announced to the hub before anything is published about it."""

    def __init__(
        self, link: Link, port: Port, window: float, is_timed: Callable[[ZwaveDevice], bool] = lambda _: False
    ) -> None:
        """`is_timed` tells whether a lock that could be given time frames may be."""
        self._link = link
        self._port = port
        self._window = window
        self._is_timed = is_timed
        self._identities = Identities(link.home_id)
        self._devices: dict[int, ZwaveDevice] = {}
        self._pending: dict[int, NodeFacts] = {}
        self._leftovers: set[int] = set()

    def __iter__(self) -> Iterator[ZwaveDevice]:
        return iter(tuple(self._devices.values()))

    def at(self, node_id: int) -> ZwaveDevice | None:
        """Return the device that a node is."""
        return self._devices.get(node_id)

    def named(self, native_id: str) -> ZwaveDevice | None:
        """Return a device by its identity."""
        return next((device for device in self if device.native_id == native_id), None)

    def knows(self, node_id: int) -> bool:
        """Tell whether a node is a device, or what is left of one that was included again."""
        return node_id in self._devices or node_id in self._leftovers

    def name(self, node_id: int) -> str:
        """Return what a node is called."""
        device = self._devices.get(node_id)
        return f"Node {node_id}" if device is None else device.description.name

    def pending(self, node_id: int) -> NodeFacts | None:
        """Return what is known of a node that has to wait."""
        return self._pending.get(node_id)

    async def meet(self, facts: NodeFacts, doubts: Callable[[str, Position], bool]) -> ZwaveDevice | None:
        """Announce a node, or log why it has to wait. `doubts` tells whether a device's bolt may be elsewhere."""
        if facts.is_controller or facts.node_id == self._link.own_node_id:
            return None
        reason = mapping.why_pending(facts)
        if reason is None:
            try:
                known = facts if facts.is_ready else await self._link.with_cached_values(facts)
                device = self._identify(known, await find_keypad(self._link, known))
                self._resume(device)
            except CommandError as error:
                reason = error.message
            else:
                first = device.overslept(self._port.clock.now())
                first += device.first_readings(trust_bolt=not doubts(device.native_id, device.position))
                first += await self._codes(device)
                await self._port.found(device.description, *[await self._dated(device, seen) for seen in first])
                self._stop_waiting(facts.node_id)  # not before: it is always one or the other to those who look
                return device
        self._port.log.info("node %d waits: %s", facts.node_id, reason)
        if facts.node_id not in self._devices:
            self._wait(facts, reason)
        return None

    def expect(self, event: NodeAdded) -> None:
        """Take in that a node was included; it is met once it has been interviewed."""
        if event.node_id not in self._devices and event.node_id not in self._pending:
            facts = event.facts or NodeFacts(node_id=event.node_id)
            self._wait(facts, mapping.why_pending(facts) or _ALMOST)

    async def leave(self, event: NodeRemoved) -> ZwaveDevice | None:
        """Pass on that a node left the network; returns the device it was."""
        self._stop_waiting(event.node_id)
        self._leftovers.discard(event.node_id)
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
        reason = mapping.why_pending(facts) or _ALMOST
        self._wait(facts, reason)
        self._port.log.debug("node %d: %s", event.node_id, reason)

    def _wait(self, facts: NodeFacts, reason: str) -> None:
        self._pending[facts.node_id] = facts
        self._port.waiting(*_label(facts.node_id), reason)

    def _stop_waiting(self, node_id: int) -> None:
        if self._pending.pop(node_id, None) is not None:
            self._port.waiting(*_label(node_id), None)

    def _identify(self, facts: NodeFacts, keypad: Keypad | None) -> ZwaveDevice:
        known = self._devices.get(facts.node_id)
        if known is not None:
            known.update(facts, keypad)
            return known
        claim = self._identities.claim(facts)
        if claim.displaced is not None:
            self._port.log.warning("node %d is a leftover: its device is now node %d", claim.displaced, facts.node_id)
            self._devices.pop(claim.displaced, None)
            self._identities.release(claim.displaced)
            self._leftovers.add(claim.displaced)
        self._leftovers.discard(facts.node_id)
        device = ZwaveDevice(
            facts,
            claim.native_id,
            self._link.home_id,
            keypad,
            self._window,
            has_own_serial=self._identities.has_own_serial(facts),
        )
        self._devices[facts.node_id] = device
        return device

    def _resume(self, device: ZwaveDevice) -> None:
        """Have a lock keep the schedules that it had until its clock was looked at: the hub would take them off."""
        known, keypad = self._port.known.get(device.native_id), device.keypad
        if keypad is None or not keypad.can_schedule:
            return
        if not self._is_timed(device):
            device.keypad = replace(keypad, can_schedule=False)
            return
        before = None if known is None else known.capabilities.keypad
        device.keypad = keypad.timed(is_right=before is not None and before.has_schedules)
        device.described()

    async def _codes(self, device: ZwaveDevice) -> tuple[Seen, ...]:
        """Return the codes that zwave-js knows of; how they are told may say more of the keypad."""
        if device.keypad is None or device.bolt is None:
            return ()
        found = await cached_codes(self._link, self._port.secrets, device.node_id, device.native_id, device.keypad)
        device.keypad = found.keypad
        device.described()
        return found.seen

    async def _dated(self, device: ZwaveDevice, seen: Seen) -> Seen:
        """Give a battery level the time at which it was measured."""
        if not isinstance(seen, BatterySeen):
            return seen
        try:
            at = await self._link.measured_at(device.node_id, mapping.battery_level_id(device.facts))
            return seen if at is None else replace(seen, occurred_at=datetime.fromtimestamp(at, UTC))
        except (CommandError, ValueError, OverflowError, OSError):
            return seen


def _label(node_id: int) -> tuple[str, str]:
    """Return a waiting node's key and its name."""
    return f"node-{node_id}", f"Node {node_id}"
