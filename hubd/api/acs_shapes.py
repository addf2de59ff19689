"""Access control systems as in Seam's OpenAPI, member for member. UNSET members are left out of the answer."""

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET

from hubd.api.shapes import Maybe, Ok, Pagination, Shape

type Method = Literal["code", "card", "mobile_key", "cloud_key"]


class AcsNotice(Shape, frozen=True, kw_only=True):
    """A member of `warnings`."""

    warning_code: str
    message: str
    created_at: datetime
    hub_code: Maybe[str] = UNSET
    """A hub extension: what it is, where Seam has no code of its own."""


class AcsProblem(Shape, frozen=True, kw_only=True):
    """A member of `errors`."""

    error_code: str
    message: str
    created_at: datetime


class AcsMutation(Shape, frozen=True, kw_only=True, rename={"old": "from", "new": "to"}):
    """A member of `pending_mutations`: what was wished and the system does not hold yet, and why not."""

    mutation_code: str
    message: str
    created_at: datetime
    old: Maybe[dict[str, Any]] = UNSET
    new: Maybe[dict[str, Any]] = UNSET


class AccessSchedule(Shape, frozen=True, kw_only=True):
    """`access_schedule`: from when until when; an end that is null is none."""

    starts_at: datetime
    ends_at: datetime | None


class AcsLocation(Shape, frozen=True, kw_only=True):
    """Where a system is."""

    time_zone: str | None


class AcsSystemShape(Shape, frozen=True, kw_only=True):
    """`acs_system`."""

    acs_system_id: str
    acs_user_count: int
    acs_access_group_count: int
    connected_account_id: str
    connected_account_ids: list[str]
    created_at: datetime
    default_credential_manager_acs_system_id: str | None
    errors: list[AcsProblem]
    external_type: str
    external_type_display_name: str
    image_alt_text: str
    image_url: str
    is_credential_manager: bool
    location: AcsLocation
    name: str
    system_type: str
    system_type_display_name: str
    warnings: list[AcsNotice]
    workspace_id: str


class SpaceDoorShape(Shape, frozen=True, kw_only=True):
    """`acs_entrance.salto_space_metadata`; a door has the members of doors, a room or suite those of rooms."""

    audit_on_keys: bool
    door_id: str
    door_name: Maybe[str] = UNSET
    door_description: Maybe[str] = UNSET
    room_name: Maybe[str] = UNSET
    room_description: Maybe[str] = UNSET


class AcsEntranceShape(Shape, frozen=True, kw_only=True):
    """`acs_entrance`."""

    acs_entrance_id: str
    acs_system_id: str
    connected_account_id: str
    created_at: datetime
    display_name: str
    errors: list[AcsProblem]
    warnings: list[AcsNotice]
    space_ids: list[str]
    can_unlock_with_card: bool
    can_unlock_with_cloud_key: bool
    can_unlock_with_code: bool
    can_unlock_with_mobile_key: bool
    is_locked: Maybe[bool] = UNSET
    salto_space_metadata: Maybe[SpaceDoorShape] = UNSET


class SpaceUserShape(Shape, frozen=True, kw_only=True):
    """`acs_user.salto_space_metadata`."""

    audit_openings: bool
    user_id: str


class AcsUserShape(Shape, frozen=True, kw_only=True):
    """`acs_user`."""

    acs_user_id: str
    acs_system_id: str
    connected_account_id: str
    workspace_id: str
    created_at: datetime
    display_name: str
    full_name: str
    errors: list[AcsProblem]
    warnings: list[AcsNotice]
    external_type: str
    external_type_display_name: str
    is_managed: bool
    is_suspended: bool
    last_successful_sync_at: datetime | None
    pending_mutations: list[AcsMutation]
    access_schedule: Maybe[AccessSchedule] = UNSET
    email: Maybe[str] = UNSET
    email_address: Maybe[str] = UNSET
    phone_number: Maybe[str] = UNSET
    salto_space_metadata: Maybe[SpaceUserShape] = UNSET


