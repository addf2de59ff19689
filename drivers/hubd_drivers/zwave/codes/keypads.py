"""Which keypad a lock has: what it takes, and by which command class its codes are managed."""

from typing import Final

import msgspec
from msgspec.structs import replace

from hubd.model import KeypadCapability
from hubd_drivers.zwave import mapping
from hubd_drivers.zwave.codes.rules import Rules, apply, rules_for
from hubd_drivers.zwave.facts import CONFIGURATION, USER_CODE, USER_CREDENTIAL, NodeFacts, ValueId, integer
from hubd_drivers.zwave.facts import mapping as json
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import Link

_LONGEST: Final = 32


class Keypad(msgspec.Struct, frozen=True):
    """The keypad of one lock. It holds no PIN."""

    capability: KeypadCapability
    has_credentials: bool = False
    """Its codes are credentials of users (User Credential CC), and not just codes (User Code CC)."""

    def masked(self) -> "Keypad":
        """Return the same of a lock that was seen to answer with stars."""
        return replace(self, capability=replace(self.capability, tells_pins=False))

    def takes(self, slot: int) -> bool:
        """Tell whether the hub may touch a slot."""
        return 1 <= slot <= self.capability.slots and slot not in self.capability.reserved_slots


async def find_keypad(link: Link, facts: NodeFacts) -> Keypad | None:
    """Ask zwave-js, not the lock, for a lock's keypad. Raises `CommandError`."""
    if not facts.supports(USER_CODE) and not facts.supports(USER_CREDENTIAL):
        return None
    capability = mapping.keypad(await link.credential_capabilities(facts.node_id))
    if capability is None:
        return None
    users = await _users(link, facts)
    capability = replace(capability, slots=min(capability.slots, users or capability.slots))
    return Keypad(await _fitted(link, facts, capability), has_credentials=users is not None)


async def _users(link: Link, facts: NodeFacts) -> int | None:
    """Return how many users zwave-js can give credentials to (0: not known); None for a lock that just has codes.

    A lock with both command classes may support no users; zwave-js then uses User Code.
    """
    if not facts.supports(USER_CREDENTIAL):
        return None
    try:
        told = json((await link.user_capabilities(facts.node_id)).get("capabilities"))
    except CommandError:
        return None if facts.supports(USER_CODE) else 0
    if told.get("supportsUsersWithoutCredentials") is not True:
        return None
    return integer(told.get("maxUsers")) or 0


async def _fitted(link: Link, facts: NodeFacts, capability: KeypadCapability) -> KeypadCapability:
    rules = rules_for(facts)
    return capability if rules is None else apply(capability, rules, await _length(link, facts, rules))


async def _length(link: Link, facts: NodeFacts, rules: Rules) -> int | None:
    """Return the length that the lock is set to, as zwave-js knows it."""
    if rules.length_parameter is None or not facts.supports(CONFIGURATION):
        return None
    try:
        value = await link.value(facts.node_id, ValueId(CONFIGURATION, 0, rules.length_parameter))
    except CommandError:
        return None
    return integer(value, 1, _LONGEST)
