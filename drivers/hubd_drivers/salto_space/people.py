"""What Space holds of people, access levels and zones, mirrored to the hub."""

from collections.abc import Iterable
from typing import Final

from hubd.driver import Port
from hubd.model import AcsGroup, AcsUser, AcsZone
from hubd_drivers.salto_space import mapping
from hubd_drivers.salto_space import messages as ship
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.faults import NOT_SERVED, Fault
from hubd_drivers.salto_space.listing import Listing
from hubd_drivers.salto_space.messages import GroupLists, SpaceGroup, SpaceUser, SpaceZone, UserLists
from hubd_drivers.salto_space.mirror import Mirror

USER_LISTS: Final = (UserLists.GROUPS, UserLists.DOORS, UserLists.ZONES)
GROUP_LISTS: Final = (GroupLists.DOORS, GroupLists.ZONES)
NO_GROUPS: Final = "access_levels_not_listed"
NO_ZONES: Final = "zones_not_listed"

type AnyMirror = Mirror[SpaceUser, AcsUser] | Mirror[SpaceGroup, AcsGroup] | Mirror[SpaceZone, AcsZone]


class People:
    """Of one server; its memory outlives the link."""

    def __init__(self, config: SaltoSpaceConfig) -> None:
        count, zone = config.page_size, config.zone
        users: Listing[SpaceUser] = Listing(
            lambda start: ship.list_users(count, start, USER_LISTS), lambda params: ship.read_users(params, zone)
        )
        groups: Listing[SpaceGroup] = Listing(
            lambda start: ship.list_groups(count, start, GROUP_LISTS), lambda params: ship.read_groups(params, zone)
        )
        zones: Listing[SpaceZone] = Listing(lambda start: ship.list_zones(count, start, doors=True), ship.read_zones)
        self.users = Mirror("user", users, mapping.user, _has_user)
        self.groups = Mirror("group", groups, mapping.group, _has_group)
        self.zones = Mirror("zone", zones, mapping.zone, _has_zone)
        self._not_served: set[str] = set()
        """Lists that the server did not let be read the last time."""
        self._learnt: set[str] = set()
        """Access levels that are known from their members alone."""

    async def step(self, mirror: AnyMirror, client: SpaceClient, port: Port) -> bool:
        """Read the next page of a list and tell what is new; returns whether the list is through.

        A list that the server does not know is through. Raises `LinkError`, `Fault`, `StoreError`.
        """
        try:
            step = await mirror.step(client, port)
        except Fault as fault:
            if fault.kind not in NOT_SERVED or mirror is self.users:
                raise
            self._not_served.add(mirror.kind)
            _tell(mirror.kind, fault, port)
            return True
        self._not_served.discard(mirror.kind)
        _tell(mirror.kind, None, port)
        if mirror is self.users and self.groups.kind in self._not_served:
            await self._learn(port, (one for one in step.fresh if isinstance(one, SpaceUser)))
        return step.is_end

    async def find_user(self, client: SpaceClient, user: str) -> tuple[SpaceUser, Element] | None:
        """Return a user with the record as it is there; None if there is none. Raises `LinkError`, `Fault`.

        Where pages begin behind the id that they are asked from, the page behind the user before is asked for first.
        """
        listing = self.users.listing
        before = listing.before(user) if listing.begins_with_start is False else None
        if before is not None:
            page = await client.users(before, 2, USER_LISTS, raw=True)
            for record, raw in zip(page.records, page.raw, strict=True):
                if record.id == user:
                    return record, raw
        return await client.find_user(user, USER_LISTS)

    async def settle(self, mirror: AnyMirror, client: SpaceClient, port: Port) -> None:
        """After a round of a list: tell what is gone from it."""
        if mirror.kind not in self._not_served:
            await mirror.settle(client, port)

    async def _learn(self, port: Port, users: Iterable[SpaceUser]) -> None:
        """Tell of access levels by what their members' records say: their ids."""
        found = {one for user in users for one in user.groups or ()} - self._learnt
        new = found - port.held("group")
        if new:
            await port.note(*(AcsGroup(one, one) for one in sorted(new)))
        self._learnt |= found


def _tell(kind: str, fault: Fault | None, port: Port) -> None:
    """Tell of a list that cannot be read, or can again; without users there is no life to tell it in."""
    match kind:
        case "group":
            code, words = NO_GROUPS, "Space does not list its user access levels: they have no names and rights here."
        case "zone":
            code, words = NO_ZONES, "Space does not list its zones: who may pass which of their doors is not known."
        case _:
            return
    if fault is None:
        port.caution(code, None)
    else:
        port.caution(code, f"{words} {fault.sentence}", fault.remedy)


async def _has_user(client: SpaceClient, user: str) -> bool:
    page = await client.users(user, 2)
    return any(one.id == user for one in page.records)


async def _has_group(client: SpaceClient, group: str) -> bool:
    page = await client.groups(group, 2)
    return any(one.id == group for one in page.records)


async def _has_zone(client: SpaceClient, zone: str) -> bool:
    page = await client.zones(zone, 2)
    return any(one.id == zone for one in page.records)
