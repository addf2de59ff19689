"""Records to Seam's shapes. Pure but for what the hub says of health at this moment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from hubd.api import climate_project, keypad_project, shapes
from hubd.api.brands import maker_of, provider_of
from hubd.api.reachability import unreachable
from hubd.core.cautions import Caution, cautions, stale_since
from hubd.core.hub import Hub
from hubd.core.observe import battery_status
from hubd.model.capability import Capabilities
from hubd.model.command import action_type
from hubd.model.device import ACCESS_KINDS, DeviceDescription
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.model.state import BatteryReading, DeviceState
from hubd.store.records import CommandRecord, DeviceRecord

_TRUE = True


def device(hub: Hub, record: DeviceRecord) -> shapes.DeviceShape:
    """Build `device` or `unmanaged_device`."""
    description = record.device.description
    capabilities = description.capabilities
    lock, flag = capabilities.lock, UNSET
    simulated = _TRUE if capabilities.simulated else flag
    return shapes.DeviceShape(
        device_id=record.device.device_id,
        device_type=description.device_type,
        connected_account_id=hub.account_id(record.device.instance),
        workspace_id=hub.workspace_id,
        created_at=record.found_at,
        is_managed=record.is_managed,
        capabilities_supported=_supported(capabilities),
        properties=_properties(hub, record),
        errors=device_errors(hub, record),
        warnings=warnings(hub, record),
        custom_metadata=metadata(record.custom_metadata),
        display_name=record.name,
        space_ids=[],
        nickname=record.nickname or flag,
        device_manufacturer=_manufacturer(description),
        can_program_online_access_codes=_TRUE if capabilities.keypad else flag,
        can_unlock_with_code=_TRUE if capabilities.keypad else flag,
        can_remotely_lock=_TRUE if lock and lock.can_lock else flag,
        can_remotely_unlock=_TRUE if lock and lock.can_unlock else flag,
        can_simulate_connection=simulated,
        can_simulate_disconnection=simulated,
        can_simulate_hub_connection=simulated,
        can_simulate_hub_disconnection=simulated,
        can_simulate_removal=simulated,
        **climate_project.flags(capabilities),
    )


def metadata(pairs: Mapping[str, str | bool | None]) -> shapes.Metadata:
    """Return the caller's own pairs as they are sent."""
    return {key: value for key, value in pairs.items() if value is not None}


def _manufacturer(description: DeviceDescription) -> shapes.Manufacturer | UnsetType:
    maker = maker_of(description)
    return UNSET if maker is None else shapes.Manufacturer(**maker._asdict())


def _supported(capabilities: Capabilities) -> list[str]:
    found = {
        "lock": capabilities.lock,
        "access_code": capabilities.keypad,
        "thermostat": capabilities.thermostat,
        "battery": capabilities.battery,
    }
    return [name for name, ability in found.items() if ability]


def device_errors(hub: Hub, record: DeviceRecord) -> list[shapes.Problem]:
    """Say what keeps the device from being used as it should be."""
    return [*unreachable(hub, record), *keypad_project.errors(hub, record)]


def warnings(hub: Hub, record: DeviceRecord) -> list[shapes.Notice]:
    """Say what of the device needs a look."""
    return [
        *map(notice, cautions(hub, record)),
        *keypad_project.warnings(hub, record),
        *climate_project.warnings(hub, record),
    ]


def notice(caution: Caution) -> shapes.Notice:
    """Build a member of `warnings`. What Seam has no code for is a `provider_issue` with a code of the hub's own."""
    if caution.code == "flaky_connection":
        return shapes.Notice(
            warning_code="device_has_flaky_connection", message=caution.message, created_at=caution.since
        )
    is_about_others = caution.code == "duplicate_hardware"
    return shapes.Notice(
        warning_code="provider_issue",
        message=caution.message,
        created_at=caution.since,
        hub_code=caution.code,
        device_ids=list(caution.device_ids) if is_about_others else UNSET,
        code_manager_id=caution.code_manager_id if is_about_others else UNSET,
    )


def _properties(hub: Hub, record: DeviceRecord) -> shapes.Properties:
    description, state = record.device.description, record.state
    online = hub.is_reachable(record)
    members: dict[str, Any] = {}
    if online:
        members |= _live(state, is_battery_stale=stale_since(hub, record) is not None)
    keypad = description.capabilities.keypad
    members |= keypad_project.properties(hub, record)
    members |= climate_project.properties(hub, record, is_online=online)
    if description.manufacturer:
        members["manufacturer"] = description.manufacturer
    return shapes.Properties(
        name=record.name,
        appearance=shapes.Appearance(name=description.name),
        online=online,
        model=shapes.Model(
            display_name=description.model or description.device_type,
            manufacturer_display_name=description.manufacturer or "unknown",
            has_built_in_keypad=True if keypad is not None else UNSET,
            online_access_codes_supported=True if keypad is not None else UNSET,
        ),
        **members,
    )


