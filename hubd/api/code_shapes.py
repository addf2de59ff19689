"""Access codes as they are sent, member for member as in Seam's OpenAPI. UNSET members are left out of the answer."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET

from hubd.api.shapes import ActionAttempt, Maybe, Ok, Pagination, Shape

type CodeType = Literal["time_bound", "ongoing"]
type CodeStatus = Literal["setting", "set", "unset", "removing", "unknown"]
type MutationCode = Literal["creating", "deferring_creation", "updating_code", "updating_time_frame", "deleting"]


class ModifiedField(Shape, frozen=True, kw_only=True):
    """What somebody else changed; of a PIN neither value is told."""

    field: str
    before: str | None = msgspec.field(name="from", default=None)
    after: str | None = msgspec.field(name="to", default=None)


class CodeProblem(Shape, frozen=True, kw_only=True):
    """A member of `errors`: the code's own, or one of its device that keeps the code from being changed."""

    error_code: str
    message: str
    created_at: datetime
    is_access_code_error: Maybe[bool] = UNSET
    is_device_error: Maybe[bool] = UNSET
    is_connected_account_error: Maybe[bool] = UNSET
    managed_access_code_id: Maybe[str] = UNSET
    unmanaged_access_code_id: Maybe[str] = UNSET
    change_type: Maybe[Literal["modified", "removed"]] = UNSET
    modified_fields: Maybe[list[ModifiedField]] = UNSET


class CodeNotice(Shape, frozen=True, kw_only=True):
    """A member of `warnings`."""

    warning_code: str
    message: str
    created_at: datetime
    hub_code: Maybe[str] = UNSET
    """A hub extension: what it is, where Seam has no code."""


class Values(Shape, frozen=True, kw_only=True):
    """What a mutation changes, before or after it."""

    code: Maybe[str | None] = UNSET
    starts_at: Maybe[datetime | None] = UNSET
    ends_at: Maybe[datetime | None] = UNSET

    def __repr__(self) -> str:
        return f"Values(starts_at={self.starts_at!r}, ends_at={self.ends_at!r})"


class Mutation(Shape, frozen=True, kw_only=True):
    """A member of `pending_mutations`; `message` says why it waits, and for how long."""

    mutation_code: MutationCode
    message: str
    created_at: datetime
    scheduled_at: Maybe[datetime] = UNSET
    before: Maybe[Values] = msgspec.field(name="from", default=UNSET)
    after: Maybe[Values] = msgspec.field(name="to", default=UNSET)


class AccessCode(Shape, frozen=True, kw_only=True):
    """`access_code`."""

    access_code_id: str
    device_id: str
    workspace_id: str
    created_at: datetime
    name: str | None
    code: str | None
    type: CodeType
    status: CodeStatus
    starts_at: datetime | None
    ends_at: datetime | None
    common_code_key: str | None
    errors: list[CodeProblem]
    warnings: list[CodeNotice]
    pending_mutations: list[Mutation]
    is_backup: bool
    is_backup_access_code_available: bool
    is_external_modification_allowed: bool
    is_one_time_use: bool
    is_scheduled_on_device: bool
    pulled_backup_access_code_id: str | None
    is_managed: bool = True
    is_offline_access_code: bool = False
    is_waiting_for_code_assignment: bool = False

    def __repr__(self) -> str:
        return f"AccessCode({self.access_code_id!r})"


class UnmanagedCode(Shape, frozen=True, kw_only=True):
    """`unmanaged_access_code`: what was found on a lock."""

    access_code_id: str
    device_id: str
    workspace_id: str
    created_at: datetime
    name: str | None
    code: str | None
    type: CodeType
    status: Literal["set", "unset"]
    starts_at: datetime | None
    ends_at: datetime | None
    errors: list[CodeProblem]
    warnings: list[CodeNotice]
    is_managed: bool = False
    cannot_be_managed: Maybe[bool] = UNSET

    def __repr__(self) -> str:
        return f"UnmanagedCode({self.access_code_id!r})"


class AccessCodeAnswer(Ok, frozen=True, kw_only=True):
    """One code."""

    access_code: AccessCode


class CodeListAnswer(Ok, frozen=True, kw_only=True):
    """A page of codes."""

    access_codes: list[AccessCode]
    pagination: Pagination


class AccessCodesAnswer(Ok, frozen=True, kw_only=True):
    """The codes of several locks, in the order of these."""

    access_codes: list[AccessCode]


class MadeCodeAnswer(Ok, frozen=True, kw_only=True):
    """A new code, and the attempt to bring it to its lock."""

    access_code: AccessCode
    action_attempt: ActionAttempt


class CodeAttemptAnswer(Ok, frozen=True, kw_only=True):
    """The attempt to change a code on its lock."""

    action_attempt: ActionAttempt


class GeneratedAnswer(Ok, frozen=True, kw_only=True):
    """A PIN that the lock would take, in the shape of a code that there is not."""

    generated_code: AccessCode


class BackupAnswer(Ok, frozen=True, kw_only=True):
    """The backup code under both of Seam's keys."""

    access_code: AccessCode
    backup_access_code: AccessCode


class UnmanagedAnswer(Ok, frozen=True, kw_only=True):
    """One code that was found on a lock."""

    access_code: UnmanagedCode


class UnmanagedListAnswer(Ok, frozen=True, kw_only=True):
    """A page of them."""

    access_codes: list[UnmanagedCode]
    pagination: Pagination


class Actor(Shape, frozen=True, kw_only=True):
    """Who did it: the holder of a key, the hub by itself, or somebody at the lock."""

    type: Literal["api_key", "system", "external"]
    id: Maybe[str] = UNSET
    display_name: Maybe[str] = UNSET


class Related(Shape, frozen=True, kw_only=True):
    """What an entry is about."""

    device_id: str
    connected_account_id: Maybe[str] = UNSET


class TimelineEntry(Shape, frozen=True, kw_only=True):
    """`timeline_event`."""

    timeline_event_id: str
    event_type: str
    occurred_at: datetime
    description: str
    actor: Actor
    related_resource_ids: Related


class TimelinePages(Shape, frozen=True, kw_only=True):
    """`next_cursor` is given as `before` for older entries, `prev_cursor` as `after` for newer ones."""

    has_more: bool
    next_cursor: str | None
    prev_cursor: str | None


class TimelineAnswer(Ok, frozen=True, kw_only=True):
    """What became of a code, newest first."""

    timeline_events: list[TimelineEntry]
    pagination: TimelinePages
