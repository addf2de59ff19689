"""Who acts at the site besides the hub: people at the doors, and operators at Space's screens. Pure."""

from collections.abc import Mapping
from typing import Final

from hubd_drivers.salto_space.sim.locks import BATTERY_VERY_LOW, DoorState, Wiring
from hubd_drivers.salto_space.sim.records import Permit, Record
from hubd_drivers.salto_space.sim.schema import DOOR, GROUP, USER, ZONE, Entity
from hubd_drivers.salto_space.sim.state import SOFTWARE_SUBJECT, Site
from hubd_drivers.salto_space.sim.trail import Operation, Subject, SubjectType

NO_KEY_STATUS: Final = "0"
UP_TO_DATE: Final = "1"


def subject(user: Record) -> Subject:
    """Return this user as the trail names it."""
    return Subject(SubjectType.CARDHOLDER, user.id, user.name, user["CurrentROMCode"])


def give_key(site: Site, user: Record, rom: str) -> None:
    """Write a key for a user. It lasts to the end of the last day that the user's own times allow (inferred)."""
    today = site.local(site.now())[:10]
    end = user["UserExpiration"] if user.is_set("UserExpiration.Enabled") else "2099-12-31T24:00:00"
    user.change(
        {
            "CurrentROMCode": rom,
            "CurrentKeyExists": "1",
            "CurrentKeyStatus": UP_TO_DATE,
            "CurrentKeyPeriod.StartDate": f"{today}T00:00:00",
            "CurrentKeyPeriod.EndDate": end,
        }
    )


def verdict(site: Site, user: Record, door_id: str) -> Operation | None:
    """Return why a door refuses a user's key now; None: it opens. Which reason comes first is inferred."""
    now, lock = site.local(site.now()), site.locks[door_id]
    if user.is_set("IsBanned"):
        return Operation.KEY_CANCELLED
    if user["UserActivation"] > now:
        return Operation.NOT_ACTIVATED
    if user.is_set("UserExpiration.Enabled") and user["UserExpiration"] <= now:
        return Operation.EXPIRED
    if lock.emergency is DoorState.EMERGENCY_CLOSE:
        return Operation.EMERGENCY
    permits = _permits(site, user.id, door_id)
    if not permits:
        return Operation.NOT_ALLOWED
    if not any(_holds(permit, now) for permit in permits):
        return Operation.OUT_OF_DATE
    if lock.is_private and not user.is_set("OverridePrivacy"):
        return Operation.PRIVACY
    return None


def _permits(site: Site, user: str, door_id: str) -> list[Permit]:
    """Return all that lets a user through this door: of its own or of an access level, by door or by zone."""
    zones = site.linked("Door_Zone", door_id)
    found = []
    for who, doors, areas in (
        ([user], "User_Door", "User_Zone"),
        (list(site.linked("User_Group", user)), "Group_Door", "Group_Zone"),
    ):
        for key in who:
            found += [permit for door, permit in site.linked(doors, key).items() if door == door_id]
            found += [permit for zone, permit in site.linked(areas, key).items() if zone in zones]
    return found


def _holds(permit: Permit, now: str) -> bool:
    return permit.start is None or permit.end is None or permit.start <= now < permit.end


class Person:
    """What anybody can do at a door. What locks see reaches the trail at once, or later if they are not online."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def opens(self, door_id: str, user_id: str, *, is_exit: bool = False) -> Operation:
        """Hold a user's key to a door; returns what the lock noted. Raises `ValueError` for a user without a key."""
        user = self._site.users[user_id]
        if not user.is_set("CurrentKeyExists"):
            raise ValueError(f"{user!r} has no key")
        refused = verdict(self._site, user, door_id)
        if refused is None:
            self._unlocks(door_id)
        done = refused or Operation.OPENED_WITH_KEY
        self._site.happens(done, door_id, subject(user), is_exit=is_exit)
        return done

    def goes_out(self, door_id: str) -> None:
        """Open from inside, by the handle."""
        self._unlocks(door_id)
        self._site.happens(Operation.OPENED_FROM_INSIDE, door_id, is_exit=True)

    def leaves_open(self, door_id: str) -> None:
        """Let a door stand open until its lock complains."""
        lock = self._site.locks[door_id]
        lock.stands_open = lock.is_left_open = True
        self._site.happens(Operation.LEFT_OPEN, door_id)

    def breaks_in(self, door_id: str) -> None:
        """Open a door that is locked."""
        lock = self._site.locks[door_id]
        lock.stands_open = lock.is_intruded = True
        self._site.happens(Operation.INTRUSION, door_id)

    def shuts(self, door_id: str) -> None:
        """Shut a door, which ends its alarms."""
        lock = self._site.locks[door_id]
        was_left_open, was_intruded = lock.is_left_open, lock.is_intruded
        lock.stands_open = lock.is_left_open = lock.is_intruded = False
        lock.unlocked_until = None
        if was_left_open:
            self._site.happens(Operation.LEFT_OPEN_ENDED, door_id)
        if was_intruded:
            self._site.happens(Operation.INTRUSION_ENDED, door_id)

    def tampers(self, door_id: str, *, ends: bool = False) -> None:
        """Open the case of a lock, or close it again."""
        self._site.locks[door_id].is_tampered = not ends
        self._site.happens(Operation.TAMPER_ENDED if ends else Operation.TAMPER, door_id)

    def wants_privacy(self, door_id: str, *, ends: bool = False) -> None:
        """Turn the thumb of a room from inside."""
        self._site.locks[door_id].is_private = not ends
        self._site.happens(Operation.PRIVACY_ENDED if ends else Operation.PRIVACY_BEGUN, door_id)

    def holds_office(self, door_id: str, user_id: str, *, ends: bool = False) -> None:
        """Put a door into office mode with a key, or end it."""
        self._site.locks[door_id].is_office = not ends
        done = Operation.OFFICE_ENDED if ends else Operation.OFFICE_BEGUN
        self._site.happens(done, door_id, subject(self._site.users[user_id]))

    def lets_battery_run_down(self, door_id: str, level: int = BATTERY_VERY_LOW) -> None:
        """0 normal (somebody changed it), 1 low, 2 very low."""
        self._site.locks[door_id].battery = level
        if level:
            self._site.happens(Operation.LOW_BATTERY, door_id)

    def _unlocks(self, door_id: str) -> None:
        place = self._site.place(door_id)
        seconds = float(place["OpenTime"] or 0) if place is not None else 0.0
        self._site.locks[door_id].unlock(self._site.now(), seconds)


