"""Sites to begin with, the same each time for the same seed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from random import Random
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from hubd_drivers.salto_space.sim.locks import Wiring
from hubd_drivers.salto_space.sim.people import give_key, subject
from hubd_drivers.salto_space.sim.records import Permit
from hubd_drivers.salto_space.sim.schema import DOOR, GROUP, LOCKER, ROOM, SUITE, USER, ZONE, Entity
from hubd_drivers.salto_space.sim.state import SOFTWARE_SUBJECT, Site
from hubd_drivers.salto_space.sim.trail import Happening, Operation

MADRID: Final = ZoneInfo("Europe/Madrid")
"""Read here, as reading a zone blocks."""

_FIRST: Final = ("Ana", "José", "Zoë", "Łukasz", "Ayşe", "Jürgen", "Mary", "Søren", "Eider", "Chloé", "Noah", "Ольга")
_LAST: Final = ("García", "Müller", "O'Neill", "Etxeberria", "Smith & Sons", "Šimek", "Nakamura", "Açar", "Dubois")
_DOORS: Final = (
    ("Main entrance", Wiring.WIRED),
    ("Staff entrance", Wiring.WIRED),
    ("Garage", Wiring.WIRED),
    ("Pool", Wiring.RADIO),
    ("Gym", Wiring.RADIO),
    ("Spa", Wiring.RADIO),
    ("Back office", Wiring.OFFLINE),
    ("Storage", Wiring.OFFLINE),
    ("Kitchen", Wiring.OFFLINE),
    ("Laundry", Wiring.OFFLINE),
    ("Café terrace", Wiring.OFFLINE),
    ("Plant room", Wiring.OFFLINE),
)
_ROOMS: Final = ("101", "102", "103", "104")
_LEVELS: Final = (
    ("Guests", ("Main entrance", "Pool", "Gym"), ("Wellness",)),
    ("Housekeeping", ("Main entrance", "Laundry", "Storage"), ("Rooms",)),
    ("Management", ("Main entrance", "Staff entrance", "Garage", "Back office"), ("Rooms", "Wellness")),
    ("Technicians", ("Staff entrance", "Plant room", "Kitchen"), ()),
)
_USERS: Final = 15


def now_utc() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


class _Counts(NamedTuple):
    """How a big site is made up."""

    online: int
    offline: int
    rooms: int
    lockers: int
    zones: int
    groups: int


def demo_site(*, zone: tzinfo = MADRID, now: Callable[[], datetime] = now_utc, seed: int = 1) -> Site:
    """Return a small hotel: 12 doors (6 online), 4 rooms, a suite of 2 more, 3 lockers, 15 users, 4 access levels."""
    site = Site(zone=zone, now=now, seed=seed)
    for name, wiring in _DOORS:
        _place(site, DOOR, name, wiring)
    for name in _ROOMS:
        _place(site, ROOM, f"Room {name}")
    suite = _place(site, SUITE, "Suite 201")
    for name in ("201-A", "201-B"):
        _place(site, ROOM, f"Room {name}", ExtParentHotelSuiteID=suite)
    for number in range(1, 4):
        _place(site, LOCKER, f"Locker {number}")
    rooms = [place.id for place in site.tables["HotelRoom"]]
    _zone(site, "Rooms", rooms)
    _zone(site, "Wellness", [site.door_id(name) for name in ("Pool", "Gym", "Spa")])
    for name, doors, zones in _LEVELS:
        level = site.add(GROUP, {"ExtGroupID": site.made_id(), "Name": name}).id
        for door in doors:
            site.permit("Group_Door", level, site.door_id(door), Permit(1))
        for area in zones:
            site.permit("Group_Zone", level, site.zone_id(area), Permit(1))
    levels = [group.id for group in site.groups]
    for number in range(_USERS):
        user = _user(site, number, key=number % 5 != 4)  # noqa: PLR2004 - every fifth has no key
        site.permit("User_Group", user, levels[number % len(levels)])
        if number % 4 == 0:
            _stay(site, user, rooms[number // 4])
    return site


def big_site(
    users: int = 5000,
    doors: int = 800,
    *,
    zone: tzinfo = MADRID,
    now: Callable[[], datetime] = now_utc,
    seed: int = 1,
) -> Site:
    """Return a site of that many users and places: an eighth online doors, a quarter rooms, a twentieth lockers."""
    site = Site(zone=zone, now=now, seed=seed)
    online, rooms, lockers = doors // 8, doors // 4, doors // 20
    counts = _Counts(online, doors - online - rooms - lockers, rooms, lockers, max(1, doors // 40), max(1, doors // 20))
    for number in range(counts.online):
        _place(site, DOOR, f"Online door {number + 1}", Wiring.RADIO if number % 2 else Wiring.WIRED)
    for kind, count, name in ((DOOR, counts.offline, "Door"), (ROOM, counts.rooms, "Room")):
        for number in range(count):
            _place(site, kind, f"{name} {number + 1}")
    for number in range(counts.lockers):
        _place(site, LOCKER, f"Locker {number + 1}")
    places = [place.id for place in site.places()]
    chance = site.chance
    zones = [
        _zone(site, f"Zone {number + 1}", chance.sample(places, min(10, len(places)))) for number in range(counts.zones)
    ]
    levels = [_level(site, number, places, zones, chance) for number in range(counts.groups)]
    for number in range(users):
        user = _user(site, number, key=number % 3 != 0)
        for level in chance.sample(levels, min(len(levels), 1 + number % 3)):
            site.permit("User_Group", user, level)
        if number % 10 == 0 and places:
            _stay(site, user, chance.choice(places))
    return site


def add_history(site: Site, events: int, *, days: float = 7.0) -> None:
    """Fill the trail with openings of the last days, evenly spaced, oldest first; a site without users gets none."""
    users, places = [user for user in site.users if user.is_set("CurrentKeyExists")], list(site.places())
    if not users or not places:
        return
    start = site.now() - timedelta(days=days)
    for number in range(events):
        place = site.chance.choice(places)
        at = start + timedelta(days=days) * number / events
        if number % 10 == 0:
            what = Happening(at, Operation.OPENED_ONLINE, place.id, place.name, SOFTWARE_SUBJECT)
        else:
            who = subject(site.chance.choice(users))
            what = Happening(at, Operation.OPENED_WITH_KEY, place.id, place.name, who)
        site.trail.add(what)


def _level(site: Site, number: int, places: list[str], zones: list[str], chance: Random) -> str:
    level = site.add(GROUP, {"ExtGroupID": site.made_id(), "Name": f"Level {number + 1}"}).id
    for door in chance.sample(places, min(20, len(places))):
        site.permit("Group_Door", level, door, Permit(1))
    site.permit("Group_Zone", level, chance.choice(zones), Permit(1))
    return level


def _place(site: Site, entity: Entity, name: str, wiring: Wiring = Wiring.OFFLINE, **values: str) -> str:
    battery = "-1" if wiring is Wiring.WIRED else str(site.chance.randint(30, 100))
    made = {"ExtDoorID": site.made_id(), "Name": name, "BatteryStatus": battery, **values}
    return site.add(entity, made, wiring=wiring).id


def _zone(site: Site, name: str, places: list[str]) -> str:
    zone = site.add(ZONE, {"ExtZoneID": site.made_id(), "Name": name}).id
    for place in places:
        site.permit("Door_Zone", place, zone)
    return zone


def _user(site: Site, number: int, *, key: bool) -> str:
    """Make a user; every third was made by a host, under an id of the host's own."""
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST) % len(_LAST)]
    made = {
        "ExtUserID": f"host-{number:05}" if number % 3 == 0 else site.made_id(),
        "FirstName": first,
        "LastName": f"{last} {number}",
        "GPF1": f"Department {number % 12}",
        "PhoneNumber": f"+346{number:08}" if number % 4 == 0 else "",
        "PINCode": f"{1000 + number % 9000}" if number % 7 == 0 else "",
        "PINEnabled": "1" if number % 7 == 0 else "0",
    }
    if number % 8 == 0:  # its day ends at midnight, which Space writes as 24 o'clock
        year = site.now().year + 1
        made |= {"UserExpiration.Enabled": "1", "UserExpiration": f"{year}-12-31T24:00:00"}
    user = site.add(USER, made)
    if key:
        give_key(site, user, f"04{number:010X}80")
    return user.id


def _stay(site: Site, user: str, place: str) -> None:
    """Give a user a room for a week."""
    today = site.now().astimezone(site.zone).date()
    start, end = (f"{day.isoformat()}T" for day in (today - timedelta(days=1), today + timedelta(days=6)))
    site.permit("User_Door", user, place, Permit(1, f"{start}14:00:00", f"{end}24:00:00"))
