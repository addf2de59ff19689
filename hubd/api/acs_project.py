"""Systems, entrances and encoders to Seam's shapes. Pure but for what the hub says of health at this moment."""

from typing import Any, Final

from msgspec import UNSET

from hubd.api.acs_shapes import (
    AcsEncoderShape,
    AcsEntranceShape,
    AcsLocation,
    AcsNotice,
    AcsProblem,
    AcsSystemShape,
    SpaceDoorShape,
)
from hubd.api.reachability import unreachable
from hubd.core.health import Caution, InstanceHealth
from hubd.core.hub import Hub
from hubd.core.observe import battery_status
from hubd.model.capability import EntranceCapability
from hubd.model.state import EntranceCondition
from hubd.store.records import DeviceRecord

SALTO_SPACE: Final = "salto_space"

STANDALONE: Final = "This door is not wired: it cannot be opened from afar, and what happens at it is known late."
_CONDITIONS: Final[dict[EntranceCondition, str]] = {
    "office_mode": "The door is in office mode: anybody may pass until that ends.",
    "privacy_mode": "The door is in privacy mode: somebody inside locked it, and most keys do not open it.",
    "left_open": "The door was left open; somebody has to close it.",
    "intrusion": "The door was opened by force; somebody has to look at it.",
    "tamper": "Somebody is at the housing of the door's lock or reader; look at it.",
    "emergency_open": "The door is held open by an emergency.",
    "emergency_close": "The door is held closed by an emergency: no key opens it.",
    "low_battery": "The battery of the door's lock is low; change it soon.",
}
_ERRORS: Final = {
    "hub_disconnected": "acs_system_disconnected",
    "device_disconnected": "acs_entrance_disconnected",
}


def kind_of(hub: Hub, instance: str) -> str:
    """Return what Seam calls the system that an instance is, such as `salto_space`."""
    return hub.instances[instance].manifest.access_system or ""


def has_space(hub: Hub, instance: str) -> bool:
    """Whether Seam's `salto_space_metadata` fits what the instance holds."""
    return kind_of(hub, instance) == SALTO_SPACE


def name_of(hub: Hub, instance: str) -> str:
    """Return what people call a system."""
    record = hub.journal.tables.instances.get(instance)
    return (record.display_name if record else None) or instance


def system(hub: Hub, instance: str) -> AcsSystemShape:
    """Build `acs_system` of a configured instance, also before it first told of itself."""
    manifest, health, known = hub.instances[instance].manifest, hub.health[instance], hub.access.system(instance)
    external = f"{kind_of(hub, instance)}_system"
    account_id = hub.account_id(instance)
    return AcsSystemShape(
        acs_system_id=hub.access.notes.system_id(instance),
        acs_user_count=sum(one.instance == instance for one in hub.access.users()),
        acs_access_group_count=sum(one.instance == instance for one in hub.access.groups()),
        connected_account_id=account_id,
        connected_account_ids=[account_id],
        created_at=health.since if known is None else known.created_at,
        default_credential_manager_acs_system_id=None,
        errors=system_errors(health),
        external_type=external,
        external_type_display_name=manifest.title,
        image_alt_text=manifest.title,
        image_url="",
        is_credential_manager=False,
        location=AcsLocation(time_zone=hub.site.time_zone),
        name=name_of(hub, instance),
        system_type=external,
        system_type_display_name=manifest.title,
        warnings=[_system_warning(caution) for caution in health.cautions.values()],
        workspace_id=hub.workspace_id,
    )


def system_errors(health: InstanceHealth) -> list[AcsProblem]:
    """Say why a system cannot be reached, and what to do; nothing while it can."""
    if health.is_connected:
        return []
    remedy = "" if health.error is None else health.error.remedy
    message = f"{health.sentence()} {remedy}".rstrip()
    return [AcsProblem(error_code="acs_system_disconnected", message=message, created_at=health.since)]


def _system_warning(caution: Caution) -> AcsNotice:
    is_zone = "time_zone" in caution.code
    return AcsNotice(
        warning_code="time_zone_does_not_match_location" if is_zone else "setup_required",
        message=f"{caution.message} {caution.remedy}".rstrip(),
        created_at=caution.since,
        hub_code=caution.code,
    )


def entrance(hub: Hub, record: DeviceRecord) -> AcsEntranceShape:
    """Build `acs_entrance`. A bolt that is not known, or not live, is not told."""
    description, instance, state = record.device.description, record.device.instance, record.state
    lock, door = description.capabilities.lock, description.capabilities.entrance or EntranceCapability()
    is_locked = state.locked if hub.is_reachable(record) else None
    return AcsEntranceShape(
        acs_entrance_id=record.device.device_id,
        acs_system_id=hub.access.notes.system_id(instance),
        connected_account_id=hub.account_id(instance),
        created_at=record.found_at,
        display_name=record.name,
        errors=[
            AcsProblem(
                error_code=_ERRORS.get(one.error_code, one.error_code), message=one.message, created_at=one.created_at
            )
            for one in unreachable(hub, record)
        ],
        warnings=entrance_warnings(record),
        space_ids=[],
        can_unlock_with_card=True,
        can_unlock_with_cloud_key=lock is not None and lock.can_unlock,
        can_unlock_with_code=False,
        can_unlock_with_mobile_key=False,
        is_locked=UNSET if is_locked is None else is_locked,
        salto_space_metadata=_space_door(record, door) if has_space(hub, instance) else UNSET,
    )


def entrance_warnings(record: DeviceRecord) -> list[AcsNotice]:
    """Say what of a door needs a look. What Seam has no code for is `entrance_setup_required` with a `hub_code`."""
    found = [
        AcsNotice(
            warning_code="privacy_mode" if condition == "privacy_mode" else "entrance_setup_required",
            message=_CONDITIONS[condition],
            created_at=mark.since,
            hub_code=UNSET if condition == "privacy_mode" else condition,
        )
        for condition, mark in record.state.conditions.items()
        if mark.is_on
    ]
    battery = record.state.battery
    is_low = battery is not None and battery_status(battery.level, low=battery.low) in {"low", "critical"}
    if battery is not None and is_low and not any(one.hub_code == "low_battery" for one in found):
        found.append(
            AcsNotice(
                warning_code="entrance_setup_required",
                message=_CONDITIONS["low_battery"],
                created_at=battery.measured_at,
                hub_code="low_battery",
            )
        )
    door = record.device.description.capabilities.entrance
    if door is not None and door.is_standalone:
        found.append(
            AcsNotice(
                warning_code="entrance_setup_required",
                message=STANDALONE,
                created_at=record.found_at,
                hub_code="standalone",
            )
        )
    return found


def _space_door(record: DeviceRecord, door: EntranceCapability) -> SpaceDoorShape:
    side = "room" if door.type in {"room", "suite"} else "door"
    own = record.device.description
    names: dict[str, Any] = {f"{side}_name": own.name, f"{side}_description": door.description}
    return SpaceDoorShape(audit_on_keys=door.audits_on_keys, door_id=own.native_id, **names)


def encoder(hub: Hub, record: DeviceRecord) -> AcsEncoderShape:
    """Build `acs_encoder`."""
    instance = record.device.instance
    problem = next(iter(unreachable(hub, record)), None)
    return AcsEncoderShape(
        acs_encoder_id=record.device.device_id,
        acs_system_id=hub.access.notes.system_id(instance),
        connected_account_id=hub.account_id(instance),
        workspace_id=hub.workspace_id,
        created_at=record.found_at,
        display_name=record.name,
        errors=[],
        online=problem is None,
        offline_reason=None if problem is None else problem.message,
    )