class Operator:
    """Somebody at Space's screens. Ids of what is made there are 32 hexadecimal digits."""

    def __init__(self, site: Site, name: str = "admin") -> None:
        self._site = site
        self.name = name

    def add_user(self, first: str, last: str, **values: str) -> str:
        """Make a user; returns its id."""
        made = {"ExtUserID": self._site.made_id(), "FirstName": first, "LastName": last, **values}
        return self._site.add(USER, made).id

    def rename_user(self, user_id: str, first: str, last: str) -> None:
        """Change a user's names."""
        self.change(USER, user_id, {"FirstName": first, "LastName": last})

    def ban_user(self, user_id: str, *, ends: bool = False) -> None:
        """Put a user's key on the blacklist, or take it off."""
        self.change(USER, user_id, {"IsBanned": "0" if ends else "1"})

    def delete_user(self, user_id: str) -> None:
        """Take a user away."""
        self._site.remove(self._site.users[user_id])

    def give_key(self, user_id: str, rom: str) -> None:
        """Write a key at the operator's own encoder."""
        give_key(self._site, self._site.users[user_id], rom)

    def cancel_key(self, user_id: str) -> None:
        """Cancel a user's key."""
        self.change(
            USER,
            user_id,
            {
                "CurrentROMCode": "",
                "CurrentKeyExists": "0",
                "CurrentKeyStatus": NO_KEY_STATUS,
                "CurrentKeyPeriod.StartDate": None,
                "CurrentKeyPeriod.EndDate": None,
            },
        )

    def add_group(self, name: str) -> str:
        """Make a user access level; returns its id."""
        return self._site.add(GROUP, {"ExtGroupID": self._site.made_id(), "Name": name}).id

    def rename_group(self, group_id: str, name: str) -> None:
        """Change an access level's name."""
        self.change(GROUP, group_id, {"Name": name})

    def delete_group(self, group_id: str) -> None:
        """Take an access level away."""
        self._site.remove(self._site.groups[group_id])

    def join(self, user_id: str, group_id: str) -> None:
        """Give a user an access level."""
        self._site.permit("User_Group", user_id, group_id)

    def part(self, user_id: str, group_id: str) -> None:
        """Take an access level from a user."""
        self._site.forbid("User_Group", user_id, group_id)

    def add_door(self, name: str, wiring: Wiring = Wiring.OFFLINE, **values: str) -> str:
        """Make a door; returns its id."""
        made = {"ExtDoorID": self._site.made_id(), "Name": name, **values}
        return self._site.add(DOOR, made, wiring=wiring).id

    def rename_door(self, door_id: str, name: str) -> None:
        """Change the name of a door, room, suite or locker."""
        if (place := self._site.place(door_id)) is None:
            raise KeyError(door_id)
        place.change({"Name": name})

    def delete_door(self, door_id: str) -> None:
        """Take a door, room, suite or locker away."""
        if (place := self._site.place(door_id)) is None:
            raise KeyError(door_id)
        self._site.remove(place)

    def add_zone(self, name: str, *door_ids: str) -> str:
        """Make a zone of these doors; returns its id."""
        zone = self._site.add(ZONE, {"ExtZoneID": self._site.made_id(), "Name": name}).id
        for door_id in door_ids:
            self._site.permit("Door_Zone", door_id, zone)
        return zone

    def change(self, entity: Entity, key: str, values: Mapping[str, str | None]) -> None:
        """Change any elements of a record; also those that no host may set."""
        self._site.tables[entity.name][key].change(values)

    def opens_record(self, entity: Entity, key: str) -> None:
        """Have a record on the screen: until it is closed, hosts get 101 or 201."""
        self._site.tables[entity.name][key].holder = self.name

    def closes_record(self, entity: Entity, key: str) -> None:
        """Close the record on the screen."""
        self._site.tables[entity.name][key].holder = None

    def collects(self, door_id: str, *, at_most: int | None = None) -> int:
        """Walk to an offline lock and bring its events; returns how many."""
        return self._site.collect(door_id, at_most=at_most)

    def loses(self, door_id: str) -> None:
        """Let an online lock be out of reach."""
        self._reach(door_id, Operation.DOOR_LOST)
        self._site.locks[door_id].is_connected = False

    def regains(self, door_id: str) -> int:
        """Have an online lock back. It tells what it saw meanwhile; returns how many events that were."""
        self._site.locks[door_id].is_connected = True
        self._reach(door_id, Operation.DOOR_BACK)
        return self._site.collect(door_id)

    def _reach(self, door_id: str, operation: Operation) -> None:
        if self._site.locks[door_id].wiring is Wiring.OFFLINE:
            raise ValueError(f"{door_id} is an offline door")
        self._site.happens(operation, door_id, SOFTWARE_SUBJECT)
