"""A call that changes something in an access control system: durable first, then held until the system has it."""

from collections.abc import Sequence

from hubd.api.acs_people import is_being_deleted
from hubd.api.route import Call
from hubd.core.access.courier import End
from hubd.core.access.desk import Also
from hubd.model.access import AccessChange
from hubd.model.errors import RefusedError
from hubd.store.access import EditRecord, GroupRecord, UserRecord


def waiting(call: Call, record: UserRecord | GroupRecord) -> list[EditRecord]:
    """Return what somebody wished of a user or group and the system does not hold yet, in order."""
    return [edit for edit in call.hub.access.pending(record.instance) if edit.subject_id == record.id]


def check_staying(call: Call, record: UserRecord) -> None:
    """Raise `RefusedError` for a user who is to be no more."""
    if is_being_deleted(waiting(call, record)):
        message = "This user is being deleted from the system; nothing else is changed about them."
        raise RefusedError("acs_user_being_deleted", message, acs_user_id=record.id)


async def change(call: Call, record: UserRecord | GroupRecord, changes: Sequence[AccessChange]) -> None:
    """Have a system make changes of one user or group; held until it has, or for the time that calls are held.

    Raises `RefusedError` with what the system says, when it refuses one for good within that time.
    """
    ends = await held(call, record.instance, changes)
    refusal = first_refusal(ends)
    if refusal is not None:
        await call.hub.access.forgive(record.id)
        raise refusal


async def held(
    call: Call,
    instance: str,
    changes: Sequence[AccessChange],
    *,
    email_address: str | None = None,
    also: Also | None = None,
) -> list[End | None]:
    """Wish changes and wait, as long as calls are held; returns how each ended, None of one that goes on."""
    access, by = call.hub.access, call.principal.key_id
    edits = await access.wish(instance, changes, by, email_address=email_address, also=also)
    return await access.settle(edits, call.hold_seconds)


def first_refusal(ends: Sequence[End | None]) -> RefusedError | None:
    """Return the error of the first change that was refused for good."""
    return next((RefusedError(end.code, end.message) for end in ends if end is not None and end.code), None)
