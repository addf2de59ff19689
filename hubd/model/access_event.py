"""Journal events about access control systems; part of `hubd.model.event.Event`."""

from typing import Literal

from hubd.model.access import Passage
from hubd.model.event_base import EventBase
from hubd.model.seen import DenialReason, Method
from hubd.model.state import EntranceCondition

type CredentialFate = Literal["created", "issued", "reissued", "invalidated", "deleted"]


class AccessSystemFound(EventBase, frozen=True, kw_only=True, tag="access_system.found"):
    """An access control system told of itself for the first time."""


class EntranceChanged(EventBase, frozen=True, kw_only=True, tag="entrance.changed"):
    """A door is in a condition now, or no more."""

    condition: EntranceCondition
    is_on: bool


class EntranceAudited(EventBase, frozen=True, kw_only=True, tag="entrance.audited"):
    """One line of an access control system's audit trail, once. Of a door that is not known there is only its name."""

    trail_id: str
    """The system's number of the line."""
    operation: int
    name: str
    passage: Passage = "other"
    method: Method = "unknown"
    reason: DenialReason | None = None
    entrance_name: str = ""
    user_id: str | None = None
    subject: str = ""
    is_exit: bool = False
    request_id: str | None = None
    """The order of the hub that it is the effect of."""


class AcsUserChanged(EventBase, frozen=True, kw_only=True, tag="acs_user.changed"):
    """A person appeared in the access control system, is another now, or is gone. Who it is stands in no event."""

    user_id: str
    change: Literal["created", "updated", "deleted"]
    members: tuple[str, ...] = ()
    """What changed, by the names of `AcsUser`."""


class AcsGroupChanged(EventBase, frozen=True, kw_only=True, tag="acs_group.changed"):
    """An access group appeared, is another now, or is gone."""

    group_id: str
    change: Literal["created", "updated", "deleted"]
    members: tuple[str, ...] = ()


class CredentialChanged(EventBase, frozen=True, kw_only=True, tag="credential.changed"):
    """What became of a credential. `reissued`: its card was replaced, or written anew."""

    credential_id: str
    user_id: str | None = None
    change: CredentialFate
    by: str = ""


class AccessEditAccepted(EventBase, frozen=True, kw_only=True, tag="access_edit.accepted"):
    """Somebody wished a change in the access control system."""

    edit_id: str
    what: str
    """The tag of the change."""
    subject_id: str
    """Of the user or group."""
    by: str


class AccessEditEnded(EventBase, frozen=True, kw_only=True, tag="access_edit.ended"):
    """The system holds it, or refused it for good; then `error_code` says why."""

    edit_id: str
    what: str
    subject_id: str
    error_code: str = ""
    message: str = ""


type AccessEvent = (
    AccessSystemFound
    | EntranceChanged
    | EntranceAudited
    | AcsUserChanged
    | AcsGroupChanged
    | CredentialChanged
    | AccessEditAccepted
    | AccessEditEnded
)