def _live(state: DeviceState, *, is_battery_stale: bool) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if state.locked is not None:
        members["locked"] = state.locked
    if state.door_open is not None:
        members["door_open"] = state.door_open
    if state.battery is not None:
        members["battery_level"] = state.battery.level
        members["battery"] = _battery(state.battery, is_stale=is_battery_stale)
    return members


def _battery(reading: BatteryReading, *, is_stale: bool) -> shapes.Battery:
    return shapes.Battery(
        level=reading.level,
        status=battery_status(reading.level, low=reading.low),
        measured_at=reading.measured_at,
        is_stale=is_stale,
        unconfirmed_level=UNSET if reading.suspect_level is None else reading.suspect_level,
    )


def attempt(record: CommandRecord) -> shapes.ActionAttempt:
    """Build `action_attempt`. SENT_UNCONFIRMED is an error until the device's own state says that it was reached."""
    outcome, resolution = record.outcome, record.resolution
    stages = shapes.Stages(
        accepted_at=record.accepted_at,
        deadline=record.deadline,
        started_at=record.started_at,
        settled_at=record.settled_at,
        resolved_at=None if resolution is None else resolution.at,
    )
    result: dict[str, Any] | None = None
    error: shapes.AttemptError | None = None
    status: Any = "pending"
    if outcome is not None:
        is_done = outcome.kind is OutcomeKind.DONE or (resolution is not None and resolution.reached)
        status = "success" if is_done else "error"
        if is_done:
            result = _result(record)
        else:
            error = _attempt_error(outcome, None if resolution is None else resolution.message)
    return shapes.ActionAttempt(
        action_attempt_id=record.request_id,
        action_type=action_type(record.command),
        status=status,
        result=result,
        error=error,
        stages=stages,
    )


def _result(record: CommandRecord) -> dict[str, Any]:
    if action_type(record.command) in {"LOCK_DOOR", "UNLOCK_DOOR"}:
        return {"was_confirmed_by_device": True}
    return {}


def _attempt_error(outcome: Outcome, later: str | None) -> shapes.AttemptError:
    message = outcome.message if later is None else f"{outcome.message} {later}"
    detail: dict[str, Any] = {"outcome": str(outcome.kind), **outcome.detail}
    return shapes.AttemptError(type=outcome.code, message=message, detail=detail)


def account(hub: Hub, instance: str) -> shapes.Account:
    """Build `connected_account` of a configured driver instance."""
    configured, health = hub.instances[instance], hub.health[instance]
    record = hub.journal.tables.instances.get(instance)
    errors: list[shapes.Problem] = []
    if not health.is_connected:
        problem = shapes.Problem(
            error_code="account_disconnected",
            message=health.sentence(),
            created_at=health.since,
            is_connected_account_error=True,
            is_bridge_error=False,
        )
        errors.append(problem)
    kinds: list[str] = [kind for kind in ("lock", "thermostat") if kind in configured.policy.include_kinds]
    if configured.manifest.access_system is not None and ACCESS_KINDS.intersection(configured.policy.include_kinds):
        kinds.append("access_control")
    return shapes.Account(
        connected_account_id=hub.account_id(instance),
        account_type=configured.manifest.type,
        account_type_display_name=configured.manifest.title,
        display_name=(record.display_name if record else None) or instance,
        automatically_manage_new_devices=bool(kinds),
        accepted_capabilities=kinds,
        custom_metadata=metadata(record.custom_metadata) if record else {},
        errors=errors,
        warnings=[
            shapes.Notice(
                warning_code="setup_required",
                message=f"{caution.message} {caution.remedy}".rstrip(),
                created_at=caution.since,
                hub_code=caution.code,
            )
            for caution in health.cautions.values()
        ],
        time_zone=hub.site.time_zone,
    )


def providers(records: list[DeviceRecord]) -> list[shapes.Provider]:
    """Build the Seam providers of the brands present; generic devices have none in Seam's list."""
    found: dict[str, list[DeviceRecord]] = {}
    for record in records:
        provider = provider_of(record.device.description.device_type)
        if provider is not None:
            found.setdefault(provider, []).append(record)
    return [
        shapes.Provider(
            device_provider_name=name,
            display_name=name.replace("_", " ").title(),
            image_url="",
            provider_categories=["stable"],
            can_program_online_access_codes=_any(group, lambda c: c.keypad is not None),
            can_remotely_lock=_any(group, lambda c: c.lock is not None and c.lock.can_lock),
            can_remotely_unlock=_any(group, lambda c: c.lock is not None and c.lock.can_unlock),
        )
        for name, group in sorted(found.items())
    ]


def _any(records: list[DeviceRecord], test: Any) -> bool | UnsetType:
    return True if any(test(record.device.description.capabilities) for record in records) else UNSET


def when(value: datetime) -> str:
    """Return a time as in JSON bodies that are built by hand: ISO 8601 in UTC with `Z`."""
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
