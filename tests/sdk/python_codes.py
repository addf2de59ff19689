#!/usr/bin/env python3
"""Live the whole life of access codes with the official Python SDK, as property software would.

``python -m tests.sdk.python_codes ENDPOINT KEY DEVICE_NAME``, in the manner of ``python_client``. The hub must serve at
least two managed locks that take codes, all online, with room on each; one of them is called DEVICE_NAME.
"""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sdk.python_client import Session, Step, check, eventually, fail, iso, main, moment, refused, step

STEPS: list[Step] = []
HOUR = timedelta(hours=1)


def soon(hours: float) -> str:
    """Return a time so many hours from now."""
    return iso(datetime.now(UTC) + hours * HOUR)


def get(session: Session, purpose: str) -> Any:
    """Return a code as it is now."""
    return session.seam.access_codes.get(access_code_id=session.codes[purpose])


def until(session: Session, purpose: str, status: str) -> Any:
    """Poll a code until it has a status."""
    eventually(lambda: get(session, purpose).status == status, f"{purpose} was not {status}")
    return get(session, purpose)


def change(session: Session, purpose: str, **members: Any) -> None:
    """Update a code."""
    session.seam.access_codes.update(access_code_id=session.codes[purpose], **members)


def gone(session: Session, access_code_id: str) -> bool:
    """Whether the hub has such a code no more."""
    return not session.seam.access_codes.list(access_code_ids=[access_code_id])


@step("exactly one lock called DEVICE_NAME, which takes codes, and another one that does", STEPS)
def find_locks(session: Session) -> object:
    """Find the locks."""
    locks = [lock for lock in session.seam.locks.list() if lock.can_program_online_access_codes]
    session.ids = {lock.device_id for lock in locks}
    (found,) = [lock for lock in locks if lock.display_name == session.name]
    session.lock_id = found.device_id
    check(len(session.ids) > 1, message=f"{len(locks)} lock(s) take codes")
    check("access_code" in found.capabilities_supported, message="capabilities_supported lacks access_code")
    lengths = found.properties.supported_code_lengths
    check(lengths, message="no length of a PIN is supported")
    return {"locks": len(locks), "lengths": lengths}


@step("a PIN of a length that the lock takes, and nothing kept of it", STEPS)
def generate(session: Session) -> object:
    """Have a PIN drawn."""
    found = session.seam.access_codes.generate_code(device_id=session.lock_id)
    check(found.code and found.code.isdigit(), message="no PIN")
    check(session.seam.access_codes.list(device_id=session.lock_id) == [], message="there is a code already")
    session.codes["pin"] = found.code
    return len(found.code)


@step("the code is setting or set at once, and set soon; get by id and by PIN find it, the list has it", STEPS)
def create(session: Session) -> object:
    """Make an ongoing code and poll it."""
    made = session.seam.access_codes.create(device_id=session.lock_id, name="Anna", code=session.codes["pin"])
    session.codes["ongoing"] = made.access_code_id
    check(made.status in {"setting", "set"}, message=f"status {made.status}")
    code = until(session, "ongoing", "set")
    seen = (code.name, code.type, code.code, code.is_managed, code.errors, code.pending_mutations)
    check(seen == ("Anna", "ongoing", session.codes["pin"], True, [], []), message=f"got {seen}")
    by_pin = session.seam.access_codes.get(device_id=session.lock_id, code=session.codes["pin"])
    check(by_pin.access_code_id == code.access_code_id, message="another code has this PIN")
    listed = session.seam.access_codes.list(device_id=session.lock_id)
    check([one.access_code_id for one in listed] == [code.access_code_id], message="the list is another one")
    return {"first": made.status}


@step("SeamHttpApiError: 409, duplicate_access_code", STEPS)
def duplicate(session: Session) -> object:
    """Make another code with that PIN."""

    def again() -> object:
        return session.seam.access_codes.create(device_id=session.lock_id, code=session.codes["pin"])

    error = refused(again, session.sdk.SeamHttpApiError, 409, "duplicate_access_code")
    check(session.codes["pin"] not in str(error), message="the message tells the PIN")
    return str(error)


@step("SeamHttpInvalidInputError: 400, invalid_input, naming ends_at", STEPS)
def backwards(session: Session) -> object:
    """Make a code that ends before it starts."""

    def make() -> object:
        return session.seam.access_codes.create(device_id=session.lock_id, starts_at=soon(2), ends_at=soon(1))

    error = refused(make, session.sdk.SeamHttpInvalidInputError, 400, "invalid_input")
    check("ends_at" in str(error), message=f"the message does not name ends_at: {error}")
    return str(error)


@step("unset until it starts, with the time as a pending mutation", STEPS)
def time_bound(session: Session) -> object:
    """Make a code for next week."""
    made = session.seam.access_codes.create(
        device_id=session.lock_id, name="Ben", starts_at=soon(150), ends_at=soon(160), use_backup_access_code_pool=True
    )
    session.codes["bound"] = made.access_code_id
    check((made.type, made.status) == ("time_bound", "unset"), message=f"{made.type}, {made.status}")
    return str(made.pending_mutations)


