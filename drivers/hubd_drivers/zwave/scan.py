"""Complete scans of the network: which of the devices that the hub knows are not in it any more.

A node that was removed while nobody listened is told by its absence from the server's list, and by nothing else. So
the list is only believed when nothing speaks against it.
"""

from typing import Final

from hubd.driver import Port
from hubd_drivers.zwave.bolts import Memory
from hubd_drivers.zwave.controller import ControllerWatch
from hubd_drivers.zwave.facts import LAST_NODE, integer
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.identity import could_be, home, is_of_home
from hubd_drivers.zwave.link import Link
from hubd_drivers.zwave.roster import Roster

KNOWN_NODES: Final = "controller.get_known_lifeline_routes"
"""Answered for every node that zwave-js has, out of its memory: the shortest complete list there is."""
_DIGITS: Final = len(str(LAST_NODE))


class Scan:
    """Asks the server for its nodes and compares them with what the hub knows."""

    def __init__(
        self, link: Link, port: Port, roster: Roster, controller: ControllerWatch, memory: Memory, seconds: float
    ) -> None:
        self._link = link
        self._port = port
        self._roster = roster
        self._controller = controller
        self._memory = memory
        self._seconds = seconds

    async def run(self) -> None:
        """Scan now, and then for ever."""
        while True:
            await self.once()
            await self._port.clock.sleep(self._seconds)

    async def once(self) -> None:
        """Scan; whatever may have been missed makes it none."""
        if self._controller.loss is not None or not await self._controller.check():
            return
        try:
            answer = await self._link.command(KNOWN_NODES)
        except CommandError as error:
            self._port.log.warning("zwave-js does not list its nodes: %s", error.message)
            return
        found = listed(answer.get("routes"))
        if found is None:
            self._port.log.warning("zwave-js lists its nodes in a way that hubd does not understand")
            return
        absent = self._absent(found)
        if not absent or self._is_sure(found, absent):
            await self._port.missing(*absent)

    def _absent(self, listed: set[int]) -> list[str]:
        """Return the known devices of this network that no listed node is."""
        present = {device.native_id for device in self._roster if device.node_id in listed}
        here = [native_id for native_id in self._port.known if is_of_home(native_id, self._link.home_id)]
        self._tell_of_others(len(self._port.known) - len(here))
        return sorted(native_id for native_id in here if native_id not in present)

    def _is_sure(self, listed: set[int], absent: list[str]) -> bool:
        """Tell whether none of the nodes that are not known yet can be one of the absent devices."""
        unknown = [one for one in listed if not self._roster.knows(one) and one != self._link.own_node_id]
        for node_id in unknown:
            facts = self._roster.pending(node_id)
            if facts is None or any(could_be(facts, native_id, self._link.home_id) for native_id in absent):
                self._port.log.debug("the scan proves nothing: node %d may be a device that is missed", node_id)
                return False
        return True

    def _tell_of_others(self, count: int) -> None:
        """Say once that devices of another network are known: their stick was swapped, or this one was reset."""
        if count and not self._memory.has_told_of_others:
            self._memory.has_told_of_others = True
            self._port.log.warning(
                "%d known devices belong to another network than %s; they stay until their stick is back",
                count,
                home(self._link.home_id),
            )


def listed(routes: object) -> set[int] | None:
    """Return the node numbers, of which JSON has made texts; None for anything else."""
    if not isinstance(routes, dict):
        return None
    known = {
        integer(int(raw), 1, LAST_NODE) for raw in routes if raw.isascii() and raw.isdigit() and len(raw) <= _DIGITS
    }
    numbers = {one for one in known if one is not None}
    return numbers if len(numbers) == len(routes) else None
