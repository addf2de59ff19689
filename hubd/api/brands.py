"""Which of Seam's device providers stands behind a brand's `device_type`. Generic types have none."""

_PROVIDERS: dict[str, str] = {
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


def provider_of(device_type: str) -> str | None:
    """Return the `device_provider_name`, or None."""
    return _PROVIDERS.get(device_type)
