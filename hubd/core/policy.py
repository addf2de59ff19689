"""Which devices of an instance are managed without being asked for (S53)."""

import msgspec

from hubd.model.device import Device, DeviceDescription, Kind


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

    def manages(self, device: Device, *, was_managed: bool | None) -> bool:
        """Whether a device that is found is managed; `was_managed` None: it is new.

        What people decided of a known one stays, unless the config forbids it. Of parts of an access control system,
        which nobody can convert, the config alone decides.
        """
        if was_managed is None or device.description.is_access:
            return self.wants(device.description, device.device_id)
        return was_managed and not self.excludes(device.description, device.device_id)
