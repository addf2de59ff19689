"""Which parts of access control systems a call means, and who may pass what."""

from collections.abc import Iterable
from datetime import datetime

from hubd.api.params import Params, Uuid
from hubd.api.route import Call
from hubd.core.hub import Hub
from hubd.model.device import Kind
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError
from hubd.store.access import CredentialRecord, GroupRecord, UserRecord
from hubd.store.records import DeviceRecord, micros

NO_IDENTITIES = "A hub knows no user identities; name the user by acs_user_id."


class OneUser(Params, frozen=True, kw_only=True):
    """Which user: by id, and of a system if one is named. A hub knows no user identities."""

    acs_system_id: Uuid | None = None
    acs_user_id: Uuid | None = None
    user_identity_id: Uuid | None = None


def instance_of(hub: Hub, system_id: str) -> str:
    """Return the instance that is a system. Raises `NotFoundError` (`acs_system_not_found`)."""
    found = known_instance(hub, system_id)
    if found is None:
        message = "There is no such access control system on this hub."
        raise NotFoundError("acs_system_not_found", message, acs_system_id=system_id)
    return found


def known_instance(hub: Hub, system_id: str) -> str | None:
    """Return the configured instance that is a system."""
    wanted = system_id.lower()
    return next((name for name in hub.access.instances if hub.access.notes.system_id(name) == wanted), None)


def refuse_identity(user_identity_id: str | None) -> None:
    """Raise `RefusedError` where a user is named by an identity."""
    if user_identity_id is not None:
        raise RefusedError("not_supported", NO_IDENTITIES, user_identity_id=user_identity_id)


def user_of(call: Call, params: OneUser) -> UserRecord:
    """Return the user meant. Raises `InvalidInputError`, `NotFoundError`, `RefusedError`."""
    refuse_identity(params.user_identity_id)
    user = named_user(call, params.acs_user_id)
    check_system(call, user, params.acs_system_id)
    return user


def named_user(call: Call, user_id: str | None) -> UserRecord:
    """Return a user by id. Raises `InvalidInputError`, `NotFoundError` (`acs_user_not_found`)."""
    if user_id is None:
        raise InvalidInputError("acs_user_id", "is required")
    return call.hub.access.user(user_id.lower())


def check_system(call: Call, record: UserRecord | GroupRecord | CredentialRecord, system_id: str | None) -> None:
    """Raise `NotFoundError` unless a record is of the system that is named, if one is."""
    if system_id is not None and instance_of(call.hub, system_id) != record.instance:
        message = "It is of another access control system than the acs_system_id that is given."
        raise NotFoundError("not_in_acs_system", message, acs_system_id=system_id)


def check_same(instance: str, other: str) -> None:
    """Raise `RefusedError` unless two things are of one system."""
    if instance != other:
        raise RefusedError("acs_systems_differ", "They are of two different access control systems.")


def devices(hub: Hub, kind: Kind) -> list[DeviceRecord]:
    """Return the managed doors, or encoders, of all configured systems."""
    instances = set(hub.access.instances)
    return [
        record
        for record in hub.devices.values()
        if record.removed_at is None
        and record.is_managed
        and record.device.description.kind == kind
        and record.device.instance in instances
    ]


def device(hub: Hub, kind: Kind, device_id: str) -> DeviceRecord:
    """Return a managed door, or encoder. Raises `NotFoundError` (`acs_entrance_not_found`, ...), `RefusedError`."""
    record = hub.devices.get(device_id.lower())
    is_there = record is not None and record.removed_at is None and record.device.instance in hub.access.instances
    if record is None or not is_there or record.device.description.kind != kind:
        message = f"There is no such {kind} on this hub."
        if kind == "entrance":
            raise NotFoundError("acs_entrance_not_found", message, acs_entrance_id=device_id)
        raise NotFoundError("acs_encoder_not_found", message, acs_encoder_id=device_id)
    if not record.is_managed:
        table = f"[drivers.{record.device.instance}]"
        message = f"This {kind} is not managed; include_kinds, include_ids and their fellows in {table} say what is."
        raise RefusedError("device_unmanaged", message, device_id=device_id)
    return record


def doors(hub: Hub, instance: str, native_ids: set[str]) -> list[DeviceRecord]:
    """Return the doors that a system knows by native ids, by first sight."""
    found = [
        record
        for record in devices(hub, "entrance")
        if record.device.instance == instance and record.device.description.native_id in native_ids
    ]
    return sorted(found, key=lambda record: (record.found_at, record.device.device_id))


def doors_of_user(hub: Hub, user: UserRecord) -> list[DeviceRecord]:
    """Return the doors that a user may pass."""
    return doors(hub, user.instance, hub.access.reach(user.instance).of_user(user.user))


def user_behind(hub: Hub, credential: CredentialRecord) -> UserRecord | None:
    """Return whose credential it is; None where it is nobody's."""
    return None if credential.user_id is None else hub.access.user(credential.user_id)


def may_pass(hub: Hub, user: UserRecord, door: DeviceRecord, at: datetime, earliest: datetime | None = None) -> bool:
    """Whether a user may pass a door at a time, as far as the system tells; see `Reach.of_user`."""
    native_ids = hub.access.reach(user.instance).of_user(user.user, at, earliest)
    return user.instance == door.device.instance and door.device.description.native_id in native_ids


def passing(hub: Hub, door: DeviceRecord) -> set[str]:
    """Return the ids of the users who may pass a door."""
    instance, native_id = door.device.instance, door.device.description.native_id
    reach = hub.access.reach(instance)
    groups = {
        one.group.native_id
        for one in hub.access.groups()
        if one.instance == instance and native_id in reach.of_group(one.group)
    }
    return {
        one.id
        for one in hub.access.users()
        if one.instance == instance
        and not one.user.is_suspended
        and (not groups.isdisjoint(one.user.groups) or native_id in reach.of_own(one.user))
    }


def position(record: UserRecord | GroupRecord | CredentialRecord) -> tuple[int, str]:
    """Return the place of a record in lists: by age."""
    return micros(record.created_at), record.id


def of_system[T: UserRecord | GroupRecord | CredentialRecord](
    call: Call, records: Iterable[T], system_id: str | None
) -> list[T]:
    """Return the records of one system, or of all; of one that is not there, none."""
    if system_id is None:
        return list(records)
    instance = known_instance(call.hub, system_id)
    return [record for record in records if record.instance == instance]


def is_before(at: datetime, bound: datetime | None) -> bool:
    """Whether a time is before a bound, if there is one; without an offset it is UTC."""
    return bound is None or at < (bound if bound.tzinfo is not None else bound.replace(tzinfo=at.tzinfo))


def has_words(words: str | None, *places: str | None) -> bool:
    """Whether what is searched for is in one of the places."""
    return words is None or words.lower() in " ".join(filter(None, places)).lower()
