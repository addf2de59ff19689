"""Which keypad a lock has: what it takes, and by which command class its codes are managed."""

from typing import Final

import msgspec
from msgspec.structs import replace

from hubd.model import KeypadCapability
from hubd_drivers.zwave import mapping
from hubd_drivers.zwave.codes.rules import Rules, apply, rules_for
from hubd_drivers.zwave.facts import (
    CONFIGURATION,
    SCHEDULE_ENTRY_LOCK,
    TIME_PARAMETERS,
    USER_CODE,
    USER_CREDENTIAL,
    NodeFacts,
    ValueId,
    integer,
)
from hubd_drivers.zwave.facts import mapping as json
from hubd_drivers.zwave.failures import CommandError
from hubd_drivers.zwave.link import Link

_LONGEST: Final = 32
_KNOWS_ZONE: Final = 2
"""From this version of Schedule Entry Lock on."""


class Keypad(msgspec.Struct, frozen=True):
    """The keypad of one lock. It holds no PIN."""

    capability: KeypadCapability
    has_credentials: bool = False
    """Its codes are credentials of users (User Credential CC), and not just codes (User Code CC)."""
    has_year_days: bool = False
    """Its codes may have schedules that say from when to when they open, whoever made those."""
    can_schedule: bool = False
    """Besides, its clock and its zone can be set and read, and nothing says that its schedules are of no use."""

    def masked(self) -> "Keypad":
        """Return the same of a lock that was seen to answer with stars."""
        return replace(self, capability=replace(self.capability, tells_pins=False))

    def timed(self, *, is_right: bool) -> "Keypad":
        """Return the same of a lock whose clock is right, or is not."""
        return replace(self, capability=replace(self.capability, has_schedules=self.can_schedule and is_right))

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
    fitted = await _fitted(link, facts, capability)
    if users is not None:
        return Keypad(fitted, has_credentials=True)
    has_year_days = await _has_year_days(link, facts)
    return Keypad(fitted, has_year_days=has_year_days, can_schedule=has_year_days and _keeps_time(facts))


async def _has_year_days(link: Link, facts: NodeFacts) -> bool:
    if not facts.supports(SCHEDULE_ENTRY_LOCK):
        return False
    try:
        return bool(integer(await link.value(facts.node_id, ValueId(SCHEDULE_ENTRY_LOCK, 0, "numYearDaySlots"))))
    except CommandError:
        return False


def _keeps_time(facts: NodeFacts) -> bool:
    """Tell whether a lock can be given time and zone. Before version 2 a lock cannot be told its zone."""
    rules = rules_for(facts)
    is_ruled_out = rules is not None and rules.schedules is False
    version = facts.command_classes.get(SCHEDULE_ENTRY_LOCK, 0)
    return version >= _KNOWS_ZONE and facts.supports(TIME_PARAMETERS) and not is_ruled_out


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
