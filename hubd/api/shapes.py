"""Response bodies, member for member as in Seam's OpenAPI. UNSET members are left out of the answer."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hubd.api.climate_shapes import (
    ClimatePreset,
    CurrentClimate,
    TemperatureThreshold,
    ThermostatDailyProgram,
    ThermostatSchedule,
    ThermostatWeeklyProgram,
)

type Maybe[T] = T | UnsetType
type Metadata = dict[str, str | bool]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that is sent."""


class Notice(Shape, frozen=True, kw_only=True):
    """A member of `warnings`."""

    warning_code: str
    message: str
    created_at: datetime
    hub_code: Maybe[str] = UNSET
    """A hub extension: what it is, where Seam has no code."""
    device_ids: Maybe[list[str]] = UNSET
    """A hub extension: the other devices that it is about."""
    code_manager_id: Maybe[str | None] = UNSET
    """A hub extension: of several devices that are one piece of hardware, the one that manages its codes."""
    active_access_code_count: Maybe[int] = UNSET
    max_active_access_code_count: Maybe[int] = UNSET


class Problem(Shape, frozen=True, kw_only=True):
    """A member of `errors`."""

    error_code: str
    message: str
    created_at: datetime
    is_device_error: Maybe[bool] = UNSET
    is_connected_account_error: Maybe[bool] = UNSET
    is_bridge_error: Maybe[bool] = UNSET


class Battery(Shape, frozen=True, kw_only=True):
    """`level` 0 to 1. The other members are hub extensions."""

    level: float
    status: Literal["critical", "low", "good", "full"]
    measured_at: datetime
    is_stale: bool
    """Older than three of the device's reporting intervals."""
    unconfirmed_level: Maybe[float] = UNSET
    """A later reading, too far below to be believed before a second one agrees with it."""


class Model(Shape, frozen=True, kw_only=True):
    """Make and model."""

    display_name: str
    manufacturer_display_name: str
    has_built_in_keypad: Maybe[bool] = UNSET
    online_access_codes_supported: Maybe[bool] = UNSET


class Appearance(Shape, frozen=True, kw_only=True):
    """What the device calls itself."""

    name: str


class Manufacturer(Shape, frozen=True, kw_only=True):
    """`device_manufacturer`: who made the hardware."""

    manufacturer: str
    display_name: str


class CodeConstraint(Shape, frozen=True, kw_only=True):
    """A member of `code_constraints`: what the lock's maker forbids of a PIN."""

    constraint_type: str


class Properties(Shape, frozen=True, kw_only=True):
    """`device.properties`; what is not known or does not apply is absent."""

    name: str
    online: bool
    model: Model
    appearance: Maybe[Appearance] = UNSET
    manufacturer: Maybe[str] = UNSET
    serial_number: Maybe[str] = UNSET
    battery: Maybe[Battery] = UNSET
    battery_level: Maybe[float] = UNSET
    locked: Maybe[bool] = UNSET
    door_open: Maybe[bool] = UNSET
    max_active_codes_supported: Maybe[int] = UNSET
    supported_code_lengths: Maybe[list[int]] = UNSET
    code_constraints: Maybe[list[CodeConstraint]] = UNSET
    online_access_codes_enabled: Maybe[bool] = UNSET
    supports_backup_access_code_pool: Maybe[bool] = UNSET
    backup_access_code_pool_enabled: Maybe[bool] = UNSET
    temperature_celsius: Maybe[float] = UNSET
    temperature_fahrenheit: Maybe[float] = UNSET
    relative_humidity: Maybe[float] = UNSET
    is_heating: Maybe[bool] = UNSET
    is_cooling: Maybe[bool] = UNSET
    is_fan_running: Maybe[bool] = UNSET
    fan_mode_setting: Maybe[str] = UNSET
    current_climate_setting: Maybe[CurrentClimate] = UNSET
    is_temporary_manual_override_active: Maybe[bool] = UNSET
    available_hvac_mode_settings: Maybe[list[str]] = UNSET
    available_fan_mode_settings: Maybe[list[str]] = UNSET
    available_climate_presets: Maybe[list[ClimatePreset]] = UNSET
    available_climate_preset_modes: Maybe[list[str]] = UNSET
    default_climate_setting: Maybe[ClimatePreset] = UNSET
    fallback_climate_preset_key: Maybe[str | None] = UNSET
    active_thermostat_schedule: Maybe[ThermostatSchedule | None] = UNSET
    active_thermostat_schedule_id: Maybe[str | None] = UNSET
    temperature_threshold: Maybe[TemperatureThreshold] = UNSET
    thermostat_daily_programs: Maybe[list[ThermostatDailyProgram]] = UNSET
    thermostat_weekly_program: Maybe[ThermostatWeeklyProgram | None] = UNSET
    max_thermostat_daily_program_periods_per_day: Maybe[int] = UNSET
    max_unique_climate_presets_per_thermostat_weekly_program: Maybe[int] = UNSET
    thermostat_daily_program_period_precision_minutes: Maybe[int] = UNSET
    min_heating_cooling_delta_celsius: Maybe[float] = UNSET
    min_heating_cooling_delta_fahrenheit: Maybe[float] = UNSET
    min_heating_set_point_celsius: Maybe[float] = UNSET
    min_heating_set_point_fahrenheit: Maybe[float] = UNSET
    max_heating_set_point_celsius: Maybe[float] = UNSET
    max_heating_set_point_fahrenheit: Maybe[float] = UNSET
    min_cooling_set_point_celsius: Maybe[float] = UNSET
    min_cooling_set_point_fahrenheit: Maybe[float] = UNSET
    max_cooling_set_point_celsius: Maybe[float] = UNSET
    max_cooling_set_point_fahrenheit: Maybe[float] = UNSET


