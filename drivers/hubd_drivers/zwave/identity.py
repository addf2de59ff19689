"""Which device a node is. Node numbers are dealt anew at each inclusion, so a device is known by what it carries.

In order of trust, always within its network (home id):

1. the DSK, the public key of an S2 device, without its first group, which is the PIN of the inclusion;
2. the serial number, with maker and product; one that two nodes share belongs to the node that claimed it first;
3. the node number, with maker and product: this one does not survive re-inclusion.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from hubd_drivers.zwave.facts import MANUFACTURER, STATUS_DEAD, NodeFacts, ValueId, text

_DSK: Final = re.compile(r"[0-9]{5}(-[0-9]{5}){7}")
_SERIAL_ID: Final = ValueId(MANUFACTURER, 0, "deviceId", "SerialNumber")
_SHORTEST_SERIAL: Final = 4


class Claim(NamedTuple):
    """A device's identity; `displaced` is the node that had it before, a leftover of an earlier inclusion."""

    native_id: str
    displaced: int | None = None


def home(home_id: int) -> str:
    """Return a network's id as it is written everywhere: eight hexadecimal digits."""
    return f"{home_id & 0xFFFFFFFF:08x}"


def fingerprint(facts: NodeFacts) -> str:
    """Return maker, product type and product, or the device class where the maker is not known."""
    ids = (facts.manufacturer_id, facts.product_type, facts.product_id)
    if facts.manufacturer_id is not None:
        return ".".join(f"{part or 0:04x}" for part in ids)
    return f"class.{facts.generic_class or 0:02x}.{facts.specific_class or 0:02x}"


def dsk(facts: NodeFacts) -> str | None:
    """Return the DSK without its first group, unless it is all zeros."""
    key = facts.dsk
    if key is None or not _DSK.fullmatch(key) or not key.strip("0-"):
        return None
    return key.partition("-")[2]


def serial(facts: NodeFacts) -> str | None:
    """Return the serial number in letters, digits and hyphens; None for one that says nothing (`0000`)."""
    raw = text(facts.get(_SERIAL_ID))
    if raw is None:
        return None
    cleaned = re.sub(r"[^0-9a-z]+", "-", raw.removeprefix("0x").lower()).strip("-")
    return cleaned if len(cleaned) >= _SHORTEST_SERIAL and len(set(cleaned)) > 1 else None


def hardware_ids(facts: NodeFacts, home_id: int, *, has_own_serial: bool = True) -> tuple[str, ...]:
    """Return what the device would be known by through any other way in, most telling first.

    `has_own_serial` False: its serial number is also another device's, so it tells nothing.
    """
    found = []
    if (key := dsk(facts)) is not None:
        found.append(f"zwave-dsk:{key}")
    maker = re.sub(r"[^0-9a-z]+", "-", (facts.manufacturer or "").lower()).strip("-")
    if maker and has_own_serial and (number := serial(facts)) is not None:
        found.append(f"serial:{maker}:{number}")
    return (*found, f"zwave-node:{home(home_id)}:{facts.node_id}")


def is_of_home(native_id: str, home_id: int) -> bool:
    """Tell whether an identity was given on this network."""
    return native_id.startswith(f"{home(home_id)}-")


def could_be(facts: NodeFacts, native_id: str, home_id: int) -> bool:
    """Tell whether a node that is not known yet may turn out to have this identity."""
    if not is_of_home(native_id, home_id):
        return False
    kind, _, rest = native_id.partition("-")[2].partition("-")
    if kind == "dsk":
        return (key := dsk(facts)) is None or key == rest
    if kind == "sn":
        is_other_product = facts.manufacturer_id is not None and not rest.startswith(f"{fingerprint(facts)}-")
        number = serial(facts)
        return not is_other_product and (number is None or rest.endswith(f"-{number}"))
    return rest.partition("-")[0] == str(facts.node_id)


def in_order_of_claim(nodes: Iterable[NodeFacts]) -> list[NodeFacts]:
    """Sort nodes so that of two with one identity the living, or else the later included, has the last word."""
    return sorted(nodes, key=lambda facts: (facts.status != STATUS_DEAD, facts.node_id))


class Identities:
    """Who is who on one network, for one life of the link."""

    def __init__(self, home_id: int) -> None:
        self._home = home(home_id)
        self._owner: dict[str, int] = {}
        self._serials: dict[str, int] = {}

    def claim(self, facts: NodeFacts) -> Claim:
        """Give a node its identity. A later node with the same DSK is the same device, included again."""
        if (key := dsk(facts)) is not None:
            native_id = f"{self._home}-dsk-{key}"
            before = self._owner.get(native_id)
            self._owner[native_id] = facts.node_id
            return Claim(native_id, None if before == facts.node_id else before)
        if (number := serial(facts)) is not None:
            native_id = f"{self._home}-sn-{fingerprint(facts)}-{number}"
            if self._owner.setdefault(native_id, facts.node_id) == facts.node_id:
                return Claim(native_id)
        native_id = f"{self._home}-node-{facts.node_id}-{fingerprint(facts)}"
        self._owner[native_id] = facts.node_id
        return Claim(native_id)

    def has_own_serial(self, facts: NodeFacts) -> bool:
        """Tell whether a node's serial number is its own: not met before on another node of that product."""
        number = serial(facts)
        if number is None:
            return False
        return self._serials.setdefault(f"{fingerprint(facts)}-{number}", facts.node_id) == facts.node_id

    def release(self, node_id: int) -> None:
        """Forget a node that left the network, or whose device is another node now."""
        self._serials = {number: owner for number, owner in self._serials.items() if owner != node_id}
        self._owner = {native_id: owner for native_id, owner in self._owner.items() if owner != node_id}
