"""Records of access codes to Seam's shapes, as they stand at this moment."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import UNSET

from hubd.api.code_shapes import (
    AccessCode,
    CodeNotice,
    CodeProblem,
    CodeStatus,
    CodeType,
    ModifiedField,
    Mutation,
    UnmanagedCode,
    Values,
)
from hubd.api.reachability import unreachable
from hubd.core.codes.plan import PRELOAD, Hold, frame_for, has_begun, is_in_place
from hubd.core.codes.status import CodeError
from hubd.core.hub import Hub
from hubd.model.capability import KeypadCapability
from hubd.model.code import TimeFrame
from hubd.store.codes import CodeBook, CodeRecord
from hubd.store.records import DeviceRecord

FOREIGN_CHANGES: Final = 3
"""So many changes by somebody else within a day are no slip: something else manages the codes of this lock too."""
DAY: Final = timedelta(days=1)


class Projector:
    """Builds the codes of one answer; looks at each device once. Not to be kept."""

    def __init__(self, hub: Hub, *, shows_pins: bool) -> None:
        """`shows_pins`: whoever asks may open a door; to anybody else `code` is null."""
        self._hub = hub
        self._shows_pins = shows_pins
        self._holds: dict[str, dict[str, Hold]] = {}
        self._device_problems: dict[str, list[CodeProblem]] = {}
        self._spare: dict[str, bool] = {}

    def any(self, code: CodeRecord) -> AccessCode | UnmanagedCode:
        """Build whichever it is."""
        return self.managed(code) if code.is_managed else self.unmanaged(code)

    def managed(self, code: CodeRecord) -> AccessCode:
        """Build `access_code`."""
        codes, status = self._hub.codes, self._hub.codes.status(code)
        hold = self.hold(code)
        return AccessCode(
            access_code_id=code.code_id,
            device_id=code.device_id,
            workspace_id=self._hub.workspace_id,
            created_at=code.created_at,
            name=code.name,
            code=self._pin(code),
            type=_type(code.ends_at),
            status=status,
            starts_at=code.starts_at,
            ends_at=code.ends_at,
            common_code_key=code.common_code_key,
            errors=self.errors(code),
            warnings=self._warnings(code, status),
            pending_mutations=self._mutations(code, status, hold),
            is_backup=code.is_backup,
            is_backup_access_code_available=self._has_backup(code),
            is_external_modification_allowed=code.is_external_modification_allowed,
            is_one_time_use=code.is_one_time,
            is_scheduled_on_device=codes.is_scheduled(code),
            pulled_backup_access_code_id=code.pulled_backup_id,
        )

    def unmanaged(self, code: CodeRecord) -> UnmanagedCode:
        """Build `unmanaged_access_code`."""
        placed = code.placement
        frame = None if placed is None else placed.frame
        is_set = placed is not None and placed.state == "set"
        warnings = []
        if code.deleted_at is not None:
            words = "The access code is being removed from the lock."
            warnings.append(CodeNotice(warning_code="being_deleted", message=words, created_at=code.deleted_at))
        return UnmanagedCode(
            access_code_id=code.code_id,
            device_id=code.device_id,
            workspace_id=self._hub.workspace_id,
            created_at=code.created_at,
            name=code.name,
            code=self._pin(code),
            type=_type(None if frame is None else frame.ends_at),
            status="set" if is_set else "unset",
            starts_at=None if frame is None else frame.starts_at,
            ends_at=None if frame is None else frame.ends_at,
            errors=self.errors(code),
            warnings=warnings,
            cannot_be_managed=True if code.pin is None else UNSET,
        )

    def hold(self, code: CodeRecord) -> Hold | None:
        """Return why nothing is done for a code now."""
        if code.device_id not in self._holds:
            plan = self._hub.codes.plan(code.device_id)
            self._holds[code.device_id] = {} if plan is None else plan.holds
        return self._holds[code.device_id].get(code.code_id)

    def own_errors(self, code: CodeRecord) -> list[CodeProblem]:
        """Build the errors that are the code's own."""
        return [self._own(error) for error in self._hub.codes.errors(code, self.hold(code))]

    def errors(self, code: CodeRecord) -> list[CodeProblem]:
        """Build `errors`: the code's own, then those of its device."""
        return [*self.own_errors(code), *self.of_device(code.device_id)]

    def of_device(self, device_id: str) -> list[CodeProblem]:
        """Build the errors of a device that keep its codes from being changed."""
        if device_id not in self._device_problems:
            self._device_problems[device_id] = self._look(self._hub.devices.get(device_id))
        return self._device_problems[device_id]

    def _own(self, error: CodeError) -> CodeProblem:
        other = None if error.conflict_id is None else self._hub.journal.tables.codes.get(error.conflict_id)
        is_modified = error.change == "modified"
        return CodeProblem(
            error_code=error.code,
            message=error.message,
            created_at=error.since,
            is_access_code_error=True,
            managed_access_code_id=other.code_id if other is not None and other.is_managed else UNSET,
            unmanaged_access_code_id=other.code_id if other is not None and not other.is_managed else UNSET,
            change_type=error.change or UNSET,
            modified_fields=[ModifiedField(field="code")] if is_modified else UNSET,
        )

    def _look(self, record: DeviceRecord | None) -> list[CodeProblem]:
        if record is None:
            return []
        if record.removed_at is not None:
            words = "The device is not on this site any more."
            at = record.removed_at
            removed = CodeProblem(error_code="device_removed", message=words, created_at=at, is_device_error=True)
            return [removed]
        return [
            CodeProblem(
                error_code=problem.error_code,
                message=problem.message,
                created_at=problem.created_at,
                is_device_error=problem.is_device_error,
                is_connected_account_error=problem.is_connected_account_error,
            )
            for problem in unreachable(self._hub, record)
        ]

    def _pin(self, code: CodeRecord) -> str | None:
        return self._hub.codes.pin(code) if self._shows_pins else None

    def _has_backup(self, code: CodeRecord) -> bool:
        """Whether `pull_backup_access_code` would give one."""
        if code.ends_at is None or code.is_backup:
            return False
        if code.device_id not in self._spare:
            self._spare[code.device_id] = any(map(is_ready_spare, self._hub.codes.of(code.device_id)))
        return code.pulled_backup_id is not None or self._spare[code.device_id]

    # -- warnings ------------------------------------------------------------------------------------------------------

    def _warnings(self, code: CodeRecord, status: CodeStatus) -> list[CodeNotice]:
        found = [self._delay(code, status), self._using_backup(code), self._deletion(code, status)]
        found += [self._foreign(code), _unverified(code, status)]
        return [notice for notice in found if notice is not None]

    def _delay(self, code: CodeRecord, status: CodeStatus) -> CodeNotice | None:
        if not code.is_delay_told or status not in {"setting", "removing"}:
            return None
        where = "setting_on_device" if status == "setting" else "removing_from_device"
        due = code.deleted_at or (code.ends_at if status == "removing" else code.starts_at) or code.changed_at
        words = self._reason(code, self.hold(code))
        at = max(due, code.changed_at)
        return CodeNotice(warning_code=f"delay_in_{where}", message=words, created_at=at)

    def _using_backup(self, code: CodeRecord) -> CodeNotice | None:
        pulled = code.pulled_backup_id
        backup = None if pulled is None else self._hub.journal.tables.codes.get(pulled)
        if backup is None:
            return None
        words = "A backup access code is used in place of this one."
        return CodeNotice(warning_code="using_backup_access_code", message=words, created_at=backup.changed_at)

    def _deletion(self, code: CodeRecord, status: CodeStatus) -> CodeNotice | None:
        if code.deleted_at is None or status != "removing":
            return None
        words = "The access code is being removed from the lock."
        return CodeNotice(warning_code="being_deleted", message=words, created_at=code.deleted_at)

    def _foreign(self, code: CodeRecord) -> CodeNotice | None:
        since = foreign_since(self._hub.codes.book(code.device_id), self._hub.codes.now().at)
        if since is None:
            return None
        words = (
            "Something else changes the codes of this lock: an app of its maker, another hub, somebody at the keypad."
            " It may undo what the hub does."
        )
        return CodeNotice(warning_code="third_party_integration_detected", message=words, created_at=since)

    # -- what is under way ---------------------------------------------------------------------------------------------

    def _mutations(self, code: CodeRecord, status: CodeStatus, hold: Hold | None) -> list[Mutation]:
        keypad, at = self._hub.codes.keypad(code.device_id), self._hub.codes.now().at
        if keypad is None:
            return []
        is_over = code.deleted_at is not None or (code.ends_at is not None and code.ends_at <= at)
        if is_over:
            since = code.deleted_at or code.ends_at or code.changed_at
            return [self._mutation("deleting", code, hold, since)] if code.placement is not None else []
        if hold is not None and hold.code == "not_begun":
            return [_deferred(code, keypad)]
        if status == "removing":  # its start was moved: it goes, and comes back
            return [_deferred(code, keypad)]
        return self._changes(code, keypad, hold) if status == "setting" or self._is_late(code, keypad, at) else []

    def _is_late(self, code: CodeRecord, keypad: KeypadCapability, at: datetime) -> bool:
        """Whether a code that is to be on its lock early is not there yet."""
        return not has_begun(code, at) and not is_in_place(code, keypad)

    def _changes(self, code: CodeRecord, keypad: KeypadCapability, hold: Hold | None) -> list[Mutation]:
        placed, since = code.placement, max(code.changed_at, code.created_at)
        is_there = placed is not None and (placed.state == "set" or placed.is_over)
        if placed is None or not is_there:
            return [self._mutation("creating", code, hold, since)]
        changes = []
        if code.pin is not None and (placed.mark != code.pin.mark or placed.state != "set"):
            made = self._mutation("updating_code", code, hold, since)
            changes.append(_with(made, Values(code=None), Values(code=self._pin(code))))
        wanted = frame_for(code, keypad)
        if placed.frame != wanted:
            made = self._mutation("updating_time_frame", code, hold, since)
            changes.append(_with(made, _frame(placed.frame), _frame(wanted)))
        return changes or [self._mutation("creating", code, hold, since)]

    def _mutation(self, kind: str, code: CodeRecord, hold: Hold | None, since: datetime) -> Mutation:
        return Mutation(mutation_code=kind, message=self._reason(code, hold), created_at=since)  # type: ignore[arg-type]

    def _reason(self, code: CodeRecord, hold: Hold | None) -> str:
        """Say why a change is not done yet and, where it only waits for its turn, for about how long."""
        codes, record = self._hub.codes, self._hub.devices.get(code.device_id)
        why = codes.why(code, hold) or "It is put on the lock ahead of its start."
        if hold is not None or record is None or not self._hub.is_reachable(record):
            return why
        return f"{why} Expected in about {max(1, round(codes.expected_wait(code)))} s."