@step("the same code, set; its times as given", STEPS)
def earlier(session: Session) -> object:
    """Let the guest come earlier."""
    starts_at = soon(-1)
    change(session, "bound", starts_at=starts_at, name="Benno")
    code = until(session, "bound", "set")
    check(moment(code.starts_at) == moment(starts_at), message=f"starts_at {code.starts_at}")
    check((code.name, code.access_code_id) == ("Benno", session.codes["bound"]), message="another code")
    return code.starts_at


@step("set, with another end; then unset, and set again", STEPS)
def later(session: Session) -> object:
    """Let the guest stay longer, then come later, then come at once."""
    ends_at = soon(200)
    change(session, "bound", ends_at=ends_at)
    check(moment(until(session, "bound", "set").ends_at) == moment(ends_at), message="another end")
    change(session, "bound", starts_at=soon(150))
    until(session, "bound", "unset")
    change(session, "bound", starts_at=soon(-1))
    return until(session, "bound", "set").ends_at


@step("a code that is set already, ends with the other one, and is the same when pulled again", STEPS)
def backup(session: Session) -> object:
    """Pull a backup code."""
    eventually(lambda: get(session, "bound").is_backup_access_code_available, "no backup code was there")
    pulled = session.seam.access_codes.pull_backup_access_code(access_code_id=session.codes["bound"])
    again = session.seam.access_codes.pull_backup_access_code(access_code_id=session.codes["bound"])
    check(pulled.is_backup and pulled.status == "set", message=f"status {pulled.status}")
    check(again.access_code_id == pulled.access_code_id, message="another one the second time")
    code = get(session, "bound")
    check(code.pulled_backup_access_code_id == pulled.access_code_id, message="the code does not name it")
    check(moment(pulled.ends_at) == moment(code.ends_at), message=f"it ends {pulled.ends_at}")
    check(pulled.code != code.code, message="it has the same PIN")
    return {"name": pulled.name}


@step("one PIN and one common_code_key on every lock, set soon; the same call again: the same codes", STEPS)
def multiple(session: Session) -> object:
    """Make one code on all locks, twice, and rename them."""
    ids = sorted(session.ids)
    made = session.seam.access_codes.create_multiple(device_ids=ids, name="Cleaner")
    again = session.seam.access_codes.create_multiple(device_ids=ids, name="Cleaner")
    check(len({code.code for code in made}) == 1, message="several PINs")
    check(len({code.common_code_key for code in made}) == 1, message="several keys")
    check([one.access_code_id for one in made] == [one.access_code_id for one in again], message="other codes")
    for number, code in enumerate(made):
        session.codes[f"multiple {number}"] = code.access_code_id
        until(session, f"multiple {number}", "set")
    session.seam.access_codes.update_multiple(common_code_key=made[0].common_code_key, name="Cleaning")
    names = {get(session, f"multiple {number}").name for number in range(len(made))}
    check(names == {"Cleaning"}, message=f"names {names}")
    return {"locks": len(made)}


@step("unmanaged, still on the lock; then managed again, twice is once", STEPS)
def unmanaged(session: Session) -> object:
    """Leave a code alone, find it among what is unmanaged, and take it on."""
    code_id = session.codes["ongoing"]
    change(session, "ongoing", is_managed=False)
    (found,) = session.seam.access_codes.unmanaged.list(device_id=session.lock_id)
    check(found.access_code_id == code_id, message="another code")
    one = session.seam.access_codes.unmanaged.get(access_code_id=code_id)
    check((one.code, one.status, one.is_managed) == (session.codes["pin"], "set", False), message=f"{one.status}")
    for _ in range(2):
        session.seam.access_codes.unmanaged.convert_to_managed(access_code_id=code_id)
    check(session.seam.access_codes.unmanaged.list(device_id=session.lock_id) == [], message="still unmanaged")
    return until(session, "ongoing", "set").name


@step("created, set and so on, of this code and without its PIN", STEPS)
def events(session: Session) -> object:
    """List the events of a code."""
    seen = session.seam.events.list(since=iso(datetime.now(UTC) - HOUR), access_code_id=session.codes["bound"])
    types = [event.event_type.removeprefix("access_code.") for event in seen]
    needed = {"created", "set_on_device", "changed", "time_frame_changed", "removed_from_device"}
    check(needed <= set(types), message=f"missing: {needed - set(types)}")
    check(all(event.access_code_id == session.codes["bound"] for event in seen), message="another code's event")
    check({getattr(event, "code", None) or "****" for event in seen} == {"****"}, message="an event has a PIN")
    return types


@step("gone from every lock and list; 404, access_code_not_found", STEPS)
def delete(session: Session) -> object:
    """Delete all codes."""
    names = [name for name in session.codes if name != "pin"]
    for name in names:
        session.seam.access_codes.delete(access_code_id=session.codes[name])
    for name in names:
        eventually(lambda name=name: gone(session, session.codes[name]), f"{name} was not gone")  # type: ignore[misc]
    error = refused(lambda: get(session, "bound"), session.sdk.SeamHttpApiError, 404, "access_code_not_found")
    left = [code for code in session.seam.access_codes.list(device_id=session.lock_id) if not code.is_backup]
    if left:
        fail(f"{len(left)} codes are left")
    return str(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], STEPS))
