"""Takes in what an access control system holds and tells. Every call is a part of a transaction.

What was there when the system was read for the first time is knowledge; what appears from then on is an event.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from msgspec.structs import asdict, replace

from hubd.core.access import cards
from hubd.core.access.conditions import mark
from hubd.core.settle import confirm
from hubd.model import ids
from hubd.model.access import AcsGone, AcsGroup, AcsUser, AcsZone, AuditEntry, Card, Noted
from hubd.model.access_event import (
    AccessEditEnded,
    AccessSystemFound,
    AcsGroupChanged,
    AcsUserChanged,
    EntranceAudited,
)
from hubd.model.command import UnlockDoor
from hubd.model.outcome import OutcomeKind
from hubd.store.access import CredentialRecord, EditRecord, GroupRecord, SystemRecord, UserRecord, ZoneRecord
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

CLOCKS_APART: Final = timedelta(minutes=2)
"""How far the clock of the system may be off for an opening to be known as the effect of an order."""

_MAY_HAVE_OPENED: Final = {OutcomeKind.DONE, OutcomeKind.SENT_UNCONFIRMED}
OPENED: Final = "The audit trail of the system has the opening."


class Notes:
    """Of one hub."""

    def __init__(
        self,
        hub_id: str,
        device_id: Callable[[View, str, str], str],
        latest_order: Callable[[str], str | None],
        is_connected: Callable[[str], bool],
    ) -> None:
        """`device_id` names the door that an instance knows by a native id; `latest_order` the last order to it."""
        self.hub_id = hub_id
        self._device_id = device_id
        self._latest_order = latest_order
        self._is_connected = is_connected
        self._proven: dict[str, str] = {}
        """By door, the last order that the audit trail has the opening of; it may still be under way."""

    def system_id(self, instance: str) -> str:
        """Return the id of the system that an instance is."""
        return ids.access_id(self.hub_id, "system", instance)

    def user_id(self, instance: str, native_id: str) -> str:
        """Return the id of a person."""
        return ids.access_id(self.hub_id, "user", instance, native_id)

    def group_id(self, instance: str, native_id: str) -> str:
        """Return the id of an access group."""
        return ids.access_id(self.hub_id, "group", instance, native_id)

    def zone_id(self, instance: str, native_id: str) -> str:
        """Return the id of a zone."""
        return ids.access_id(self.hub_id, "zone", instance, native_id)

    def _credential_id(self, instance: str, user: AcsUser, card: Card) -> str:
        return ids.access_id(self.hub_id, "credential", instance, user.native_id, card.number or "")

    def take_in(self, view: View, instance: str, noted: Iterable[Noted], bookmark: str | None = None) -> dict[str, str]:
        """Take in what was told; returns which doors are now known to be opened by which last order."""
        system = self.system(view, instance)
        if not system.is_read and self._is_connected(instance):
            system = replace(system, is_read=True)
            view.put_access(system)
        if bookmark is not None and bookmark != system.bookmark:
            view.put_access(replace(system, bookmark=bookmark))
        opened: dict[str, str] = {}
        owned: _Owned | None = None
        for one in noted:
            match one:
                case AcsUser():
                    owned = None
                    self._user(view, instance, one, is_news=system.is_read)
                case AcsGroup():
                    self._group(view, instance, one, is_news=system.is_read)
                case AcsZone():
                    self._zone(view, instance, one)
                case AcsGone():
                    owned = owned or _Owned(view, instance)
                    self._gone(view, instance, one, owned)
                case AuditEntry():
                    self._audited(view, instance, one, opened)
        return opened

    def system(self, view: View, instance: str) -> SystemRecord:
        """Return the system of an instance; the first time, it is found."""
        record_id = self.system_id(instance)
        known = view.access(SystemRecord, record_id)
        if known is None:
            known = SystemRecord(id=record_id, instance=instance, created_at=view.now)
            view.put_access(known)
            view.emit(AccessSystemFound(), public="acs_system.added", instance=instance)
        return known

    def _user(self, view: View, instance: str, user: AcsUser, *, is_news: bool) -> None:
        record_id = self.user_id(instance, user.native_id)
        known = view.access(UserRecord, record_id)
        if known is not None and known.is_present and known.user == user:
            return
        record = known or UserRecord(id=record_id, instance=instance, created_at=view.now, user=user)
        record = replace(record, user=user, is_present=True)
        if known is not None and not known.is_present:
            record = replace(record, problem=None)
        view.put_access(cards.follow(view, known, record, self._credential_id, is_news=is_news))
        if known is None or not known.is_present:
            if is_news:
                event = AcsUserChanged(user_id=record_id, change="created")
                view.emit(event, public="acs_user.created", instance=instance)
            return
        members = _differing(known.user, user)
        view.emit(AcsUserChanged(user_id=record_id, change="updated", members=members), instance=instance)

    def _group(self, view: View, instance: str, group: AcsGroup, *, is_news: bool) -> None:
        record_id = self.group_id(instance, group.native_id)
        known = view.access(GroupRecord, record_id)
        if known is None:
            view.put_access(GroupRecord(id=record_id, instance=instance, created_at=view.now, group=group))
            if is_news:
                view.emit(AcsGroupChanged(group_id=record_id, change="created"), instance=instance)
        elif known.group != group:
            view.put_access(replace(known, group=group))
            members = _differing(known.group, group)
            view.emit(AcsGroupChanged(group_id=record_id, change="updated", members=members), instance=instance)

    def _zone(self, view: View, instance: str, zone: AcsZone) -> None:
        record_id = self.zone_id(instance, zone.native_id)
        known = view.access(ZoneRecord, record_id)
        if known is None or known.zone != zone:
            created_at = view.now if known is None else known.created_at
            view.put_access(ZoneRecord(id=record_id, instance=instance, created_at=created_at, zone=zone))

    def _gone(self, view: View, instance: str, gone: AcsGone, owned: "_Owned") -> None:
        match gone.kind:
            case "user":
                user_id = self.user_id(instance, gone.native_id)
                self.forget_user(view, user_id, "It is no more in the system.", owned)
            case "group":
                self._forget_group(view, self.group_id(instance, gone.native_id), owned)
            case "zone":
                view.drop_access(self.zone_id(instance, gone.native_id))

    def forget_user(self, view: View, user_id: str, reason: str, owned: "_Owned | None" = None) -> None:
        """Have a person be no more, with their credentials and with what was still to be changed."""
        known = view.access(UserRecord, user_id)
        if known is None:
            return
        owned = owned or _Owned(view, known.instance)
        view.drop_access(user_id)
        for credential in owned.credentials.pop(user_id, ()):
            cards.drop(view, credential)
        self._drop_edits(view, known.instance, owned.edits.pop(user_id, ()), reason)
        if known.is_present:
            event = AcsUserChanged(user_id=user_id, change="deleted")
            view.emit(event, public="acs_user.deleted", instance=known.instance)

    def _forget_group(self, view: View, group_id: str, owned: "_Owned") -> None:
        known = view.access(GroupRecord, group_id)
        if known is None:
            return
        view.drop_access(group_id)
        self._drop_edits(view, known.instance, owned.edits.pop(group_id, ()), "It is no more in the system.")
        event = AcsGroupChanged(group_id=group_id, change="deleted")
        view.emit(event, public="acs_access_group.deleted", instance=known.instance)

    @staticmethod
    def _drop_edits(view: View, instance: str, edits: Iterable[EditRecord], reason: str) -> None:
        for edit in edits:
            view.drop_access(edit.id)
            what = str(edit.change.__struct_config__.tag)
            error = "" if what.startswith("delete") else "subject_gone"
            message = reason if error else ""
            ended = AccessEditEnded(
                edit_id=edit.id, what=what, subject_id=edit.subject_id, error_code=error, message=message
            )
            view.emit(ended, instance=instance)

    def encoded(self, view: View, instance: str, credential_id: str) -> None:
        """Take in that a credential was written onto its card; what the system tells of it was taken in before."""
        credential = view.access(CredentialRecord, credential_id)
        if credential is None or credential.instance != instance:
            return
        if credential.issued_at is None:
            cards.issue(view, credential, None)
        elif credential.wants is not None:
            cards.issue(view, credential, None, is_again=True)

    def _audited(self, view: View, instance: str, entry: AuditEntry, opened: dict[str, str]) -> None:
        record: DeviceRecord | None = None
        if entry.entrance is not None:
            record = view.device(self._device_id(view, instance, entry.entrance))
        device_id = None if record is None else record.device.device_id
        request_id = None
        if device_id is not None and entry.is_remote and entry.passage == "granted" and device_id not in opened:
            request_id = self._order_behind(view, device_id, entry)
        event = EntranceAudited(
            trail_id=entry.event_id,
            operation=entry.operation,
            name=entry.name,
            passage=entry.passage,
            method=entry.method,
            reason=entry.reason,
            entrance_name=entry.entrance_name,
            user_id=None if entry.user is None else self.user_id(instance, entry.user),
            subject=entry.subject if entry.user is None else "",
            is_exit=entry.is_exit,
            request_id=request_id,
        )
        publics = {"granted": "lock.unlocked", "refused": "lock.access_denied", "other": None}
        public = publics[entry.passage] if record is None or record.is_managed else None
        view.emit(event, public=public, instance=instance, device_id=device_id, occurred_at=entry.at)
        if device_id is not None and request_id is not None:
            opened[device_id] = request_id
            self._proven[device_id] = request_id
            confirm(view, request_id, OPENED)
        if record is not None and entry.condition is not None:
            condition, is_on = entry.condition
            mark(view, record, condition, entry.at, is_on=is_on)

    def unlocked(self, view: View, device_id: str, request_id: str) -> None:
        """Take in that an order to open a door ended; the audit trail may have had the opening before."""
        if self._proven.get(device_id) == request_id:
            confirm(view, request_id, OPENED)

    def _order_behind(self, view: View, device_id: str, entry: AuditEntry) -> str | None:
        request_id = self._latest_order(device_id)
        command = None if request_id is None else view.command(request_id)
        if command is None or not isinstance(command.command, UnlockDoor) or command.started_at is None:
            return None
        if command.outcome is not None and command.outcome.kind not in _MAY_HAVE_OPENED:
            return None
        is_then = command.started_at - CLOCKS_APART <= entry.at <= command.deadline + CLOCKS_APART
        return request_id if is_then else None


class _Owned:
    """What goes with people and groups, by their ids: collected once, however many of them go in one step."""

    def __init__(self, view: View, instance: str) -> None:
        self.credentials: dict[str, list[CredentialRecord]] = {}
        self.edits: dict[str, list[EditRecord]] = {}
        for credential in view.accesses(CredentialRecord, instance):
            if credential.user_id is not None:
                self.credentials.setdefault(credential.user_id, []).append(credential)
        for edit in view.accesses(EditRecord, instance):
            self.edits.setdefault(edit.subject_id, []).append(edit)


def _differing(before: AcsUser | AcsGroup, after: AcsUser | AcsGroup) -> tuple[str, ...]:
    old, new = asdict(before), asdict(after)
    return tuple(name for name in new if old.get(name) != new[name])
