"""The doors of the site: read from their four lists, watched by their online status, told to the hub."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from hubd.driver import Port
from hubd.model import BatterySeen, DeviceDescription, EntranceSeen, ReachabilitySeen, Seen
from hubd_drivers.salto_space import mapping
from hubd_drivers.salto_space import messages as ship
from hubd_drivers.salto_space.audit import Place
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.condition import readings
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.faults import NOT_SERVED, Fault, FaultKind
from hubd_drivers.salto_space.fields import DoorType
from hubd_drivers.salto_space.listing import Listing
from hubd_drivers.salto_space.messages import DoorKind, OnlineStatus, SpaceDoor

ORDER: Final = (DoorKind.DOOR, DoorKind.ROOM, DoorKind.SUITE, DoorKind.LOCKER)
BATCH: Final = 200
"""Doors that are announced at a time; the hub writes them down together."""
MOST_MISSES: Final = 12
"""How often in a row an online door must be missing in the status until it counts as one that is not online."""
NEW_BATTERY: Final = 20
"""By how many percent the level of an offline door rises when its batteries were changed: its trail says only when they
are low. Inferred."""
SHARED: Final = "doors_share_id"
NO_STATUS: Final = "status_not_readable"


class Door:
    """What is known of one door."""

    __slots__ = ("battery", "is_shared", "level", "misses", "space", "status", "told")

    def __init__(self, space: SpaceDoor) -> None:
        self.space = space
        self.status: OnlineStatus | None = None
        """The last one; None for a door that is not online."""
        self.is_shared = False
        """Its id stands in more than one list, so that nobody knows what an order to it opens."""
        self.misses = 0
        self.told: DeviceDescription | None = None
        self.battery: int | None = None
        """The level that was announced in this life."""
        self.level: int | None = None
        """The last one, from earlier lives too."""

    @property
    def native_id(self) -> str:
        """Its id on the hub."""
        return mapping.door_id(self.space.id)

    @property
    def is_online(self) -> bool:
        """Whether Space is in touch with it at all, be that lost at the moment."""
        return self.status is not None

    def describe(self) -> DeviceDescription:
        """Return it for the hub."""
        is_wireless = self.status is not None and self.status.type is DoorType.WIRELESS
        return mapping.door(self.space, is_online=self.is_online, is_shared=self.is_shared, is_wireless=is_wireless)


class Roster:
    """Of one server; its memory outlives the link."""

    def __init__(self, config: SaltoSpaceConfig) -> None:
        self._listings = {kind: _listing(kind, config.page_size) for kind in ORDER}
        self._by_kind: dict[DoorKind, dict[str, SpaceDoor]] = {kind: {} for kind in ORDER}
        self._doors: dict[str, Door] = {}
        """By ext id."""
        self._statuses: dict[str, OnlineStatus] = {}
        self._encoders = config.encoders
        self._missed: dict[DoorKind, frozenset[str]] = dict.fromkeys(ORDER, frozenset())
        """What the last whole reading of a list did not find; what the next does not find either is forgotten."""
        self._turn = 0
        self._not_served: set[DoorKind] = set()
        """Lists that the server did not let be read the last time: a site without a hotel may have no rooms."""
        self._reading = asyncio.Lock()
        self._port: Port | None = None

    @property
    def pages(self) -> int:
        """How many questions one whole round takes."""
        return sum(max(1, listing.count) for listing in self._listings.values())

    def __iter__(self) -> Iterator[Door]:
        return iter(self._doors.values())

    def door(self, native_id: str) -> Door | None:
        """Return a door by its id on the hub."""
        door = self._doors.get(mapping.ext_door_id(native_id))
        return door if door is not None and door.native_id == native_id else None

    def place(self, ext_id: str) -> Place | None:
        """Return the door of an audit line; of a hub that was started again, also one that is not read yet."""
        door = self._doors.get(ext_id)
        if door is not None:
            return Place(door.native_id, door.space.name or ext_id, door.is_online)
        known = None if self._port is None else self._port.known.get(mapping.door_id(ext_id))
        if known is None or known.capabilities.entrance is None:
            return None
        return Place(known.native_id, known.name, not known.capabilities.entrance.is_standalone)

    # -- a life --------------------------------------------------------------------------------------------------------

    def connect(self, port: Port) -> None:
        """Begin a life: what was announced and told is announced and told again, as the hub asks for."""
        self._port = port
        self._begin()
        for door in self._doors.values():
            door.told, door.battery = None, None

    async def announce(self, client: SpaceClient, port: Port) -> None:
        """Read everything and announce it. Raises `LinkError`, `Fault`, `StoreError`."""
        for native_id, description in port.known.items():
            name = mapping.encoder_name(native_id)
            if description.kind == "encoder" and name not in self._encoders:
                await port.removed(native_id, "It is no longer among the encoders of the driver's table.")
        if await self._read_statuses(client, port):
            for ext_id, door in self._doors.items():
                door.status = self._believed(door, self._statuses.get(ext_id))
        await self.read_all(client, port)
        for name in self._encoders:
            await port.found(mapping.encoder(name))

    async def read_all(self, client: SpaceClient, port: Port) -> None:
        """Read the four lists from the beginning."""
        async with self._reading:
            self._begin()
            while not await self._step(client, port):
                pass

    async def step(self, client: SpaceClient, port: Port) -> bool:
        """Read the next page and announce what is new in it; returns whether all four lists are through."""
        async with self._reading:
            return await self._step(client, port)

    async def poll(self, client: SpaceClient, port: Port) -> None:
        """Ask how the online doors stand and tell what has changed: one request. Raises as `announce`."""
        before = self._statuses
        if not await self._read_statuses(client, port):
            return
        told: list[Seen] = []
        again: list[Door] = []
        for ext_id, door in self._doors.items():
            status, was_online = self._statuses.get(ext_id), door.is_online
            door.status = self._believed(door, status)
            old = before.get(ext_id)
            if door.is_online is not was_online or (status and old and status.type is not old.type):
                again.append(door)
            elif status is not None and status != old:
                told += readings(door.native_id, status)
        if told:
            await port.publish(*told)
        await self._found(port, again)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._turn = 0
        for listing in self._listings.values():
            listing.begin()

    async def _read_statuses(self, client: SpaceClient, port: Port) -> bool:
        try:
            page = await client.statuses()
        except Fault as fault:
            if fault.kind is not FaultKind.UNSUPPORTED:
                raise
            port.caution(
                NO_STATUS, "This version of Space does not tell how its online doors stand.", "Update ProAccess Space."
            )
            return False
        port.caution(NO_STATUS, None)
        self._statuses = {one.id: one for one in page.records if not one.is_offline}
        return True

    def _believed(self, door: Door, status: OnlineStatus | None) -> OnlineStatus | None:
        """Return the status to go by: a door that is missing once or twice is not taken for an offline one."""
        if status is not None or door.status is None:
            door.misses = 0
            return status
        door.misses += 1
        return door.status if door.misses < MOST_MISSES else None

    async def _step(self, client: SpaceClient, port: Port) -> bool:
        kind = ORDER[self._turn]
        listing, doors = self._listings[kind], self._by_kind[kind]
        try:
            step = await listing.step(client)
        except Fault as fault:
            if fault.kind not in NOT_SERVED or kind is DoorKind.DOOR:
                raise
            if kind not in self._not_served:
                port.log.info("Space does not serve %s: %s", listing.name, fault.sentence)
            self._not_served.add(kind)
            return await self._next_kind(port)
        self._not_served.discard(kind)
        doors.update((one.id, one) for one in step.fresh)
        met = [self._meet(one) for one in step.fresh or _those(doors, step.ids)]
        await self._found(port, met if step.fresh else [door for door in met if door.told is None])
        listing.keep(step)
        if not step.is_end:
            return False
        if listing.is_whole:
            missed = frozenset(doors.keys() - listing.seen)
            for gone in missed & self._missed[kind]:
                del doors[gone]
            self._missed[kind] = missed
        return await self._next_kind(port)

    async def _next_kind(self, port: Port) -> bool:
        self._turn += 1
        if self._turn < len(ORDER):
            return False
        await self._through(port)
        self._begin()
        return True

    async def _through(self, port: Port) -> None:
        """Take in that all four lists were read."""
        present = {ext_id for doors in self._by_kind.values() for ext_id in doors}
        for gone in self._doors.keys() - present:
            del self._doors[gone]
        before = {ext_id for ext_id, door in self._doors.items() if door.is_shared}
        await self._found(port, [self._meet(self._doors[ext_id].space) for ext_id in before])
        shared = sorted(ext_id for ext_id, door in self._doors.items() if door.is_shared)
        port.caution(
            SHARED,
            f"{len(shared)} doors share their id with another one ({shared[0]}), so the hub does not open them."
            if shared
            else None,
            "Give each door, room, suite and locker an id of its own in ProAccess Space.",
        )
        if not all(listing.is_whole for listing in self._listings.values()):
            return
        seen = {ext_id for listing in self._listings.values() for ext_id in listing.seen}
        unread = {mapping.TYPES[kind] for kind in self._not_served}
        absent = [
            native_id
            for native_id, description in port.known.items()
            if (entrance := description.capabilities.entrance) is not None
            and entrance.type not in unread
            and mapping.ext_door_id(native_id) not in seen
        ]
        await port.missing(*absent)

    def _meet(self, space: SpaceDoor) -> Door:
        """Take in a record. Of an id in several lists the first list in `ORDER` counts."""
        holders = [doors[space.id] for kind in ORDER if space.id in (doors := self._by_kind[kind])]
        door = self._doors.get(space.id)
        if door is None:
            door = self._doors[space.id] = Door(holders[0])
            door.status = self._statuses.get(space.id)
        door.space, door.is_shared = holders[0], len(holders) > 1
        return door

    async def _found(self, port: Port, doors: Sequence[Door]) -> None:
        """Announce those doors that are not announced as they are now."""
        changed = [door for door in doors if door.told != door.describe() or door.battery != door.space.battery_percent]
        for at in range(0, len(changed), BATCH):
            async with asyncio.TaskGroup() as group:
                for door in changed[at : at + BATCH]:
                    group.create_task(_announce(port, door))


async def _announce(port: Port, door: Door) -> None:
    description, level = door.describe(), door.space.battery_percent
    seen: list[Seen] = []
    if door.status is not None:
        seen += readings(door.native_id, door.status)
    else:
        seen.append(ReachabilitySeen(native_id=door.native_id, online=True))
    if level is not None:
        seen.append(BatterySeen(native_id=door.native_id, level=level / 100))
        if door.status is None and door.level is not None and level - door.level >= NEW_BATTERY:
            seen.append(EntranceSeen(native_id=door.native_id, conditions={"low_battery": False}))
        door.level = level
    await port.found(description, *seen)
    door.told, door.battery = description, level


def _those(doors: dict[str, SpaceDoor], ids: Sequence[str]) -> list[SpaceDoor]:
    """Return the doors of a page that is as it was; they need announcing only in a new life."""
    return [doors[one] for one in ids if one in doors]


def _listing(kind: DoorKind, count: int) -> Listing[SpaceDoor]:
    return Listing(partial(_request, kind, count), lambda params: ship.read_doors(params, kind))


def _request(kind: DoorKind, count: int, start: str) -> ship.Request:
    return ship.list_doors(kind, count, start)
