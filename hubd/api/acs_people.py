"""Users, access groups and credentials to Seam's shapes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from hubd.api.acs_project import has_space, kind_of
from hubd.api.acs_shapes import (
    AccessSchedule,
    AcsCredentialShape,
    AcsGroupShape,
    AcsMutation,
    AcsNotice,
    AcsProblem,
    AcsUserShape,
    SpaceUserShape,
)
from hubd.core.hub import Hub
from hubd.model.access import (
    AccessChange,
    AcsUser,
    Card,
    CreateUser,
    DeleteGroup,
    DeleteUser,
    EditUser,
    PermitEntrance,
    RevokeAll,
    SetMembership,
)
from hubd.store.access import CredentialRecord, EditRecord, GroupRecord, UserRecord

_ERRORS = {
    "create_user": "failed_to_create_on_acs_system",
    "delete_user": "failed_to_delete_on_acs_system",
}
_STALE = {
    "update_recommended": "The card does not have this user's latest rights yet; it gets them at a wired reader.",
    "update_required": "The card lacks this user's latest rights; hold it to a wired reader, or encode it again.",
    "reissue_required": "The card has to be written again: encode it at an encoder.",
}


class People:
    """Builds the shapes of one answer: what waits is looked up once for each system."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: dict[str, dict[str, list[EditRecord]]] = {}
        self._memberships: dict[str, dict[str, list[tuple[EditRecord, bool]]]] = {}

    # -- users ---------------------------------------------------------------------------------------------------------

    def user(self, record: UserRecord, edits: Sequence[EditRecord] | None = None) -> AcsUserShape:
        """Build `acs_user`; `edits` are what waits of this user, where the caller knows it."""
        hub, own, instance = self._hub, record.user, record.instance
        waiting = self._of(instance, record.id) if edits is None else edits
        external = f"{kind_of(hub, instance)}_user"
        email = record.email_address or UNSET
        return AcsUserShape(
            acs_user_id=record.id,
            acs_system_id=hub.access.notes.system_id(instance),
            connected_account_id=hub.account_id(instance),
            workspace_id=hub.workspace_id,
            created_at=record.created_at,
            display_name=own.full_name,
            full_name=own.full_name,
            errors=_user_errors(record),
            warnings=_user_warnings(record, waiting),
            external_type=external,
            external_type_display_name=f"{hub.instances[instance].manifest.title} user",
            is_managed=True,
            is_suspended=own.is_suspended,
            last_successful_sync_at=None,
            pending_mutations=[one for edit in waiting for one in self._user_mutations(record, edit)],
            access_schedule=_schedule(own.starts_at, own.ends_at, record.created_at),
            email=email,
            email_address=email,
            phone_number=own.phone_number or UNSET,
            salto_space_metadata=SpaceUserShape(audit_openings=own.audits_openings, user_id=own.native_id)
            if has_space(hub, instance)
            else UNSET,
        )

    def _user_mutations(self, record: UserRecord, edit: EditRecord) -> list[AcsMutation]:
        match edit.change:
            case CreateUser():
                return [_mutation(edit, "creating", "The user is not in the system yet.")]
            case DeleteUser():
                return [_mutation(edit, "deleting", "The user is still in the system.")]
            case EditUser() as change:
                return _edited(edit, change, record.user)
            case SetMembership(group=group, is_member=is_member):
                return [self._membership(edit, group, is_member=is_member)]
            case RevokeAll():
                return [self._membership(edit, group, is_member=False) for group in record.user.groups]
            case _:
                return []

    def _membership(self, edit: EditRecord, group: str, *, is_member: bool) -> AcsMutation:
        there = {"acs_access_group_id": self._hub.access.notes.group_id(edit.instance, group)}
        old, new = ({"acs_access_group_id": None}, there) if is_member else (there, {"acs_access_group_id": None})
        words = "The user is not in the access group yet." if is_member else "The user is still in the access group."
        return _mutation(edit, "updating_group_membership", words, old, new)

    # -- access groups -------------------------------------------------------------------------------------------------

    def group(self, record: GroupRecord) -> AcsGroupShape:
        """Build `acs_access_group`."""
        hub, instance = self._hub, record.instance
        external, title = f"{kind_of(hub, instance)}_group", f"{hub.instances[instance].manifest.title} access level"
        waiting = self._of(instance, record.id)
        warnings = [
            AcsNotice(
                warning_code="being_deleted",
                message=_words(edit, "It is still in the system."),
                created_at=edit.created_at,
            )
            for edit in waiting
        ]
        if record.problem is not None:
            message = f"The system did not take a change: {record.problem.message}"
            warnings.append(
                AcsNotice(
                    warning_code="unknown_issue_with_acs_access_group", message=message, created_at=record.problem.at
                )
            )
        return AcsGroupShape(
            acs_access_group_id=record.id,
            acs_system_id=hub.access.notes.system_id(instance),
            connected_account_id=hub.account_id(instance),
            workspace_id=hub.workspace_id,
            created_at=record.created_at,
            access_group_type=external,
            access_group_type_display_name=title,
            display_name=record.group.name,
            external_type=external,
            external_type_display_name=title,
            is_managed=True,
            name=record.group.name,
            errors=[],
            warnings=warnings,
            pending_mutations=[
                *(_mutation(edit, "deleting", "The access group is still in the system.") for edit in waiting),
                *self._members(record),
            ],
        )

    def _members(self, record: GroupRecord) -> list[AcsMutation]:
        """Tell who is to be a member, or none; what waits is looked through once for all groups."""
        if record.instance not in self._memberships:
            found = self._memberships[record.instance] = {}
            for edits in self._pending(record.instance).values():
                for edit in edits:
                    if isinstance(edit.change, SetMembership):
                        found.setdefault(edit.change.group, []).append((edit, edit.change.is_member))
        waiting = self._memberships[record.instance].get(record.group.native_id, ())
        return [_member(edit, is_member=is_member) for edit, is_member in waiting]

    # -- credentials ---------------------------------------------------------------------------------------------------

    def _owner(self, record: CredentialRecord) -> UserRecord | None:
        users = self._hub.journal.tables.access.all(UserRecord)
        return None if record.user_id is None else users.get(record.user_id)

    def name(self, record: CredentialRecord) -> str:
        """Say what a credential is, and whose."""
        kind, owner = "Card" if record.method == "card" else "Cloud key", self._owner(record)
        return kind if owner is None else f"{kind} of {owner.user.full_name}"

    def credential(self, record: CredentialRecord) -> AcsCredentialShape:
        """Build `acs_credential`."""
        hub, instance, is_card = self._hub, record.instance, record.method == "card"
        owner = self._owner(record)
        card = owner.user.card if owner is not None and is_card else None
        starts_at, ends_at = (
            (None if card is None else card.starts_at, None if card is None else card.ends_at)
            if is_card
            else (record.starts_at, record.ends_at)
        )
        is_synced = record.issued_at is not None and record.wants is None
        return AcsCredentialShape(
            acs_credential_id=record.id,
            acs_system_id=hub.access.notes.system_id(instance),
            connected_account_id=hub.account_id(instance),
            workspace_id=hub.workspace_id,
            created_at=record.created_at,
            access_method=record.method,
            display_name=self.name(record),
            errors=_credential_errors(record, card),
            warnings=_credential_warnings(record, card),
            is_managed=True,
            is_issued=record.issued_at is not None,
            issued_at=record.issued_at,
            card_number=record.card_number,
            code=None,
            is_latest_desired_state_synced_with_provider=is_synced,
            latest_desired_state_synced_with_provider_at=record.issued_at if is_synced else None,
            is_multi_phone_sync_credential=False,
            is_one_time_use=False,
            acs_user_id=record.user_id or UNSET,
            external_type=f"{kind_of(hub, instance)}_key" if is_card else UNSET,
            external_type_display_name=f"{hub.instances[instance].manifest.title} key" if is_card else UNSET,
            starts_at=starts_at or UNSET,
            ends_at=ends_at or UNSET,
        )

    # -- what waits ----------------------------------------------------------------------------------------------------

    def _pending(self, instance: str) -> dict[str, list[EditRecord]]:
        if instance not in self._waiting:
            self._waiting[instance] = by_subject(self._hub.access.pending(instance))
        return self._waiting[instance]

    def _of(self, instance: str, subject_id: str) -> list[EditRecord]:
        return self._pending(instance).get(subject_id, [])


