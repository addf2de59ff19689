"""Access control systems, as API and page use them: what they hold, and the taking in of wishes."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Literal

from msgspec.structs import replace

from hubd.core.access import cards
from hubd.core.access.courier import Courier, End
from hubd.core.access.notes import Notes
from hubd.core.access.reach import Reach
from hubd.core.dispatcher import Dispatcher
from hubd.driver.clock import Clock
from hubd.model import ids
from hubd.model.access import AccessChange, CreateUser, HeldKind, Noted
from hubd.model.access_event import AccessEditAccepted
from hubd.model.command import EncodeCredential, Order, UnlockDoor
from hubd.model.errors import BusyError, NotFoundError, RefusedError
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.store.access import (
    CredentialRecord,
    EditRecord,
    GroupRecord,
    SystemRecord,
    UserRecord,
    ZoneRecord,
)
from hubd.store.journal import Journal
from hubd.store.tables import View

MOST_PENDING = 10_000
"""Wishes that may wait for one system."""

type Also = Callable[[View, Sequence[EditRecord]], None]
"""Writes something beside wishes that were just taken in."""


class Access:
    """Of one hub."""

    def __init__(self, journal: Journal, clock: Clock, dispatcher: Dispatcher, notes: Notes) -> None:
        self.notes = notes
        self._journal = journal
        self._clock = clock
        self._dispatcher = dispatcher
        self._couriers: dict[str, Courier] = {}

    def attach(self, instance: str, is_connected: Callable[[], bool]) -> Courier:
        """Serve an instance that is an access control system; whoever calls runs the courier."""
        courier = Courier(instance, self._journal, self._dispatcher, self._clock, self.notes, is_connected)
        self._couriers[instance] = courier
        return courier

    @property
    def instances(self) -> Sequence[str]:
        """The configured instances that are access control systems."""
        return tuple(self._couriers)

    def touch_all(self) -> None:
        """Say that a system may be there again."""
        for courier in self._couriers.values():
            courier.touch()

    def close(self) -> None:
        """Begin no more changes."""
        for courier in self._couriers.values():
            courier.close()

    # -- what is known -------------------------------------------------------------------------------------------------

    def system(self, instance: str) -> SystemRecord | None:
        """Return the system of an instance; None before it first told of itself."""
        return self._journal.tables.access.all(SystemRecord).get(self.notes.system_id(instance))

    def users(self) -> Iterable[UserRecord]:
        """Return everybody in every system that is configured."""
        return self._of_configured(self._journal.tables.access.all(UserRecord).values())

    def groups(self) -> Iterable[GroupRecord]:
        """Return every access group."""
        return self._of_configured(self._journal.tables.access.all(GroupRecord).values())

    def credentials(self) -> Iterable[CredentialRecord]:
        """Return every credential."""
        return self._of_configured(self._journal.tables.access.all(CredentialRecord).values())

    def _of_configured[T: UserRecord | GroupRecord | CredentialRecord](self, records: Iterable[T]) -> list[T]:
        return [record for record in records if record.instance in self._couriers]

    def user(self, user_id: str) -> UserRecord:
        """Return a person. Raises `NotFoundError` (`acs_user_not_found`)."""
        record = self._journal.tables.access.all(UserRecord).get(user_id)
        if record is None or record.instance not in self._couriers:
            raise self._no_user(user_id)
        return record

    @staticmethod
    def _no_user(user_id: str) -> NotFoundError:
        return NotFoundError("acs_user_not_found", "There is no such user on this hub.", acs_user_id=user_id)

    def group(self, group_id: str) -> GroupRecord:
        """Return an access group. Raises `NotFoundError` (`acs_access_group_not_found`)."""
        record = self._journal.tables.access.all(GroupRecord).get(group_id)
        if record is None or record.instance not in self._couriers:
            raise self._no_group(group_id)
        return record

    @staticmethod
    def _no_group(group_id: str) -> NotFoundError:
        message = "There is no such access group on this hub."
        return NotFoundError("acs_access_group_not_found", message, acs_access_group_id=group_id)

    def credential(self, credential_id: str) -> CredentialRecord:
        """Return a credential. Raises `NotFoundError` (`acs_credential_not_found`)."""
        record = self._journal.tables.access.all(CredentialRecord).get(credential_id)
        if record is None or record.instance not in self._couriers:
            raise self._no_credential(credential_id)
        return record

    @staticmethod
    def _no_credential(credential_id: str) -> NotFoundError:
        message = "There is no such credential on this hub."
        return NotFoundError("acs_credential_not_found", message, acs_credential_id=credential_id)

    def pending(self, instance: str) -> list[EditRecord]:
        """Return the wishes that a system does not hold yet, in their order."""
        return self._couriers[instance].pending()

    def reach(self, instance: str) -> Reach:
        """Return who may pass what in a system."""
        table = self._journal.tables.access
        zones = {one.zone.native_id: one.zone for one in table.all(ZoneRecord).values() if one.instance == instance}
        groups = {one.group.native_id: one.group for one in table.all(GroupRecord).values() if one.instance == instance}
        return Reach(groups.get, zones)

    # -- what is wished ------------------------------------------------------------------------------------------------

    async def wish(
        self,
        instance: str,
        changes: Sequence[AccessChange],
        by: str,
        *,
        email_address: str | None = None,
        also: Also | None = None,
    ) -> list[EditRecord]:
        """Take in changes of one user or group, all or none; durable when it returns.

        `email_address` is kept on the hub for a person who is made; `also` is written in the same transaction.
        Raises `BusyError`, `StoreError`, and `NotFoundError` for a subject that went meanwhile.
        """
        if len(self.pending(instance)) + len(changes) > MOST_PENDING:
            raise BusyError(
                "edits_queue_full", f"{MOST_PENDING} changes already wait for this system; try again later."
            )

        def accept(view: View) -> list[EditRecord]:
            number = max((one.number for one in view.accesses(EditRecord, instance)), default=0)
            edits = [
                self._accept(view, instance, change, number + place, by, email_address)
                for place, change in enumerate(changes, start=1)
            ]
            if also is not None:
                also(view, edits)
            return edits

        edits = await self._journal.transact(accept)
        self._couriers[instance].touch()
        return edits

    def _accept(
        self, view: View, instance: str, change: AccessChange, number: int, by: str, email_address: str | None
    ) -> EditRecord:
        kind: Literal["group", "user"] = "group" if change.__struct_config__.tag == "delete_group" else "user"
        subject_id = ids.access_id(self.notes.hub_id, kind, instance, change.subject)
        if isinstance(change, CreateUser):
            made = UserRecord(
                id=subject_id,
                instance=instance,
                created_at=view.now,
                user=change.user,
                is_present=False,
                email_address=email_address,
            )
            view.put_access(made)
        elif view.access(UserRecord if kind == "user" else GroupRecord, subject_id) is None:
            raise self._no_user(subject_id) if kind == "user" else self._no_group(subject_id)
        edit = EditRecord(
            id=ids.new_id(),
            instance=instance,
            created_at=view.now,
            number=number,
            change=change,
            by=by,
            subject_id=subject_id,
        )
        view.put_access(edit)
        what = str(change.__struct_config__.tag)
        view.emit(AccessEditAccepted(edit_id=edit.id, what=what, subject_id=subject_id, by=by), instance=instance)
        return edit

    async def settle(self, edits: Sequence[EditRecord], seconds: float) -> list[End | None]:
        """Wait until wishes have ended, that long at most; None of each that goes on."""
        futures = [self._couriers[edit.instance].expect(edit) for edit in edits]
        for edit in edits:
            self._couriers[edit.instance].touch()
        if not futures:
            return []
        try:
            with suppress(TimeoutError):
                async with self._clock.timeout(seconds):
                    await asyncio.wait(futures)
            return [future.result() if future.done() else None for future in futures]
        finally:
            for future in futures:
                future.cancel()

    async def forget_user(self, user_id: str) -> None:
        """Have somebody be no more whom the system never took."""

        def forget(view: View) -> None:
            record = view.access(UserRecord, user_id)
            if record is not None and not record.is_present:
                self.notes.forget_user(view, user_id, "The system did not take this user.")

        await self._journal.transact(forget)

    async def forgive(self, subject_id: str) -> None:
        """Forget that a change of a user or group was refused: whoever asked for it was told."""

        def forget(view: View) -> None:
            record = view.access(UserRecord, subject_id) or view.access(GroupRecord, subject_id)
            if record is not None and record.problem is not None:
                view.put_access(replace(record, problem=None))

        await self._journal.transact(forget)

    async def keep_email(self, user_id: str, email_address: str | None) -> None:
        """Keep a person's e-mail address, which is on the hub alone."""

        def keep(view: View) -> None:
            record = view.access(UserRecord, user_id)
            if record is not None and record.email_address != email_address:
                view.put_access(replace(record, email_address=email_address))

        await self._journal.transact(keep)

    # -- credentials ---------------------------------------------------------------------------------------------------

    async def want_card(self, user: UserRecord, by: str, *, is_new_key: bool) -> CredentialRecord:
        """Take in that somebody is to get a card, or to have theirs written anew. Raises `RefusedError`."""

        def want(view: View) -> CredentialRecord:
            record = view.access(UserRecord, user.id)
            if record is None:
                raise self._no_user(user.id)
            has_key = record.user.card is not None
            credential = None if record.credential_id is None else view.access(CredentialRecord, record.credential_id)
            if is_new_key and has_key:
                message = (
                    "This user has a key already. Have their card written anew (update_current_key), or cancel the key"
                    " in the access control system first."
                )
                raise RefusedError("credential_exists", message, acs_user_id=user.id)
            if not is_new_key and not has_key:
                message = "This user has no key that could be updated; assign a new one (assign_new_key)."
                raise RefusedError("no_key_to_update", message, acs_user_id=user.id)
            if credential is not None and credential.issued_at is None:
                return credential
            wants: Literal["assign_new_key", "update_current_key"] = (
                "assign_new_key" if is_new_key else "update_current_key"
            )
            if credential is not None:
                credential = replace(credential, wants=wants)
                view.put_access(credential)
                return credential
            made = CredentialRecord(
                id=ids.new_id(),
                instance=record.instance,
                created_at=view.now,
                user_id=record.id,
                method="card",
                wants=wants,
                created_by=by,
            )
            view.put_access(made)
            view.put_access(replace(record, credential_id=made.id))
            cards.tell(view, made, "created", by)
            return made

        return await self._journal.transact(want)

    async def make_credential(
        self, credential: CredentialRecord, by: str, also: Callable[[View], None] = lambda _: None
    ) -> None:
        """Make a credential that is the hub's own: a cloud key; `also` is written in the same transaction.

        Raises `NotFoundError` if its user went meanwhile.
        """

        def make(view: View) -> None:
            self._put_credential(view, credential)
            cards.tell(view, credential, "created", by)
            also(view)

        await self._journal.transact(make)

    async def change_credential(self, credential_id: str, **members: Any) -> None:
        """Change a cloud key. Raises `NotFoundError` if it, or its user, went meanwhile."""

        def keep(view: View) -> None:
            known = view.access(CredentialRecord, credential_id)
            if known is None:
                raise self._no_credential(credential_id)
            self._put_credential(view, replace(known, **members))

        await self._journal.transact(keep)

    def _put_credential(self, view: View, credential: CredentialRecord) -> None:
        if credential.user_id is not None and view.access(UserRecord, credential.user_id) is None:
            raise self._no_user(credential.user_id)
        view.put_access(credential)

    async def drop_credential(self, credential_id: str, by: str) -> None:
        """Have a credential be no more that no card carries. Raises `RefusedError` (`credential_issued`)."""

        def drop(view: View) -> None:
            credential = view.access(CredentialRecord, credential_id)
            if credential is None:
                return
            if credential.method == "card" and credential.issued_at is not None:
                message = (
                    "The card opens doors, and the hub cannot cancel it. Suspend the user, or cancel the key in the"
                    " access control system; the credential goes when the system says that the key is gone."
                )
                raise RefusedError("credential_issued", message, acs_credential_id=credential_id)
            cards.drop(view, credential, by)
            user = None if credential.user_id is None else view.access(UserRecord, credential.user_id)
            if user is not None and user.credential_id == credential_id:
                view.put_access(replace(user, credential_id=None))

        await self._journal.transact(drop)

    # -- what the system tells -----------------------------------------------------------------------------------------

    async def note(self, instance: str, noted: tuple[Noted, ...], bookmark: str | None) -> dict[str, str]:
        """Take in what a system holds and told; returns which order is now known to have opened which door.

        Raises `TypeError` of an instance whose manifest says that it is no access control system.
        """
        if instance not in self._couriers:
            raise TypeError("the driver tells of an access control system, which its manifest does not name")
        opened = await self._journal.transact(lambda view: self.notes.take_in(view, instance, noted, bookmark))
        self._couriers[instance].touch()
        return opened

    def held(self, instance: str, kind: HeldKind) -> frozenset[str]:
        """Return the native ids of what a system has told of."""
        table = self._journal.tables.access
        match kind:
            case "user":
                people = (one for one in table.all(UserRecord).values() if one.is_present)
                return frozenset(one.user.native_id for one in people if one.instance == instance)
            case "group":
                groups = table.all(GroupRecord).values()
                return frozenset(one.group.native_id for one in groups if one.instance == instance)
            case "zone":
                zones = table.all(ZoneRecord).values()
                return frozenset(one.zone.native_id for one in zones if one.instance == instance)

    def bookmark(self, instance: str) -> str | None:
        """Return how far the audit trail of a system was read."""
        system = self.system(instance)
        return None if system is None else system.bookmark

    def ended(self, view: View, instance: str, request_id: str, command: Order, outcome: Outcome) -> None:
        """Take in, in the transaction of a command's end, what came of it."""
        if outcome.noted and instance in self._couriers:
            self.notes.take_in(view, instance, outcome.noted)
        if isinstance(command, EncodeCredential) and outcome.kind is OutcomeKind.DONE:
            self.notes.encoded(view, instance, command.credential_id)
        if isinstance(command, UnlockDoor):
            self.notes.unlocked(view, command.device_id, request_id)
