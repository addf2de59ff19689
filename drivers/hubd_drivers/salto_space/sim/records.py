"""The tables of the site: records with their text as on the wire, and the links between them. Pure."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from hubd_drivers.salto_space.sim.schema import Entity, Kind


class Permit(NamedTuple):
    """What a link says besides its ends; of a membership, nothing."""

    timezone_table: int = 0
    start: str | None = None
    end: str | None = None
    """Local times; both, or neither: the period is not used."""


PLAIN: Final = Permit()


class Record:
    """One user, door, ...: `values` by element name, as text; a missing one is not sent.

    `cache` keeps its serialised forms until it, or a link of it, changes.
    """

    __slots__ = ("cache", "entity", "holder", "id", "partition", "values")

    def __init__(self, entity: Entity, values: Mapping[str, str]) -> None:
        known = entity.by_name
        self.entity = entity
        self.values = {
            field.name: field.default for field in entity.fields if field.kind not in {Kind.PERIOD, Kind.LIST}
        }
        self.values |= values
        strange = [name for name in values if name not in known and name.partition(".")[0] not in known]
        if strange:
            raise ValueError(f"{entity.element} has no {', '.join(strange)}")
        self.id = self.values[entity.id]
        self.holder: str | None = None
        """The operator who has it open in Space."""
        self.partition = ""
        """Of an access level: the only partition whose users it is valid for; empty: any."""
        self.cache: dict[object, bytes] = {}

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def __repr__(self) -> str:
        return f"<{self.entity.element} {self.id}>"

    @property
    def name(self) -> str:
        """What Space calls it on its screens. Of users, inferred."""
        if self.entity.name == "User":
            return " ".join(part for part in (self["Title"], self["FirstName"], self["LastName"]) if part)
        return self["Name"]

    def is_set(self, name: str) -> bool:
        """Tell whether a flag is 1."""
        return self[name] == "1"

    def change(self, values: Mapping[str, str | None]) -> None:
        """Set elements; None takes one away."""
        for name, value in values.items():
            if value is None:
                self.values.pop(name, None)
            else:
                self.values[name] = value
        self.cache.clear()


class Table:
    """The records of one entity, by id, in order of id and in order of making."""

    def __init__(self) -> None:
        self._rows: dict[str, Record] = {}
        self._order: list[str] = []
        self._made: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._rows.values())

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __getitem__(self, key: str) -> Record:
        return self._rows[key]

    def get(self, key: str) -> Record | None:
        """Return a record, or None."""
        return self._rows.get(key)

    def add(self, record: Record) -> None:
        """Take in a new record. Raises `ValueError` when there is one of this id."""
        if record.id in self._rows:
            raise ValueError(f"There is a {record!r} already")
        self._rows[record.id] = record
        insort(self._order, record.id)
        self._made[record.id] = len(self._made)

    def remove(self, key: str) -> Record:
        """Take a record out; its place in the order of making stays known."""
        record = self._rows.pop(key)
        del self._order[bisect_left(self._order, key)]
        return record

    def after(self, start: str, *, inclusive: bool, by_id: bool) -> list[str]:
        """Return the ids from this one on, which need not exist any more; all of them for an empty one."""
        if by_id:
            place = bisect_left(self._order, start) if inclusive else bisect_right(self._order, start)
            return self._order[place if start else 0 :]
        made = sorted(self._rows, key=self._made.__getitem__)
        if not start:
            return made
        first = self._made.get(start, len(self._made)) + (not inclusive)
        return [key for key in made if self._made[key] >= first]


class Links:
    """One kind of link, seen from both ends."""

    def __init__(self) -> None:
        self._forward: defaultdict[str, dict[str, Permit]] = defaultdict(dict)
        self._backward: defaultdict[str, dict[str, Permit]] = defaultdict(dict)

    def of(self, key: str, *, is_reversed: bool = False) -> Mapping[str, Permit]:
        """Return what is linked to this id at the near end, or at the far one."""
        return (self._backward if is_reversed else self._forward).get(key, {})

    def put(self, near: str, far: str, permit: Permit = PLAIN) -> None:
        """Make a link, or change what it says."""
        self._forward[near][far] = permit
        self._backward[far][near] = permit

    def cut(self, near: str, far: str) -> None:
        """Take a link away, if there is one."""
        self._forward[near].pop(far, None)
        self._backward[far].pop(near, None)