def by_subject(edits: Iterable[EditRecord]) -> dict[str, list[EditRecord]]:
    """Return what waits by the user or group it is about."""
    found: dict[str, list[EditRecord]] = {}
    for edit in edits:
        found.setdefault(edit.subject_id, []).append(edit)
    return found


def is_being_deleted(edits: Iterable[EditRecord]) -> bool:
    """Whether somebody wished that a user or group be no more."""
    return any(isinstance(edit.change, DeleteUser | DeleteGroup) for edit in edits)


def _words(edit: EditRecord, words: str) -> str:
    return words if edit.trouble is None else f"{words} {edit.trouble.message}"


def _mutation(
    edit: EditRecord,
    code: str,
    words: str,
    old: dict[str, Any] | UnsetType = UNSET,
    new: dict[str, Any] | UnsetType = UNSET,
) -> AcsMutation:
    return AcsMutation(mutation_code=code, message=_words(edit, words), created_at=edit.created_at, old=old, new=new)


def _member(edit: EditRecord, *, is_member: bool) -> AcsMutation:
    nobody: dict[str, Any] = {"acs_user_id": None}
    somebody = {"acs_user_id": edit.subject_id}
    old, new = (nobody, somebody) if is_member else (somebody, nobody)
    return _mutation(edit, "updating_user_membership", "The change of its members is not in the system yet.", old, new)