class AcsGroupShape(Shape, frozen=True, kw_only=True):
    """`acs_access_group`."""

    acs_access_group_id: str
    acs_system_id: str
    connected_account_id: str
    workspace_id: str
    created_at: datetime
    access_group_type: str
    access_group_type_display_name: str
    display_name: str
    external_type: str
    external_type_display_name: str
    is_managed: bool
    name: str
    errors: list[AcsProblem]
    warnings: list[AcsNotice]
    pending_mutations: list[AcsMutation]


class AcsCredentialShape(Shape, frozen=True, kw_only=True):
    """`acs_credential`."""

    acs_credential_id: str
    acs_system_id: str
    connected_account_id: str
    workspace_id: str
    created_at: datetime
    access_method: Method
    display_name: str
    errors: list[AcsProblem]
    warnings: list[AcsNotice]
    is_managed: bool
    is_issued: bool
    issued_at: datetime | None
    card_number: str | None
    code: str | None
    is_latest_desired_state_synced_with_provider: bool | None
    latest_desired_state_synced_with_provider_at: datetime | None
    is_multi_phone_sync_credential: bool
    is_one_time_use: bool
    acs_user_id: Maybe[str] = UNSET
    external_type: Maybe[str] = UNSET
    external_type_display_name: Maybe[str] = UNSET
    starts_at: Maybe[datetime] = UNSET
    ends_at: Maybe[datetime] = UNSET


class AcsEncoderShape(Shape, frozen=True, kw_only=True):
    """`acs_encoder`. Seam has no error for one that does not answer, so that is told by members of the hub's own."""

    acs_encoder_id: str
    acs_system_id: str
    connected_account_id: str
    workspace_id: str
    created_at: datetime
    display_name: str
    errors: list[AcsProblem]
    online: bool
    offline_reason: str | None


class AcsSystemAnswer(Ok, frozen=True, kw_only=True):
    """One system."""

    acs_system: AcsSystemShape


class AcsSystemListAnswer(Ok, frozen=True, kw_only=True):
    """Systems."""

    acs_systems: list[AcsSystemShape]


class AcsEntranceAnswer(Ok, frozen=True, kw_only=True):
    """One entrance."""

    acs_entrance: AcsEntranceShape


class AcsEntrancePageAnswer(Ok, frozen=True, kw_only=True):
    """A page of entrances."""

    acs_entrances: list[AcsEntranceShape]
    pagination: Pagination


class AcsEntranceListAnswer(Ok, frozen=True, kw_only=True):
    """Entrances."""

    acs_entrances: list[AcsEntranceShape]


class AcsUserAnswer(Ok, frozen=True, kw_only=True):
    """One user."""

    acs_user: AcsUserShape


class AcsUserPageAnswer(Ok, frozen=True, kw_only=True):
    """A page of users."""

    acs_users: list[AcsUserShape]
    pagination: Pagination


class AcsUserListAnswer(Ok, frozen=True, kw_only=True):
    """Users."""

    acs_users: list[AcsUserShape]


class AcsGroupAnswer(Ok, frozen=True, kw_only=True):
    """One access group."""

    acs_access_group: AcsGroupShape


class AcsGroupListAnswer(Ok, frozen=True, kw_only=True):
    """Access groups."""

    acs_access_groups: list[AcsGroupShape]


class AcsCredentialAnswer(Ok, frozen=True, kw_only=True):
    """One credential."""

    acs_credential: AcsCredentialShape


class AcsCredentialPageAnswer(Ok, frozen=True, kw_only=True):
    """A page of credentials."""

    acs_credentials: list[AcsCredentialShape]
    pagination: Pagination


class AcsCredentialListAnswer(Ok, frozen=True, kw_only=True):
    """Credentials."""

    acs_credentials: list[AcsCredentialShape]


class AcsEncoderAnswer(Ok, frozen=True, kw_only=True):
    """One encoder."""

    acs_encoder: AcsEncoderShape


class AcsEncoderPageAnswer(Ok, frozen=True, kw_only=True):
    """A page of encoders."""

    acs_encoders: list[AcsEncoderShape]
    pagination: Pagination
