"""Which doors a person may pass, as far as the system tells: rights of their own, of their groups, of zones. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from hubd.model.access import (
    AccessChange,
    AcsGroup,
    AcsUser,
    AcsZone,
    EditUser,
    Permission,
    PermitEntrance,
    RevokeAll,
    SetMembership,
)


class Reach:
    """Of one instance at one time. Native ids go in and out."""

    def __init__(self, groups: Callable[[str], AcsGroup | None], zones: Mapping[str, AcsZone]) -> None:
        self._groups = groups
        self._zones = zones

    def of_user(self, user: AcsUser, at: datetime | None = None, earliest: datetime | None = None) -> set[str]:
        """Return the entrances that a person may pass, then if a time is given; nobody passes any while suspended.

        `earliest` is what time it is at least, where that is not `at`: what begins later has not begun for sure.
        """
        if user.is_suspended:
            return set()
        found = self.of_own(user, at, earliest)
        for native_id in user.groups:
            group = self._groups(native_id)
            if group is not None:
                found |= self.of_group(group, at, earliest)
        return found

    def of_own(self, user: AcsUser, at: datetime | None = None, earliest: datetime | None = None) -> set[str]:
        """Return the entrances of a person's own rights."""
        return self._of(user.entrances, user.zones, at, earliest)

    def of_group(self, group: AcsGroup, at: datetime | None = None, earliest: datetime | None = None) -> set[str]:
        """Return the entrances that the members of a group may pass."""
        return self._of(group.entrances, group.zones, at, earliest)

    def _of(
        self,
        entrances: Iterable[Permission],
        zones: Iterable[Permission],
        at: datetime | None,
        earliest: datetime | None,
    ) -> set[str]:
        earliest = earliest or at
        found = {right.native_id for right in entrances if is_within(right.starts_at, right.ends_at, at, earliest)}
        for right in zones:
            zone = self._zones.get(right.native_id)
            if zone is not None and is_within(right.starts_at, right.ends_at, at, earliest):
                found.update(zone.entrances)
        return found


def as_wished(user: AcsUser, changes: Iterable[AccessChange]) -> AcsUser:
    """Return a person as the system will hold them once it has what is wished of them, in order."""
    for change in changes:
        match change:
            case EditUser(starts_at=starts_at, ends_at=ends_at, is_suspended=is_suspended):
                user = replace(
                    user,
                    starts_at=user.starts_at if starts_at is UNSET else starts_at,
                    ends_at=user.ends_at if ends_at is UNSET else ends_at,
                    is_suspended=user.is_suspended if is_suspended is UNSET else is_suspended,
                )
            case SetMembership(group=group, is_member=is_member):
                groups = {*user.groups} - {group} | ({group} if is_member else set())
                user = replace(user, groups=tuple(sorted(groups)))
            case PermitEntrance(entrance=entrance):
                others = (right for right in user.entrances if right.native_id != entrance)
                user = replace(user, entrances=(*others, Permission(entrance)))
            case RevokeAll():
                user = replace(user, groups=(), entrances=(), zones=())
            case _:
                pass
    return user


def is_within(
    starts_at: datetime | None, ends_at: datetime | None, at: datetime | None, earliest: datetime | None
) -> bool:
    """Whether it is the time of something that ends by `at` and has begun by `earliest`; without a time it is."""
    has_begun = starts_at is None or earliest is None or starts_at <= earliest
    return has_begun and (ends_at is None or at is None or at < ends_at)
