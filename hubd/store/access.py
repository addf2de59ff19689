"""Rows about access control systems: what they hold, what the hub keeps, what is wished. Held in memory whole."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from hubd.model.access import AccessChange, AcsGroup, AcsUser, AcsZone
from hubd.store.codes import Trouble
from hubd.store.database import Statement

_encode = msgspec.json.Encoder().encode

type AccessMethod = Literal["card", "cloud_key"]


class AccessBase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Common part. Ids are derived from the native ones where there are such, else drawn."""

    id: str
    instance: str
    """The `<id>` of the driver's `[drivers.<id>]` table."""
    created_at: datetime
    """When the hub first knew of it."""


class SystemRecord(AccessBase, frozen=True, kw_only=True, tag="system"):
    """The access control system of a driver instance."""

    bookmark: str | None = None
    """How far its driver has read the audit trail; written with what was read, or not at all."""
    is_read: bool = False
    """Everything in it was read once: what appears from then on is news."""


class Problem(msgspec.Struct, frozen=True):
    """Why a change of a user or group was given up."""

    what: str
    """The tag of the change."""
    message: str
    at: datetime


class UserRecord(AccessBase, frozen=True, kw_only=True, tag="user"):
    """A person. The system's word, or what the hub will have it hold while `is_present` is false."""

    user: AcsUser
    is_present: bool = True
    """The system has told of this person."""
    email_address: str | None = None
    """Kept on the hub alone."""
    credential_id: str | None = None
    """Of the one card."""
    problem: Problem | None = None

    def __repr__(self) -> str:
        return f"UserRecord({self.id!r})"


class GroupRecord(AccessBase, frozen=True, kw_only=True, tag="group"):
    """An access group."""

    group: AcsGroup
    problem: Problem | None = None


class ZoneRecord(AccessBase, frozen=True, kw_only=True, tag="zone"):
    """A zone."""

    zone: AcsZone


class CredentialRecord(AccessBase, frozen=True, kw_only=True, tag="credential"):
    """What somebody opens doors with: a card of the system, or a right to have the hub open them."""

    user_id: str | None
    method: AccessMethod
    wants: Literal["assign_new_key", "update_current_key"] | None = None
    """What is still to be done at an encoder."""
    issued_at: datetime | None = None
    card_number: str | None = None
    starts_at: datetime | None = None
    """Of a cloud key."""
    ends_at: datetime | None = None
    created_by: str = ""

    def __repr__(self) -> str:
        return f"CredentialRecord({self.id!r})"


class EditRecord(AccessBase, frozen=True, kw_only=True, tag="edit"):
    """A change that somebody wished and the system does not hold yet. Those of one subject are made in order."""

    number: int
    """Rising in the order in which they were wished."""
    change: AccessChange
    by: str
    subject_id: str
    """Of the user or group."""
    is_sent: bool = False
    """It was sent at least once; what became of it is to be read."""
    trouble: Trouble | None = None


type AccessRecord = SystemRecord | UserRecord | GroupRecord | ZoneRecord | CredentialRecord | EditRecord


class AccessTable:
    """The committed records, by kind and id."""

    def __init__(self) -> None:
        self._by_kind: dict[type[AccessBase], dict[str, AccessRecord]] = {}
        self._kinds: dict[str, type[AccessBase]] = {}

    def get(self, record_id: str) -> AccessRecord | None:
        """Return a record of any kind."""
        kind = self._kinds.get(record_id)
        return None if kind is None else self._by_kind[kind][record_id]

    def all[T: AccessRecord](self, kind: type[T]) -> dict[str, T]:
        """Return the records of a kind by id, in the order in which they came; not to be changed."""
        return self._by_kind.setdefault(kind, {})  # type: ignore[return-value]

    def put(self, record_id: str, record: AccessRecord | None) -> None:
        """Write a record; None: it is no more."""
        kind = self._kinds.get(record_id)
        if kind is not None and (record is None or type(record) is not kind):
            del self._by_kind[kind][record_id], self._kinds[record_id]
        if record is not None:
            self._kinds[record_id] = type(record)
            self._by_kind.setdefault(type(record), {})[record_id] = record


def access_statements(records: Mapping[str, AccessRecord | None]) -> list[Statement]:
    """Build the writes of records by id; None: it is no more."""
    result: list[Statement] = []
    kept = [(record_id, _encode(record)) for record_id, record in records.items() if record]
    gone = [(record_id,) for record_id, record in records.items() if record is None]
    if kept:
        result.append(("INSERT OR REPLACE INTO access(id, body) VALUES(?, ?)", kept))
    if gone:
        result.append(("DELETE FROM access WHERE id = ?", gone))
    return result
