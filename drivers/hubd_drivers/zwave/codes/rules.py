"""What a lock takes, where its maker's papers say more than the lock itself: one JSON file a maker or model.

A new model is a new file in `models/`. Of several that fit, those of the maker come before those of the product, whose
words count.
"""

from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import asdict, replace

from hubd.model import CodeRule, KeypadCapability
from hubd_drivers.zwave.facts import NodeFacts

FOLDER: Final = Path(__file__).parent / "models"

type Digits = int
type Hex = str


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A product's numbers as zwave-js's own device files write them: "0x8002"."""

    type: Hex
    id: Hex


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One file. What is left out is as the lock says."""

    source: tuple[str, ...]
    """Where each of it comes from."""
    manufacturer: Hex
    products: tuple[Product, ...] = ()
    """None: all of the maker."""
    min_length: Digits | None = None
    max_length: Digits | None = None
    lengths: tuple[Digits, ...] | None = None
    length_parameter: int | None = None
    """Configuration parameter that holds the one length that all codes have."""
    rules: tuple[CodeRule, ...] | None = None
    reserved_slots: tuple[int, ...] | None = None
    tells_pins: bool | None = None
    schedules: bool | None = None
    """False: it has schedules, and they do not do what the hub has them for."""

    def fits(self, facts: NodeFacts) -> bool:
        """Tell whether this is said of a node."""
        if facts.manufacturer_id != int(self.manufacturer, 16):
            return False
        known = {(int(one.type, 16), int(one.id, 16)) for one in self.products}
        return not known or (facts.product_type, facts.product_id) in known


def read(folder: Path = FOLDER) -> tuple[Rules, ...]:
    """Read every file, those of whole makers first. Blocks. Raises `msgspec.ValidationError`, naming the file."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Rules))
        except msgspec.ValidationError as error:
            raise msgspec.ValidationError(f"{path.name}: {error}") from error
    return tuple(sorted(found, key=lambda one: bool(one.products)))


KNOWN: Final = read()


def rules_for(facts: NodeFacts, known: tuple[Rules, ...] = KNOWN) -> Rules | None:
    """Return all that is said of a node, or None."""
    fitting = [one for one in known if one.fits(facts)]
    if not fitting:
        return None
    first, *others = fitting
    for one in others:
        first = replace(first, **{name: value for name, value in asdict(one).items() if value is not None})
    return first


def apply(capability: KeypadCapability, rules: Rules, length: Digits | None = None) -> KeypadCapability:
    """Return what a lock takes. `length`: what its `length_parameter` is set to."""
    shortest = capability.min_length if rules.min_length is None else max(rules.min_length, capability.min_length)
    longest = capability.max_length if rules.max_length is None else min(rules.max_length, capability.max_length)
    lengths = rules.lengths or ()
    if length is not None and shortest <= length <= longest:
        lengths = (length,)
    return replace(
        capability,
        min_length=shortest,
        max_length=longest,
        lengths=lengths,
        rules=rules.rules or (),
        reserved_slots=tuple(slot for slot in rules.reserved_slots or () if slot <= capability.slots),
        tells_pins=rules.tells_pins is not False,
    )
