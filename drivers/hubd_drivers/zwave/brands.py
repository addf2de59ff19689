"""Makers' names, as zwave-js's device files have them, and the `device_type` that Seam lists for their brand.

This is the only place that knows a brand, and nothing but the label hangs on it.
"""

import re
from typing import Final

from hubd.model import Kind

_LOCKS: Final = {
    "allegion": "schlage_lock",  # Schlage's company, under which zwave-js files most of its locks
    "schlage": "schlage_lock",
    "assa abloy": "yale_lock",  # zwave-js's name of Yale's maker number; it files only Yale locks there
    "yale": "yale_lock",
    "fortune brands": "yale_lock",  # the owner of Yale in America; zwave-js files only Yale locks there
    "kwikset": "kwikset_lock",
    "august": "august_lock",
    "linear": "linear_lock",
    "lockly": "lockly_lock",
    "nuki": "nuki_lock",
    "salto": "salto_lock",
    "wyze": "wyze_lock",
    "ttlock": "ttlock_lock",
    "igloohome": "igloohome_lock",
    "tedee": "tedee_lock",
    "akiles": "akiles_lock",
    "ultraloq": "ultraloq_lock",
    "u-tec": "ultraloq_lock",
}
_THERMOSTATS: Final = {
    "honeywell": "honeywell_resideo_thermostat",
    "resideo": "honeywell_resideo_thermostat",
    "ecobee": "ecobee_thermostat",
    "tado": "tado_thermostat",
    "sensi": "sensi_thermostat",
}
_GENERIC: Final[dict[Kind, str]] = {"lock": "zwave_lock", "thermostat": "zwave_thermostat", "other": "zwave_device"}
BRANDS: Final[dict[Kind, dict[str, str]]] = {"lock": _LOCKS, "thermostat": _THERMOSTATS, "other": {}}


def device_type(kind: Kind, manufacturer: str | None) -> str:
    """Return Seam's `device_type` of a maker's device: the brand's where Seam lists it, else `zwave_<kind>`."""
    name = (manufacturer or "").casefold()
    for brand, brand_type in BRANDS[kind].items():
        if re.search(rf"\b{re.escape(brand)}\b", name):
            return brand_type
    return _GENERIC[kind]
