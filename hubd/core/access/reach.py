"""Which doors a person may pass, as far as the system tells: rights of their own, of their groups, of zones."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from hubd.model.access import AcsGroup, AcsUser, AcsZone, Permission


class Reach:
    """Of one instance at one time. Native ids go in and out."""

    def __init__(self, groups: Callable[[str], AcsGroup | None], zones: Mapping[str, AcsZone]) -> None:
        self._groups = groups
        self._zones = zones

    def of_user(self, user: AcsUser, at: datetime | None = None) -> set[str]:
        """Return the entrances that a person may pass, then if a time is given; nobody passes any while suspended."""
        if user.is_suspended:
            return set()
        found = self.of_own(user, at)
        for native_id in user.groups:
            group = self._groups(native_id)
            if group is not None:
                found |= self.of_group(group, at)
        return found

    def of_own(self, user: AcsUser, at: datetime | None = None) -> set[str]:
        """Return the entrances of a person's own rights."""
        return self._of(user.entrances, user.zones, at)

    def of_group(self, group: AcsGroup, at: datetime | None = None) -> set[str]:
        """Return the entrances that the members of a group may pass."""
        return self._of(group.entrances, group.zones, at)

    def _of(self, entrances: Iterable[Permission], zones: Iterable[Permission], at: datetime | None) -> set[str]:
        found = {right.native_id for right in entrances if _is_in_force(right, at)}
        for right in zones:
            zone = self._zones.get(right.native_id)
            if zone is not None and _is_in_force(right, at):
                found.update(zone.entrances)
        return found


def _is_in_force(right: Permission, at: datetime | None) -> bool:
    """Whether a right holds at a time; without one, whether it is there."""
    if at is None:
        return True
    return (right.starts_at is None or right.starts_at <= at) and (right.ends_at is None or at < right.ends_at)
