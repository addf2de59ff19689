"""What people may wish of codes: checked on what is durable, and written with the wish, in one transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hubd.core.codes.keeper import PinKeeper
from hubd.core.codes.limits import check, limited
from hubd.core.codes.pins import broken_rule, choose, prefix, prefix_conflict
from hubd.core.codes.readings import bury
from hubd.core.codes.space import Frame, Room, has_room, measure
from hubd.core.codes.story import edits_of, tell
from hubd.model import ids
from hubd.model.capability import KeypadCapability
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.model.event import BackupPulled, CodeConverted, CodeCreated, CodeEdited
from hubd.store.codes import CodeRecord, Constraints
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

POOL_SIZE: Final = 2
"""Spare codes on a lock whose pool is on."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A code that is to be. A start needs an end; neither is an ongoing code."""

    device_id: str
    name: str | None = None
    pin: str | None = None
    """None: the hub chooses one."""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    preferred_length: int | None = None
    common_code_key: str | None = None
    is_external_modification_allowed: bool = False
    prefers_native: bool = True
    is_one_time: bool = False
    wants_pool: bool = False
    """Have spare codes kept on the device from now on."""

    def __repr__(self) -> str:
        return f"Wish(device_id={self.device_id!r}, name={self.name!r})"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different about a code; UNSET members stay."""

    name: str | UnsetType | None = UNSET
    pin: str | UnsetType = UNSET
    starts_at: datetime | UnsetType | None = UNSET
    ends_at: datetime | UnsetType | None = UNSET
    is_external_modification_allowed: bool | UnsetType = UNSET
    prefers_native: bool | UnsetType = UNSET
    wants_pool: bool = False

    def __repr__(self) -> str:
        return "Change(…)"


class Wishes:
    """Takes in wishes within a transaction. `at` is the time as `Sense` has it."""

    def __init__(self, view: View, keeper: PinKeeper, at: datetime, by: str) -> None:
        self._view = view
        self._keeper = keeper
        self._at = at
        self._by = by

    @property
    def view(self) -> View:
        """The transaction."""
        return self._view

    # -- making --------------------------------------------------------------------------------------------------------

    def create(self, wish: Wish, *, is_pin_chosen: bool = True) -> CodeRecord:
        """Make a code. Raises `NotFoundError`, `InvalidInputError`, `RefusedError`; then nothing was kept.

        `is_pin_chosen`: whoever gave the PIN, if one is given, insists on it.
        """
        device, keypad = self.keypad(wish.device_id)
        self._check_frame(wish.starts_at, wish.ends_at)
        if wish.is_one_time and not keypad.has_one_time:
            message = "This lock takes no codes that work once."
            raise RefusedError("one_time_code_not_supported", message, device_id=wish.device_id)
        frame = (wish.starts_at, wish.ends_at)
        self._check_room(device, keypad, frame, None)
        pin = self._pin(wish.device_id, keypad, wish.pin, frame, wish.preferred_length, None)
        code_id = ids.new_id()
        code = CodeRecord(
            code_id,
            wish.device_id,
            self._view.now,
            self._view.now,
            created_by=self._by,
            name=wish.name,
            pin=self._keeper.seal(code_id, pin),
            is_pin_chosen=is_pin_chosen and wish.pin is not None,
            starts_at=wish.starts_at,
            ends_at=wish.ends_at,
            common_code_key=wish.common_code_key,
            is_external_modification_allowed=wish.is_external_modification_allowed,
            prefers_native=wish.prefers_native,
            is_one_time=wish.is_one_time,
        )
        self._add(code)
        if wish.wants_pool:
            self.fill_pool(wish.device_id, is_wanted=True)
        return code

    def _add(self, code: CodeRecord) -> None:
        self._view.put_code(code)
        event = CodeCreated(
            code_id=code.code_id,
            name=code.name,
            starts_at=code.starts_at,
            ends_at=code.ends_at,
            is_backup=code.is_backup,
            by=self._by,
        )
        tell(self._view, code, event)

    def keypad(self, device_id: str) -> tuple[DeviceRecord, KeypadCapability]:
        """Return a device that takes codes. Raises `NotFoundError` and `RefusedError`."""
        device = self._view.device(device_id)
        if device is None or device.removed_at is not None:
            raise NotFoundError("device_not_found", "There is no such device on this hub.", device_id=device_id)
        if not device.is_managed:
            message = "The device is not managed by this hub; update is_managed first."
            raise RefusedError("device_unmanaged", message, device_id=device_id)
        keypad = device.device.description.capabilities.keypad
        if keypad is None:
            message = "The device takes no codes: its can_program_online_access_codes is not true."
            flag = "can_program_online_access_codes"
            raise RefusedError("not_supported", message, device_id=device_id, flag=flag)
        return device, limited(keypad, self._view.book(device_id).report)

    def report(self, device_id: str, report: Constraints) -> None:
        """Keep what somebody reports of a keypad; it counts for PINs from now on. Raises as `create`."""
        device, _ = self.keypad(device_id)
        keypad = device.device.description.capabilities.keypad
        if keypad is not None:
            check(keypad, report)
        self._view.put_book(replace(self._view.book(device_id), report=report))

    # -- changing ------------------------------------------------------------------------------------------------------

    def code(self, code_id: str, *, is_managed: bool | None = True) -> CodeRecord:
        """Return a code that somebody may still change. Raises `NotFoundError`."""
        code = self._view.code(code_id)
        if code is None or (is_managed is not None and code.is_managed is not is_managed):
            kind = "" if is_managed is None else "managed " if is_managed else "unmanaged "
            message = f"There is no such {kind}access code on this hub (any more)."
            raise NotFoundError("access_code_not_found", message, access_code_id=code_id)
        return code

    def update(self, code_id: str, change: Change) -> CodeRecord:
        """Change a code, which stays the same one in the same slot. Raises as `create`."""
        before = self.code(code_id)
        self._check_alive(before)
        device, keypad = self.keypad(before.device_id)
        wanted = {n: v for n in ("name", "starts_at", "ends_at") if (v := getattr(change, n)) is not UNSET}
        for name in ("is_external_modification_allowed", "prefers_native"):
            if (value := getattr(change, name)) is not UNSET:
                wanted[name] = value
        after = replace(before, **wanted)
        frame = (after.starts_at, after.ends_at)
        if frame != (before.starts_at, before.ends_at):
            self._check_frame(*frame)
            self._check_room(device, keypad, frame, before)
        is_new_pin = change.pin is not UNSET and not self.has_pin(before, change.pin)
        if change.pin is not UNSET and is_new_pin:
            pin = self._pin(before.device_id, keypad, change.pin, frame, None, before)
            after = replace(after, pin=self._keeper.seal(code_id, pin), is_pin_chosen=True)
        elif frame != (before.starts_at, before.ends_at) and before.pin is not None:
            self._check_twins(before.device_id, before.pin.mark, frame, before)
            if (kept := self._keeper.open(before)) is not None:
                self._check_prefix(keypad, kept, self._beside(before.device_id, frame, before))
        if change.wants_pool:
            self.fill_pool(before.device_id, is_wanted=True)
        if frame != (before.starts_at, before.ends_at) and (backup := self._backup_of(before)) is not None:
            is_later = after.starts_at is not None and after.starts_at > self._at
            starts_at = after.starts_at if is_later else min(backup.starts_at or self._at, self._at)
            self._put(backup, replace(backup, starts_at=starts_at, ends_at=after.ends_at))
        return self._put(before, after)

    def _put(self, before: CodeRecord, after: CodeRecord) -> CodeRecord:
        if after == before:
            return before
        after = replace(after, changed_at=self._view.now, trouble=None, is_delay_told=False)
        self._view.put_code(after)
        edits = edits_of(before, after)
        if edits:
            tell(self._view, after, CodeEdited(code_id=after.code_id, edits=edits, by=self._by))
        return after

    def delete(self, code_id: str, *, is_managed: bool | None = True) -> CodeRecord:
        """Have a code be removed. One that is not on its lock is gone at once. Twice is once."""
        before = self.code(code_id, is_managed=is_managed)
        if before.deleted_at is not None:
            return before
        after = replace(before, deleted_at=self._view.now, deleted_by=self._by, trouble=None, is_delay_told=False)
        self._view.put_code(after)
        edits = CodeEdited(code_id=code_id, edits=(), by=self._by)
        if after.placement is not None:
            tell(self._view, after, edits)
        bury(self._view, after, self._at)
        if (backup := self._backup_of(before)) is not None:
            self.delete(backup.code_id)
        return after

    def _backup_of(self, code: CodeRecord) -> CodeRecord | None:
        """Return the backup that is used in place of a code, as long as it is one of the hub's."""
        backup = None if code.pulled_backup_id is None else self._view.code(code.pulled_backup_id)
        return backup if backup is not None and backup.is_managed and backup.deleted_at is None else None

    def convert(self, code_id: str, *, is_managed: bool, is_modification_allowed: bool | None = None) -> CodeRecord:
        """Have the hub keep a code that was found on its lock, or leave one alone. Twice is once."""
        before = self.code(code_id, is_managed=None)
        self._check_alive(before)
        allowed = (
            before.is_external_modification_allowed if is_modification_allowed is None else is_modification_allowed
        )
        if before.is_managed is is_managed:
            return self._put(before, replace(before, is_external_modification_allowed=allowed))
        self.keypad(before.device_id)
        if is_managed and before.pin is None:
            message = "The lock does not tell this PIN, so the hub could not put it back; delete it and create one."
            raise RefusedError("code_not_known", message, access_code_id=code_id)
        if not is_managed and (before.placement is None or before.placement.state != "set"):
            message = "The code is not on its lock, so nothing would be left of it; delete it instead."
            raise RefusedError("code_not_on_device", message, access_code_id=code_id)
        after = replace(
            before,
            is_managed=is_managed,
            is_pin_chosen=True,
            is_external_modification_allowed=allowed,
            changed_at=self._view.now,
            trouble=None,
            tampering=None,
        )
        frame = None if before.placement is None else before.placement.frame
        if is_managed and frame is not None:  # the lock keeps it to that time; it is not to open for ever from now on
            after = replace(after, starts_at=frame.starts_at, ends_at=frame.ends_at)
        self._view.put_code(after)
        tell(self._view, after, CodeConverted(code_id=code_id, is_managed=is_managed, by=self._by))
        return after

    # -- spare codes ---------------------------------------------------------------------------------------------------

    def fill_pool(self, device_id: str, *, is_wanted: bool | None = None) -> None:
        """Have as many spare codes on a device as belong there; `is_wanted` turns its pool on or off."""
        book = self._view.book(device_id)
        if is_wanted is not None and is_wanted is not book.has_backup_pool:
            book = replace(book, has_backup_pool=is_wanted)
            self._view.put_book(book)
        spare = self.spare(device_id)
        if not book.has_backup_pool:
            for code in spare:
                self.delete(code.code_id)
            return
        device, keypad = self.keypad(device_id)
        for _ in range(POOL_SIZE - len(spare)):
            if not has_room(self.room(device, keypad, (None, None), None)):
                return
            try:
                pin = self._pin(device_id, keypad, None, (None, None), None, None)
            except RefusedError:
                return  # the lock takes no PIN that is not in use; whoever asked for something else gets that
            code_id, now = ids.new_id(), self._view.now
            sealed = self._keeper.seal(code_id, pin)
            self._add(
                CodeRecord(code_id, device_id, now, now, created_by=self._by, name="Backup", pin=sealed, is_backup=True)
            )

    def spare(self, device_id: str) -> list[CodeRecord]:
        """Return the spare codes of a device that were not pulled, those on the lock first."""
        backups = [c for c in self._view.codes_of(device_id) if c.is_managed and c.is_backup]
        found = [c for c in backups if c.starts_at is None and c.ends_at is None and c.deleted_at is None]
        return sorted(found, key=lambda code: code.placement is None or code.placement.state != "set")

    def pull_backup(self, code_id: str) -> CodeRecord:
        """Return the spare code that works in place of a code, now or once that begins; the same one each time."""
        code = self.code(code_id)
        self._check_alive(code)
        if code.is_backup:
            raise RefusedError("already_a_backup", "This code is a backup code itself.", access_code_id=code_id)
        if code.ends_at is None:
            message = "Only a time-bound code has a backup code: pull it for one with an ends_at."
            raise RefusedError("backup_for_ongoing_code", message, access_code_id=code_id)
        if code.ends_at <= self._at:
            message = "The time of this code is over, and so would be that of a backup code."
            raise RefusedError("access_code_is_over", message, access_code_id=code_id)
        pulled = None if code.pulled_backup_id is None else self._view.code(code.pulled_backup_id)
        if pulled is not None and pulled.deleted_at is None:
            return pulled
        backup = next((c for c in self.spare(code.device_id) if c.placement and c.placement.state == "set"), None)
        if backup is None:
            message = "No backup code is on the lock now; create one with use_backup_access_code_pool and wait for it."
            raise RefusedError("no_backup_access_code_available", message, access_code_id=code_id)
        name, now = f"Backup {code.name or code.code_id[:8]}", self._at.replace(microsecond=0)
        starts_at = now if code.starts_at is None else max(now, code.starts_at)
        backup = replace(backup, name=name, starts_at=starts_at, ends_at=code.ends_at, changed_at=self._view.now)
        if backup.placement is not None:  # it is there, and a lock of its own schedule has it without one: enough
            backup = replace(backup, prefers_native=False)
        self._view.put_code(backup)
        self._view.put_code(replace(code, pulled_backup_id=backup.code_id))
        tell(self._view, code, BackupPulled(code_id=code_id, backup_id=backup.code_id, by=self._by))
        self.fill_pool(code.device_id)
        return backup

    # -- checks --------------------------------------------------------------------------------------------------------

    def _check_alive(self, code: CodeRecord) -> None:
        if code.deleted_at is not None:
            message = "The access code is being deleted."
            raise RefusedError("access_code_being_deleted", message, access_code_id=code.code_id)

    def _check_frame(self, starts_at: datetime | None, ends_at: datetime | None) -> None:
        if (starts_at is None) is not (ends_at is None):
            missing = "starts_at" if starts_at is None else "ends_at"
            raise InvalidInputError(missing, "is needed: a time-bound code has both starts_at and ends_at")
        if starts_at is None or ends_at is None:
            return
        if ends_at <= starts_at:
            raise InvalidInputError("ends_at", "must be later than starts_at")
        if ends_at <= self._at:
            raise InvalidInputError("ends_at", "is past already")

    def _others(self, device_id: str, code: CodeRecord | None) -> list[CodeRecord]:
        """Return the codes that another one has to share the lock with. One that is being deleted only has to wait."""
        codes = [o for o in self._view.codes_of(device_id) if o.deleted_at is None]
        return [o for o in codes if code is None or o.code_id != code.code_id]

    def room(self, device: DeviceRecord, keypad: KeypadCapability, frame: Frame, code: CodeRecord | None) -> Room:
        """Return the room there is for a code, which may be there already."""
        return measure(keypad, [_frame(o) for o in self._others(device.device.device_id, code)], frame, self._at)

    def _check_room(
        self, device: DeviceRecord, keypad: KeypadCapability, frame: Frame, code: CodeRecord | None
    ) -> None:
        room = self.room(device, keypad, frame, code)
        if has_room(room):
            return
        codes = self._view.codes_of(device.device.device_id)
        names = [c.name or f"slot {c.placement.slot}" for c in codes if c.placement is not None]
        message = (
            f"The lock holds {room.slots} codes, and {room.peak} others are on it within this time. "
            f"Now on it: {', '.join(names[:50]) or 'none'}."
        )
        on_it = [code.code_id for code in codes]
        raise RefusedError(
            "no_space_for_access_code_on_device",
            message,
            device_id=device.device.device_id,
            access_code_ids_on_device=on_it,
        )

    def taken(self, device_id: str) -> "Taken":
        """Return what tells whether a PIN is, or will be, in use on a lock."""
        return Taken(self._others(device_id, None), self._keeper)

    def group(self, key: str) -> list[CodeRecord]:
        """Return the codes that have a `common_code_key` and are not being deleted, oldest first."""
        return [code for code in self._view.codes_sharing(key) if code.is_managed and code.deleted_at is None]

    def has_pin(self, code: CodeRecord, pin: str) -> bool:
        """Whether a code has exactly this PIN."""
        return code.pin is not None and code.pin.mark == self._keeper.mark(pin)

    def _pin(
        self,
        device_id: str,
        keypad: KeypadCapability,
        chosen: str | None,
        frame: Frame,
        length: int | None,
        code: CodeRecord | None,
    ) -> str:
        """Return the PIN of a code: the chosen one, checked, or a new one."""
        prefixes = self._beside(device_id, frame, code)
        if chosen is None:
            taken = Taken(self._others(device_id, code), self._keeper)
            return choose(keypad, taken.has, length, prefix_taken=prefixes.has_prefix)
        wrong = broken_rule(chosen, keypad)
        if wrong is not None:
            raise InvalidInputError("code", _as_clause(wrong))
        self._check_twins(device_id, self._keeper.mark(chosen), frame, code)
        self._check_prefix(keypad, chosen, prefixes)
        return chosen

    def _beside(self, device_id: str, frame: Frame, code: CodeRecord | None) -> "Taken":
        """Return the PINs that are on the lock at the same time."""
        others = [o for o in self._others(device_id, code) if _overlap(_frame(o), frame)]
        return Taken(others, self._keeper)

    @staticmethod
    def _check_prefix(keypad: KeypadCapability, pin: str, prefixes: "Taken") -> None:
        wrong = prefix_conflict(pin, keypad, prefixes.has_prefix)
        if wrong is not None:
            raise InvalidInputError("code", _as_clause(wrong))

    def _check_twins(self, device_id: str, mark: bytes, frame: Frame, code: CodeRecord | None) -> None:
        twins = (o for o in self._others(device_id, code) if o.pin is not None and o.pin.mark == mark)
        twin = next((o for o in twins if _overlap(_frame(o), frame)), None)
        if twin is None:
            return
        whose = "managed" if twin.is_managed else "unmanaged"
        message = f"Another {whose} code on this lock has this PIN at the same time; choose another one."
        data: dict[str, str] = {f"{whose}_access_code_id": twin.code_id}
        raise RefusedError("duplicate_access_code", message, device_id=device_id, **data)

    def redraw(self, code: CodeRecord) -> CodeRecord | None:
        """Give a code another PIN, which its lock refused as a duplicate; None if somebody relies on that PIN."""
        device = self._view.device(code.device_id)
        keypad = None if device is None else device.device.description.capabilities.keypad
        if code.is_pin_chosen or code.common_code_key is not None or keypad is None:
            return None
        keypad = limited(keypad, self._view.book(code.device_id).report)
        try:
            pin = self._pin(code.device_id, keypad, None, _frame(code), None, code)
        except RefusedError:
            return None  # every one is in use
        return self._put(code, replace(code, pin=self._keeper.seal(code.code_id, pin)))


class Taken:
    """The PINs of some codes, to be asked for one that is known; opened only if a lock goes by their first digits."""

    def __init__(self, codes: Iterable[CodeRecord], keeper: PinKeeper) -> None:
        self._codes = [code for code in codes if code.pin is not None]
        self._marks = {code.pin.mark for code in self._codes if code.pin is not None}
        self._keeper = keeper
        self._found: set[str] | None = None

    def has(self, pin: str) -> bool:
        """Whether one of them is this one."""
        return self._keeper.mark(pin) in self._marks

    def has_prefix(self, digits: str) -> bool:
        """Whether one of them begins so."""
        if self._found is None:
            pins = (self._keeper.open(code) for code in self._codes)
            self._found = {prefix(pin) for pin in pins if pin is not None}
        return digits in self._found


def _frame(code: CodeRecord) -> Frame:
    """Return when a code has, or will have, a slot. What nobody wished has one for ever."""
    return (code.starts_at, code.ends_at) if code.is_managed else (None, None)


def _overlap(one: Frame, other: Frame) -> bool:
    return _before(one[0], other[1]) and _before(other[0], one[1])


def _before(start: datetime | None, end: datetime | None) -> bool:
    return start is None or end is None or start < end


def _as_clause(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
