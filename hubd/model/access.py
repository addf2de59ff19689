"""What an access control system holds and tells: people, access levels, zones, and what happened at its doors.

Native ids are the system's own and unique within their kind. Doors and encoders are devices (of kind `entrance` and
`encoder`); the rest is here.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from hubd.model.code import Moment
from hubd.model.seen import DenialReason, Method
from hubd.model.state import EntranceCondition

type CardState = Literal["current", "update_recommended", "update_required", "reissue_required", "expired", "unknown"]
type Passage = Literal["granted", "refused", "other"]
type HeldKind = Literal["user", "group", "zone"]


class Permission(msgspec.Struct, frozen=True, omit_defaults=True):
    """A right to pass an entrance (or the entrances of a zone), within a time frame where it has one."""

    native_id: str
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """The key that a person carries, as the system keeps it. `number` is the chip's, in upper-case hex."""

    number: str | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    state: CardState = "unknown"

    def __repr__(self) -> str:
        return f"Card(state={self.state!r})"


class AcsUser(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="user"):
    """A person known to the system. Times None: without bound."""

    native_id: str
    full_name: str
    phone_number: str | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    is_suspended: bool = False
    audits_openings: bool = False
    groups: tuple[str, ...] = ()
    """Access groups, sorted."""
    entrances: tuple[Permission, ...] = ()
    """Rights of this person's own, sorted."""
    zones: tuple[Permission, ...] = ()
    card: Card | None = None

    def __repr__(self) -> str:
        return f"AcsUser({self.native_id!r})"


class AcsGroup(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="group"):
    """An access level: what its members may pass."""

    native_id: str
    name: str
    description: str = ""
    entrances: tuple[Permission, ...] = ()
    zones: tuple[Permission, ...] = ()


class AcsZone(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="zone"):
    """Entrances that rights are given to together."""

    native_id: str
    name: str
    entrances: tuple[str, ...] = ()
    """Native ids, sorted."""


class AcsGone(msgspec.Struct, frozen=True, tag_field="type", tag="gone"):
    """The system says that something is no more."""

    kind: HeldKind
    native_id: str


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="audit"):
    """One line of the system's audit trail."""

    event_id: str
    at: Moment
    operation: int
    """The system's own number of what happened, also where nobody knows its meaning."""
    name: str
    """It in words."""
    entrance: str | None = None
    """Native id of the door; None: it is about none that is known."""
    entrance_name: str = ""
    passage: Passage = "other"
    method: Method = "unknown"
    reason: DenialReason | None = None
    """Of a refusal, where one of Seam's fits."""
    user: str | None = None
    """Native id of the person."""
    subject: str = ""
    """Who it was, in the system's words."""
    is_exit: bool = False
    is_remote: bool = False
    """Software had the door opened."""
    condition: tuple[EntranceCondition, bool] | None = None
    """What the door is in from then on, or no more."""


type Noted = AcsUser | AcsGroup | AcsZone | AcsGone | AuditEntry


# -- what people wish of it --------------------------------------------------------------------------------------------


class ChangeBase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Common part: the user or group that is changed, by its native id. Changes of one subject are made in order."""

    subject: str


class CreateUser(ChangeBase, frozen=True, kw_only=True, tag="create_user"):
    """Make a person. The native id is the hub's, so that making it twice is making it once."""

    user: AcsUser

    def __repr__(self) -> str:
        return f"CreateUser({self.subject!r})"


class EditUser(ChangeBase, frozen=True, kw_only=True, tag="edit_user"):
    """Change what is not UNSET; everything else stays as the system has it."""

    full_name: str | UnsetType = UNSET
    phone_number: str | UnsetType | None = UNSET
    starts_at: Moment | UnsetType | None = UNSET
    ends_at: Moment | UnsetType | None = UNSET
    is_suspended: bool | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"EditUser({self.subject!r})"


class DeleteUser(ChangeBase, frozen=True, kw_only=True, tag="delete_user"):
    """Delete a person, with key and rights. One that is not there is deleted."""


class SetMembership(ChangeBase, frozen=True, kw_only=True, tag="set_membership"):
    """Put a person into an access group, or take them out; nobody else's membership changes."""

    group: str
    is_member: bool


class PermitEntrance(ChangeBase, frozen=True, kw_only=True, tag="permit_entrance"):
    """Give a person the right to pass one entrance."""

    entrance: str


class RevokeAll(ChangeBase, frozen=True, kw_only=True, tag="revoke_all"):
    """Take a person's rights to all entrances: groups, entrances and zones."""


class DeleteGroup(ChangeBase, frozen=True, kw_only=True, tag="delete_group"):
    """Delete an access group. One that is not there is deleted."""


type AccessChange = CreateUser | EditUser | DeleteUser | SetMembership | PermitEntrance | RevokeAll | DeleteGroup