class DeviceShape(Shape, frozen=True, kw_only=True):
    """`device` and `unmanaged_device`."""

    device_id: str
    device_type: str
    connected_account_id: str
    workspace_id: str
    created_at: datetime
    is_managed: bool
    capabilities_supported: list[str]
    properties: Properties
    errors: list[Problem]
    warnings: list[Notice]
    custom_metadata: Metadata
    display_name: str
    space_ids: Maybe[list[str]] = UNSET
    nickname: Maybe[str] = UNSET
    device_manufacturer: Maybe[Manufacturer] = UNSET
    can_program_online_access_codes: Maybe[bool] = UNSET
    can_unlock_with_code: Maybe[bool] = UNSET
    can_remotely_lock: Maybe[bool] = UNSET
    can_remotely_unlock: Maybe[bool] = UNSET
    can_hvac_heat: Maybe[bool] = UNSET
    can_hvac_cool: Maybe[bool] = UNSET
    can_hvac_heat_cool: Maybe[bool] = UNSET
    can_turn_off_hvac: Maybe[bool] = UNSET
    can_run_thermostat_programs: Maybe[bool] = UNSET
    can_program_thermostat_programs_as_different_each_day: Maybe[bool] = UNSET
    can_program_thermostat_programs_as_same_each_day: Maybe[bool] = UNSET
    can_program_thermostat_programs_as_weekday_weekend: Maybe[bool] = UNSET
    can_simulate_connection: Maybe[bool] = UNSET
    can_simulate_disconnection: Maybe[bool] = UNSET
    can_simulate_hub_connection: Maybe[bool] = UNSET
    can_simulate_hub_disconnection: Maybe[bool] = UNSET
    can_simulate_removal: Maybe[bool] = UNSET


class Pagination(Shape, frozen=True, kw_only=True):
    """Where the next page is."""

    has_next_page: bool
    next_page_cursor: str | None
    next_page_url: str | None


class Ok(Shape, frozen=True, kw_only=True):
    """An answer without content."""

    ok: bool = True


class DeviceAnswer(Ok, frozen=True, kw_only=True):
    """One device."""

    device: DeviceShape


class DeviceListAnswer(Ok, frozen=True, kw_only=True):
    """A page of devices."""

    devices: list[DeviceShape]
    pagination: Pagination


class LockAnswer(Ok, frozen=True, kw_only=True):
    """One lock under both of Seam's keys."""

    lock: DeviceShape
    device: DeviceShape


