"""Whether Space and the hub hold the same, field by field; what Space holds is read here without the driver's help."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from hubd_drivers.salto_space.sim import Record

from tests.scenarios.client import until
from tests.scenarios.space import NOTICED, Premises

type Person = dict[str, Any]


def moment(text: str, zone: tzinfo) -> datetime:
    """Read a time as Space writes it, where a day may end at 24 o'clock."""
    day, _, clock = text.partition("T")
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    midnight = datetime.combine(date.fromisoformat(day) + timedelta(days=hours == 24), time(), zone)
    return midnight.replace(hour=hours % 24, minute=minutes, second=seconds).astimezone(UTC)


def in_space(home: Premises, user: Record) -> Person:
    """Return what Space holds of a user."""
    zone, floor = home.floor.zone, home.floor
    begins, ends = user["UserActivation"], user["UserExpiration"]
    return {
        "name": user.name or user.id,
        "phone": user["PhoneNumber"] or None,
        "is_suspended": user.is_set("IsBanned"),
        "starts_at": None if begins[:4] <= "2000" else moment(begins, zone),
        "ends_at": moment(ends, zone) if user.is_set("UserExpiration.Enabled") else None,
        "groups": {floor.groups[group].name for group in floor.linked("User_Group", user.id)},
        "card": user["CurrentROMCode"] if user.is_set("CurrentKeyExists") else None,
    }


async def on_hub(home: Premises) -> dict[str, Person]:
    """Return what the hub shows of all users, by Space's ids."""
    users = await home.users()
    members: dict[str, set[str]] = {}
    for name, group in (await home.groups()).items():
        query = {"acs_access_group_id": group["acs_access_group_id"]}
        for user in (await home.client.ok("/acs/access_groups/list_users", query))["acs_users"]:
            members.setdefault(user["acs_user_id"], set()).add(name)
    cards = {
        one["acs_user_id"]: one["card_number"]
        for one in (await home.client.ok("/acs/credentials/list", {"limit": 500}))["acs_credentials"]
        if one["is_issued"] and one["access_method"] == "card"
    }
    return {user_id: _shown(home, user_id, user, members, cards) for user_id, user in users.items()}


def _shown(
    home: Premises, user_id: str, user: Person, members: dict[str, set[str]], cards: dict[str, str | None]
) -> Person:
    frame, there = user.get("access_schedule", {}), home.floor.users.get(user_id)
    begins = frame.get("starts_at")
    if there is not None and there["UserActivation"][:4] <= "2000":
        begins = None  # Seam has no schedule without a start, so something stands there
    return {
        "name": user["full_name"],
        "phone": user.get("phone_number"),
        "is_suspended": user["is_suspended"],
        "starts_at": begins and datetime.fromisoformat(begins),
        "ends_at": frame.get("ends_at") and datetime.fromisoformat(frame["ends_at"]),
        "groups": members.get(user["acs_user_id"], set()),
        "card": cards.get(user["acs_user_id"]),
    }


async def differences(home: Premises) -> list[str]:
    """Return a line for everything that Space and hub do not agree on: users, access levels, doors."""
    theirs = {user.id: in_space(home, user) for user in home.floor.users}
    ours = await on_hub(home)
    found = [f"user {one} is only in Space" for one in theirs.keys() - ours.keys()]
    found += [f"user {one} is only on the hub" for one in ours.keys() - theirs.keys()]
    for one in theirs.keys() & ours.keys():
        found += [
            f"user {one}, {name}: {theirs[one][name]!r} in Space, {ours[one][name]!r} on the hub"
            for name in theirs[one]
            if theirs[one][name] != ours[one][name]
        ]
    levels, groups = {group.name for group in home.floor.groups}, set(await home.groups())
    found += [f"access level {one} is not on both sides" for one in levels ^ groups]
    places = {place.name for place in home.floor.places()}
    entrances = set(await home.entrances())
    return [*found, *(f"entrance {one} is not in both" for one in places ^ entrances)]


async def waiting(home: Premises) -> list[str]:
    """Return the ids of users of whom something is not in Space yet."""
    return [user_id for user_id, user in (await home.users()).items() if user["pending_mutations"]]


async def agree(home: Premises, seconds: float = NOTICED) -> None:
    """Return when Space and hub hold the same and nothing waits; fails with what they differ in."""

    async def do() -> bool:
        return not await differences(home) and not await waiting(home)

    try:
        await until(do, seconds)
    except TimeoutError:
        assert await differences(home) == []
        assert await waiting(home) == []
