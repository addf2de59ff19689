"""The site behind the simulated server: tables, locks, trail. Pure; every change keeps both ends of links right."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from random import Random
from typing import NamedTuple

from hubd_drivers.salto_space.sim.locks import Lock, Wiring
from hubd_drivers.salto_space.sim.records import PLAIN, Links, Permit, Record, Table
from hubd_drivers.salto_space.sim.schema import ENTITIES, PLACES, Entity, Link
from hubd_drivers.salto_space.sim.trail import SOFTWARE, Happening, Operation, Subject, SubjectType, Trail

SOFTWARE_SUBJECT = Subject(SubjectType.SOFTWARE, SOFTWARE, SOFTWARE)


class Opened(NamedTuple):
    """A door that was unlocked over SHIP."""

    door_id: str
    at: datetime


class Disaster(NamedTuple):
    """A door command that named no door."""

    request: str
    at: datetime


class Site:
    """All that Space knows. `now` gives an aware time; `zone` is that of the Windows computer."""

    def __init__(self, *, zone: tzinfo, now: Callable[[], datetime], seed: int = 0) -> None:
        self.zone = zone
        self.now = now
        self.chance = Random(seed)  # noqa: S311 - made up, and the same each time
        self.tables: dict[str, Table] = {name: Table() for name in ENTITIES}
        self._links: dict[str, Links] = {
            link.table: Links() for entity in ENTITIES.values() for link in entity.links if link.far
        }
        self.locks: dict[str, Lock] = {}
        """By `ExtDoorID`."""
        self.trail = Trail(self.chance)
        self.opened: list[Opened] = []
        self.disasters: list[Disaster] = []

    @property
    def users(self) -> Table:
        """The users, by `ExtUserID`."""
        return self.tables["User"]

    @property
    def groups(self) -> Table:
        """The user access levels, by `ExtGroupID`."""
        return self.tables["Group"]

    @property
    def doors(self) -> Table:
        """The doors proper; rooms, suites and lockers are in tables of their own."""
        return self.tables["Door"]

    @property
    def zones(self) -> Table:
        """The zones, by `ExtZoneID`."""
        return self.tables["Zone"]

    def place(self, door_id: str) -> Record | None:
        """Return the door, locker, room or suite of this id."""
        return next((found for entity in PLACES if (found := self.tables[entity.name].get(door_id))), None)

    def places(self) -> Iterator[Record]:
        """Yield everything that has an `ExtDoorID`."""
        for entity in PLACES:
            yield from self.tables[entity.name]

    def door_id(self, name: str) -> str:
        """Return the id of the first door, locker, room or suite of this name. Raises `KeyError`."""
        return _named(self.places(), name)

    def user_id(self, name: str) -> str:
        """Return the id of the first user whose first name, last name or whole name this is. Raises `KeyError`."""
        return _named(self.users, name)

    def group_id(self, name: str) -> str:
        """Return the id of the first access level of this name. Raises `KeyError`."""
        return _named(self.groups, name)

    def zone_id(self, name: str) -> str:
        """Return the id of the first zone of this name. Raises `KeyError`."""
        return _named(self.zones, name)

    def record(self, entity: str, key: str) -> Record | None:
        """Return the other end of a link: for a Door, whatever has that `ExtDoorID`."""
        return self.place(key) if entity == "Door" else self.tables[entity].get(key)

    def made_id(self) -> str:
        """Return an id as Space makes them itself: 32 digits, hexadecimal, upper case."""
        return f"{self.chance.getrandbits(128):032X}"

    def local(self, at: datetime) -> str:
        """Return a time as Space writes it."""
        return at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S")

    def add(self, entity: Entity, values: Mapping[str, str], *, wiring: Wiring = Wiring.OFFLINE) -> Record:
        """Make a record. A place comes with its lock. Raises `ValueError` when the id is taken."""
        record = Record(entity, values)
        if entity in PLACES and self.place(record.id) is not None:
            raise ValueError(f"The ExtDoorID {record.id} is taken")
        self.tables[entity.name].add(record)
        if entity in PLACES:
            self.locks[record.id] = Lock(wiring)
        return record

    def remove(self, record: Record) -> None:
        """Take a record away, with its links; what its lock had not told is lost."""
        self.tables[record.entity.name].remove(record.id)
        for link in record.entity.links:
            self.set_links(record, link, {})
        if record.entity.name in {"Door", "Zone"}:
            self._forget_end(record)
        self.locks.pop(record.id, None) if record.entity in PLACES else None

    def _forget_end(self, record: Record) -> None:
        """Cut the links that are listed only at their other end: who may use this door or zone."""
        for entity in ENTITIES.values():
            for link in entity.links:
                if link.far == record.entity.name and not link.is_reversed:
                    for near in list(self._links[link.table].of(record.id, is_reversed=True)):
                        self._links[link.table].cut(near, record.id)
                        self._touch(entity.name, near)

    def links(self, record: Record, link: Link) -> Mapping[str, Permit]:
        """Return one of a record's lists: what the link says, by the id of the other end."""
        return self._links[link.table].of(record.id, is_reversed=link.is_reversed) if link.far else {}

    def set_links(self, record: Record, link: Link, wanted: Mapping[str, Permit]) -> None:
        """Make this the whole list."""
        if not link.far:
            return
        links, old = self._links[link.table], dict(self.links(record, link))
        for far in old.keys() - wanted.keys():
            links.cut(*((far, record.id) if link.is_reversed else (record.id, far)))
            self._touch(link.far, far)
        for far, permit in wanted.items():
            if old.get(far) != permit:
                links.put(*((far, record.id) if link.is_reversed else (record.id, far)), permit)
                self._touch(link.far, far)
        record.cache.clear()

    def permit(self, table: str, near: str, far: str, permit: Permit = PLAIN) -> None:
        """Make one link, such as ``permit("User_Group", user, group)``."""
        self._links[table].put(near, far, permit)
        for entity, key in zip(table.split("_"), (near, far), strict=True):
            self._touch(entity, key)

    def forbid(self, table: str, near: str, far: str) -> None:
        """Take one link away."""
        self._links[table].cut(near, far)
        for entity, key in zip(table.split("_"), (near, far), strict=True):
            self._touch(entity, key)

    def linked(self, table: str, key: str, *, is_reversed: bool = False) -> Mapping[str, Permit]:
        """Return what is linked to this id, such as ``linked("User_Group", group, is_reversed=True)``."""
        return self._links[table].of(key, is_reversed=is_reversed)

    def happens(
        self, operation: Operation, door_id: str, subject: Subject | None = None, *, is_exit: bool = False
    ) -> None:
        """Let a lock see something. An online one tells at once, one that is not reached later."""
        place, lock = self.place(door_id), self.locks[door_id]
        name = place.name if place is not None else door_id
        who = subject if subject is not None else Subject(SubjectType.DOOR, door_id, name)
        what = Happening(self.now(), operation, door_id, name, who, is_exit)
        if lock.is_online:
            self.trail.add(what)
        else:
            lock.keep(what)

    def collect(self, door_id: str, *, at_most: int | None = None) -> int:
        """Bring in what a lock has not told yet, oldest first; returns how many events that were."""
        untold = self.locks[door_id].untold
        told, untold[:] = untold[:at_most], untold[len(untold[:at_most]) :]
        for what in told:
            self.trail.add(what)
        return len(told)

    def _touch(self, entity: str, key: str) -> None:
        if (record := self.record(entity, key)) is not None:
            record.cache.clear()


def _named(records: Iterable[Record], name: str) -> str:
    for record in records:
        if name in {record.name, record["FirstName"], record["LastName"]}:
            return record.id
    raise KeyError(name)