def _edited(edit: EditRecord, change: EditUser, now: AcsUser) -> list[AcsMutation]:
    """Tell a change of a person in Seam's three parts, from what the system holds to what is wished."""
    found = []
    new = {name: getattr(change, name) for name in ("full_name", "phone_number")}
    new = {name: value for name, value in new.items() if value is not UNSET}
    if new:
        old = {name: getattr(now, name) for name in new}
        words = "The system does not have the new name or number yet."
        found.append(_mutation(edit, "updating_user_information", words, old, new))
    if change.starts_at is not UNSET or change.ends_at is not UNSET:
        old = {"starts_at": now.starts_at, "ends_at": now.ends_at}
        new = {name: value if getattr(change, name) is UNSET else getattr(change, name) for name, value in old.items()}
        words = "The system does not have the new times yet."
        found.append(_mutation(edit, "updating_access_schedule", words, old, new))
    if change.is_suspended is not UNSET:
        old, new = {"is_suspended": now.is_suspended}, {"is_suspended": change.is_suspended}
        words = "The user is not suspended yet." if change.is_suspended else "The user is still suspended."
        found.append(_mutation(edit, "updating_suspension_state", words, old, new))
    return found


def _schedule(starts_at: datetime | None, ends_at: datetime | None, since: datetime) -> AccessSchedule | UnsetType:
    """Return the times of a user; Seam's start cannot be null: without one it is when the hub first knew of them."""
    if starts_at is None and ends_at is None:
        return UNSET
    return AccessSchedule(starts_at=starts_at or since, ends_at=ends_at)


def _user_errors(record: UserRecord) -> list[AcsProblem]:
    if record.problem is None:
        return []
    code = _ERRORS.get(record.problem.what, "failed_to_update_on_acs_system")
    message = f"The system did not take it: {record.problem.message}"
    return [AcsProblem(error_code=code, message=message, created_at=record.problem.at)]


def _user_warnings(record: UserRecord, waiting: Iterable[EditRecord]) -> list[AcsNotice]:
    found = []
    for edit in waiting:
        told = _waiting_right(edit.change)
        if isinstance(edit.change, DeleteUser):
            words = _words(edit, "Somebody asked for this user's removal; they are still in the system.")
            found.append(AcsNotice(warning_code="being_deleted", message=words, created_at=edit.created_at))
        elif told is not None:
            found.append(
                AcsNotice(
                    warning_code="unknown_issue_with_acs_user",
                    message=_words(edit, told[1]),
                    created_at=edit.created_at,
                    hub_code=told[0],
                )
            )
    if record.user.is_suspended:
        message = "The user is suspended: their keys open nothing, once their doors know of it."
        found.append(AcsNotice(warning_code="acs_user_inactive", message=message, created_at=record.created_at))
    return found


def _waiting_right(change: AccessChange) -> tuple[str, str] | None:
    """Return what Seam has no mutation for."""
    match change:
        case PermitEntrance():
            return "right_not_given_yet", "The right to a door is not in the system yet."
        case RevokeAll():
            return "rights_not_taken_yet", "This user's rights are still in the system."
        case _:
            return None


def _credential_errors(record: CredentialRecord, card: Card | None) -> list[AcsProblem]:
    if card is None or card.state != "expired":
        return []
    message = "The card's time is over: it opens nothing."
    return [
        AcsProblem(error_code="credential_expired", message=message, created_at=record.issued_at or record.created_at)
    ]


def _credential_warnings(record: CredentialRecord, card: Card | None) -> list[AcsNotice]:
    if record.method != "card":
        return []
    at = record.issued_at or record.created_at
    if record.issued_at is None:
        message = "No card carries it yet: encode it at an encoder."
        return [AcsNotice(warning_code="waiting_to_be_issued", message=message, created_at=record.created_at)]
    stale = None if card is None else _STALE.get(card.state)
    if record.wants is not None:
        stale = "Its card is to be written again: encode it at an encoder."
    return [] if stale is None else [AcsNotice(warning_code="needs_to_be_reissued", message=stale, created_at=at)]
