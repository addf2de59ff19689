"""Which devices of an instance are managed without being asked for (S53)."""

import msgspec

from hubd.model.device import DeviceDescription, Kind


class Policy(msgspec.Struct, frozen=True):
    """The filters of one `[drivers.<id>]` table. Ids are device ids or native ids."""

    include_kinds: tuple[Kind, ...]
    exclude_kinds: tuple[Kind, ...] = ()
    include_ids: tuple[str, ...] = ()
    exclude_ids: tuple[str, ...] = ()

    def excludes(self, description: DeviceDescription, device_id: str) -> bool:
        """Whether the site forbids managing this device."""
        named = {description.native_id, device_id}
        return bool(named & set(self.exclude_ids)) or description.kind in self.exclude_kinds

    def wants(self, description: DeviceDescription, device_id: str) -> bool:
        """Whether a new device is managed from the start. A device named in `include_ids` needs no kind."""
        if self.excludes(description, device_id):
            return False
        named = {description.native_id, device_id}
        return bool(named & set(self.include_ids)) or description.kind in self.include_kinds
