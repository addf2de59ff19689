"""A device as its driver describes it, and as the hub knows it."""

from typing import Literal, get_args

import msgspec

from hubd.model.capability import Capabilities

type Kind = Literal["lock", "thermostat", "other", "entrance", "encoder"]

KINDS: tuple[str, ...] = get_args(Kind.__value__)
ACCESS_KINDS: frozenset[Kind] = frozenset({"entrance", "encoder"})
"""Parts of an access control system: Seam has these under `/acs`, not among the devices."""


class DeviceDescription(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a driver found. Announced once name, model and capabilities are known, never with placeholders."""

    native_id: str
    """Survives re-inclusion where the protocol allows (Z-Wave: home id and DSK, never a bare node id)."""
    kind: Kind
    device_type: str
    """The brand's Seam value where the brand is listed, else `<protocol>_<kind>`."""
    name: str
    """The device's own name, as its network knows it."""
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    capabilities: Capabilities = Capabilities()
    hardware_ids: tuple[str, ...] = ()
    """What this piece of hardware would be known by through any other way in, most telling first, in lower case:
    `zwave-dsk:…`, `serial:<maker>:…`, `mac:…`, `zwave-node:<home id>:<node>`. Two devices that share one are one."""

    @property
    def is_access(self) -> bool:
        """Whether it is a part of an access control system."""
        return self.kind in ACCESS_KINDS


class Device(msgspec.Struct, frozen=True, omit_defaults=True):
    """A described device with its place on this hub."""

    device_id: str
    instance: str
    """The `<id>` of the driver's `[drivers.<id>]` table."""
    description: DeviceDescription