def _deferred(code: CodeRecord, keypad: KeypadCapability) -> Mutation:
    is_native = frame_for(code, keypad) is not None
    starts = code.starts_at or code.changed_at
    at = starts - PRELOAD if is_native else starts
    words = "It is put on the lock 72 hours before it starts." if is_native else "It is put on the lock when it starts."
    return Mutation(
        mutation_code="deferring_creation",
        message=words,
        created_at=code.changed_at,
        scheduled_at=at,
    )


def _with(mutation: Mutation, before: Values, after: Values) -> Mutation:
    return Mutation(
        mutation_code=mutation.mutation_code,
        message=mutation.message,
        created_at=mutation.created_at,
        before=before,
        after=after,
    )


def _frame(frame: TimeFrame | None) -> Values:
    if frame is None:
        return Values(starts_at=None, ends_at=None)
    return Values(starts_at=frame.starts_at, ends_at=frame.ends_at)


def _type(ends_at: datetime | None) -> CodeType:
    return "ongoing" if ends_at is None else "time_bound"


def _unverified(code: CodeRecord, status: CodeStatus) -> CodeNotice | None:
    if status != "set" or code.placement is None or code.placement.is_verified:
        return None
    words = "Set, and the lock says so; it does not tell PINs, so that nobody can compare."
    at = code.placement.since
    return CodeNotice(
        warning_code="unknown_issue_with_access_code", message=words, created_at=at, hub_code="set_unverifiable"
    )


def is_ready_spare(code: CodeRecord) -> bool:
    """Whether a code is a backup code that can be pulled."""
    is_spare = code.is_backup and code.starts_at is None and code.ends_at is None and code.deleted_at is None
    return is_spare and code.placement is not None and code.placement.state == "set"


def foreign_since(book: CodeBook, at: datetime) -> datetime | None:
    """Return since when something else seems to manage the codes of a lock; None if nothing does."""
    recent = [change for change in book.foreign_changes if at - change < DAY]
    return recent[0] if len(recent) >= FOREIGN_CHANGES else None
