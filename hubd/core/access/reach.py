"""Which doors a person may pass, as far as the system tells: rights of their own, of their groups, of zones."""

from collections.abc import Callable, Iterable, Mapping

from hubd.model.access import AcsGroup, AcsUser, AcsZone, Permission


class Reach:
    """Of one instance at one time. Native ids go in and out."""

    def __init__(self, groups: Callable[[str], AcsGroup | None], zones: Mapping[str, AcsZone]) -> None:
        self._groups = groups
        self._zones = zones

    def of_user(self, user: AcsUser) -> set[str]:
        """Return the entrances that a person may pass; nobody passes anything while suspended."""
        if user.is_suspended:
            return set()
        found = self._of(user.entrances, user.zones)
        for native_id in user.groups:
            group = self._groups(native_id)
            if group is not None:
                found |= self.of_group(group)
        return found

    def of_group(self, group: AcsGroup) -> set[str]:
        """Return the entrances that the members of a group may pass."""
        return self._of(group.entrances, group.zones)

    def _of(self, entrances: Iterable[Permission], zones: Iterable[Permission]) -> set[str]:
        found = {right.native_id for right in entrances}
        for right in zones:
            zone = self._zones.get(right.native_id)
            if zone is not None:
                found.update(zone.entrances)
        return found