class LockListAnswer(Ok, frozen=True, kw_only=True):
    """All locks under both of Seam's keys."""

    locks: list[DeviceShape]
    devices: list[DeviceShape]
    pagination: Pagination


class ThermostatAnswer(Ok, frozen=True, kw_only=True):
    """One thermostat."""

    thermostat: DeviceShape


class ThermostatListAnswer(Ok, frozen=True, kw_only=True):
    """All thermostats under both of Seam's keys."""

    thermostats: list[DeviceShape]
    devices: list[DeviceShape]
    pagination: Pagination


class AttemptError(Shape, frozen=True, kw_only=True):
    """Why an attempt failed: a stable type, a sentence, and the driver's detail."""

    type: str
    message: str
    detail: Maybe[dict[str, Any]] = UNSET


class Stages(Shape, frozen=True, kw_only=True):
    """When the stages of a command were reached; a hub extension.

    A code and a setting have no deadline: they are tried on and on.
    """

    accepted_at: datetime
    deadline: datetime | None
    started_at: datetime | None = None
    settled_at: datetime | None = None
    resolved_at: datetime | None = None


class ActionAttempt(Shape, frozen=True, kw_only=True):
    """`action_attempt`."""

    action_attempt_id: str
    action_type: str
    status: Literal["pending", "success", "error"]
    result: dict[str, Any] | None
    error: AttemptError | None
    stages: Stages


class AttemptAnswer(Ok, frozen=True, kw_only=True):
    """One attempt."""

    action_attempt: ActionAttempt


class AttemptListAnswer(Ok, frozen=True, kw_only=True):
    """A page of attempts."""

    action_attempts: list[ActionAttempt]
    pagination: Pagination


class EventAnswer(Ok, frozen=True, kw_only=True):
    """One event."""

    event: dict[str, Any]


class EventListAnswer(Ok, frozen=True, kw_only=True):
    """Events, oldest first."""

    events: list[dict[str, Any]]


class Account(Shape, frozen=True, kw_only=True):
    """`connected_account`: one driver instance."""

    connected_account_id: str
    account_type: str
    account_type_display_name: str
    display_name: str
    automatically_manage_new_devices: bool
    accepted_capabilities: list[str]
    custom_metadata: Metadata
    errors: list[Problem]
    warnings: list[Notice]
    time_zone: str


class AccountAnswer(Ok, frozen=True, kw_only=True):
    """One driver instance."""

    connected_account: Account


class AccountListAnswer(Ok, frozen=True, kw_only=True):
    """All driver instances."""

    connected_accounts: list[Account]
    pagination: Pagination


class Workspace(Shape, frozen=True, kw_only=True):
    """`workspace`: the hub itself."""

    workspace_id: str
    name: str
    company_name: str
    is_sandbox: bool
    is_suspended: bool = False
    is_publishable_key_auth_enabled: bool = False
    connect_partner_name: str | None = None
    organization_id: str | None = None
    connect_webview_customization: dict[str, str] = {}


class WorkspaceAnswer(Ok, frozen=True, kw_only=True):
    """The workspace."""

    workspace: Workspace


class WorkspaceListAnswer(Ok, frozen=True, kw_only=True):
    """The one workspace."""

    workspaces: list[Workspace]


class Provider(Shape, frozen=True, kw_only=True):
    """`device_provider`."""

    device_provider_name: str
    display_name: str
    image_url: str
    provider_categories: list[str]
    can_program_online_access_codes: Maybe[bool] = UNSET
    can_remotely_lock: Maybe[bool] = UNSET
    can_remotely_unlock: Maybe[bool] = UNSET


class ProviderListAnswer(Ok, frozen=True, kw_only=True):
    """The brands on this site that Seam lists."""

    device_providers: list[Provider]


class Webhook(Shape, frozen=True, kw_only=True):
    """`webhook`; the secret is shown by `create` only."""

    webhook_id: str
    url: str
    event_types: Maybe[list[str]] = UNSET
    secret: Maybe[str] = UNSET


class WebhookAnswer(Ok, frozen=True, kw_only=True):
    """One webhook."""

    webhook: Webhook


class WebhookListAnswer(Ok, frozen=True, kw_only=True):
    """All webhooks."""

    webhooks: list[Webhook]
