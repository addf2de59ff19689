"""Under which public type a row about a device is served; parts of access control systems are none in Seam."""

from hubd.model.device import ACCESS_KINDS, Device, Kind


def told(kind: Kind, public: str) -> str | None:
    """Return the type for a device of a kind, of a type that begins with `device.`; None: it has none.

    Seam knows `added` and `removed` of doors and encoders; that they are connected or not are types of the hub's own.
    """
    if kind not in ACCESS_KINDS:
        return public
    word = public.removeprefix("device.")
    return f"acs_{kind}.{word}" if word in {"added", "removed", "connected", "disconnected"} else None


def converted(device: Device, *, is_managed: bool) -> str | None:
    """Return the type for a device that the config has managed from now on, or no more."""
    if device.description.is_access:
        return told(device.description.kind, "device.added" if is_managed else "device.removed")
    return None if is_managed else "device.converted_to_unmanaged"
