"""What a driver instance that is an access control system holds and waits for, as parts of its page."""

from collections.abc import Mapping
from typing import Final

import msgspec

from hubd.core.health import Caution
from hubd.model.access import CreateUser, DeleteGroup
from hubd.store.access import CredentialRecord, EditRecord, GroupRecord, UserRecord
from hubd.web import doors, words
from hubd.web.access_sentences import CHANGES
from hubd.web.desk import Desk
from hubd.web.facts import Fact, Facts
from hubd.web.parts import Part
from hubd.web.scene import first_upper
from hubd.web.words import Stamp, plain

MAX_EDITS: Final = 50
MAX_CAUTIONS: Final = 50


class System(msgspec.Struct, frozen=True):
    """What a system holds. `instance` leads to its users."""

    instance: str
    facts: Facts
    users: str


class EditLine(msgspec.Struct, frozen=True, kw_only=True):
    """A change that waits. `why` empty: it is its turn soon, or now."""

    what: str
    whom: str
    by: str
    since: Stamp
    why: str
    tries: str
    next_try: Stamp | None


class Edits(msgspec.Struct, frozen=True):
    """The changes that wait for a system, in their order; `more` are not shown."""

    edits: tuple[EditLine, ...]
    more: int = 0


class CautionLine(msgspec.Struct, frozen=True):
    """Something that is not as it should be, though the system works."""

    message: str
    remedy: str
    since: Stamp


class Cautions(msgspec.Struct, frozen=True):
    """All of them."""

    cautions: tuple[CautionLine, ...]


def system_parts(desk: Desk, instance: str) -> list[Part]:
    """Build what the page of a driver instance says of the system behind it; cautions of any, the rest of its kind."""
    cautions = Part("cautions", "cautions.html", _cautions(desk, desk.hub.health[instance].cautions))
    if instance not in desk.hub.access.instances:
        return [cautions]
    edits = Part("edits", "edits.html", _edits(desk, instance))
    return [cautions, Part("system", "system.html", _system(desk, instance)), edits]


def _cautions(desk: Desk, cautions: Mapping[str, Caution]) -> Cautions:
    found = sorted(cautions.values(), key=lambda one: one.since)[:MAX_CAUTIONS]
    return Cautions(tuple(CautionLine(plain(one.message), plain(one.remedy), desk.stamp(one.since)) for one in found))


def _system(desk: Desk, instance: str) -> System:
    access = desk.hub.access
    users = [record for record in access.users() if record.instance == instance]
    groups = sum(record.instance == instance for record in access.groups())
    record = access.system(instance)
    facts = [
        Fact("Doors", _doors(desk, instance)),
        Fact("Users", _users(users)),
        Fact("Access groups", str(groups)),
        Fact("Credentials", _credentials([one for one in access.credentials() if one.instance == instance])),
        Fact("Waiting changes", str(len(access.pending(instance))) if access.pending(instance) else "none"),
    ]
    if record is None or not record.is_read:
        facts.append(Fact("Read", "not completely yet"))
    if record is not None:
        facts.append(Fact("Known to the hub", "", desk.stamp(record.created_at)))
    return System(instance, Facts(tuple(facts)), words.count(len(users), "user", "users"))


def _doors(desk: Desk, instance: str) -> str:
    devices = [r for r in desk.hub.devices.values() if r.device.instance == instance and r.removed_at is None]
    found = [r.device.description.capabilities for r in devices if r.device.description.capabilities.entrance]
    encoders = sum(r.device.description.capabilities.encoder is not None for r in devices)
    standalone = sum(doors.is_standalone(one) for one in found)
    parts = [f"{len(found) - standalone} online", f"{standalone} standalone"]
    return ", ".join([*parts, words.count(encoders, "encoder", "encoders")])


def _users(users: list[UserRecord]) -> str:
    suspended = sum(record.user.is_suspended for record in users)
    troubled = sum(record.problem is not None for record in users)
    parts = [str(len(users))]
    parts += [f"{suspended} suspended"] if suspended else []
    parts += [f"{troubled} with a problem"] if troubled else []
    return ", ".join(parts)


def _credentials(records: list[CredentialRecord]) -> str:
    waiting = sum(record.wants is not None for record in records)
    keys = sum(record.method == "cloud_key" for record in records)
    parts = [words.count(len(records) - keys, "card", "cards")]
    parts += [words.count(keys, "cloud key", "cloud keys")] if keys else []
    parts += [f"{waiting} to be written at an encoder"] if waiting else []
    return ", ".join(parts)


def _edits(desk: Desk, instance: str) -> Edits:
    pending = desk.hub.access.pending(instance)
    lines = tuple(_edit(desk, edit) for edit in pending[:MAX_EDITS])
    return Edits(lines, max(0, len(pending) - MAX_EDITS))


def _edit(desk: Desk, edit: EditRecord) -> EditLine:
    trouble, what = edit.trouble, str(edit.change.__struct_config__.tag)
    return EditLine(
        what=first_upper(CHANGES.get(what, what)),
        whom=_whom(desk, edit),
        by=desk.who(edit.by),
        since=desk.stamp(edit.created_at),
        why="" if trouble is None else plain(trouble.message),
        tries="" if trouble is None else words.count(trouble.attempts, "try", "tries"),
        next_try=None if trouble is None else desk.stamp(trouble.retry_at),
    )


def _whom(desk: Desk, edit: EditRecord) -> str:
    if isinstance(edit.change, DeleteGroup):
        group = desk.hub.journal.tables.access.all(GroupRecord).get(edit.subject_id)
        return "" if group is None else words.name(group.group.name)
    if isinstance(edit.change, CreateUser):
        return words.name(edit.change.user.full_name)
    user = desk.hub.journal.tables.access.all(UserRecord).get(edit.subject_id)
    return "" if user is None else words.name(user.user.full_name)
