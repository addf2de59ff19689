"""Makers, and which of Seam's device providers stands behind a brand's `device_type`. Generic types have none."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from hubd.model.device import DeviceDescription

UNKNOWN_MAKER = "unknown"
"""Seam's `manufacturer` of a device whose maker is not known."""

PROVIDERS: Mapping[str, str] = {
    "august_lock": "august",
    "yale_lock": "yale",
    "schlage_lock": "schlage",
    "kwikset_lock": "kwikset",
    "nuki_lock": "nuki",
    "tedee_lock": "tedee",
    "ttlock_lock": "ttlock",
    "igloohome_lock": "igloohome",
    "ultraloq_lock": "ultraloq",
    "akuvox_lock": "akuvox",
    "doorking_lock": "doorking",
    "two_n_intercom": "my_2n",
    "controlbyweb_device": "controlbyweb",
    "smartthings_lock": "smartthings",
    "smartthings_thermostat": "smartthings",
    "ecobee_thermostat": "ecobee",
    "nest_thermostat": "nest",
    "honeywell_resideo_thermostat": "honeywell_resideo",
    "tado_thermostat": "tado",
    "sensi_thermostat": "sensi",
}


_BRAND = re.compile(r"_(?:lock|thermostat|intercom|device)$")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


class Maker(NamedTuple):
    """A maker by identifier, as Seam writes the brands it lists, and by the name that it gives itself."""

    manufacturer: str
    display_name: str


def maker_of(description: DeviceDescription) -> Maker | None:
    """Return who made the device, or None."""
    name = description.manufacturer
    if not name:
        return None
    if description.device_type in PROVIDERS:
        return Maker(_BRAND.sub("", description.device_type), name)
    return Maker(_NOT_WORD.sub("_", name.lower()).strip("_") or UNKNOWN_MAKER, name)


def provider_of(device_type: str) -> str | None:
    """Return the `device_provider_name`, or None."""
    return PROVIDERS.get(device_type)
