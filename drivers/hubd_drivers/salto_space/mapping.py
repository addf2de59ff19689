"""Space's records in the hub's words, and back. Pure.

A door's native id is its ext id: doors, rooms, suites and lockers share one space of names in every request that names
one, so an id that stands in two lists could not be told apart there either. Encoders are devices too and have a prefix;
an ext id that begins with a prefix itself is put behind one.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from hubd.model import (
    AcsGroup,
    AcsUser,
    AcsZone,
    Capabilities,
    Card,
    DeviceDescription,
    EncoderCapability,
    EntranceCapability,
    LockCapability,
    Permission,
)
from hubd.model.access import CardState
from hubd.model.capability import EntranceType
from hubd_drivers.salto_space.fields import KeyStatus
from hubd_drivers.salto_space.messages import DoorKind, SpaceDoor, SpaceGroup, SpaceUser, SpaceZone
from hubd_drivers.salto_space.messages import Permission as SpacePermission

MAKER: Final = "Salto"
FIRST_START: Final = 2001
"""Space writes 2000-01-01 where a user may come in since ever."""

_ENCODER: Final = "encoder:"
_DOOR: Final = "door:"
TYPES: Final[dict[DoorKind, EntranceType]] = {
    DoorKind.DOOR: "door",
    DoorKind.LOCKER: "locker",
    DoorKind.ROOM: "room",
    DoorKind.SUITE: "suite",
}
_CARD_STATES: Final[dict[KeyStatus | None, CardState]] = {
    KeyStatus.CURRENT: "current",
    KeyStatus.UPDATE_RECOMMENDED: "update_recommended",
    KeyStatus.UPDATE_REQUIRED: "update_required",
    KeyStatus.RE_EDITION_REQUIRED: "reissue_required",
    KeyStatus.EXPIRED: "expired",
}


class Name(NamedTuple):
    """A person's name as Space keeps it."""

    title: str
    first: str
    last: str


# -- ids ---------------------------------------------------------------------------------------------------------------


def door_id(ext_id: str) -> str:
    """Return the native id of a door, room, suite or locker."""
    return f"{_DOOR}{ext_id}" if ext_id.startswith((_ENCODER, _DOOR)) else ext_id


def ext_door_id(native_id: str) -> str:
    """Return the ext id behind a native id of a door."""
    return native_id.removeprefix(_DOOR)


def encoder_id(name: str) -> str:
    """Return the native id of an encoder, which Space knows by a name."""
    return f"{_ENCODER}{name}"


def encoder_name(native_id: str) -> str | None:
    """Return the name of the encoder behind a native id; None if it is none's."""
    return native_id.removeprefix(_ENCODER) if native_id.startswith(_ENCODER) else None


# -- names -------------------------------------------------------------------------------------------------------------


def full_name(name: Name) -> str:
    """Return a person's name in one line."""
    return " ".join(part for part in " ".join(name).split() if part)


def split_name(full: str, before: Name | None = None) -> Name:
    """Return a name in Space's three parts.

    The title that the person has stays, if the new name begins with it. Else the first word is the first name and the
    rest the last name. `full_name` gives the same line back, but for doubled spaces.
    """
    words = full.split()
    title = [] if before is None else before.title.split()
    if title and words[: len(title)] == title:
        words = words[len(title) :]
    else:
        title = []
    return Name(" ".join(title), " ".join(words[:1]), " ".join(words[1:]))


# -- people, access levels, zones --------------------------------------------------------------------------------------


def user(space: SpaceUser) -> AcsUser:
    """Return a person. One without a name is called by the id."""
    starts_at = space.starts_at
    return AcsUser(
        native_id=space.id,
        full_name=full_name(Name(space.title, space.first_name, space.last_name)) or space.id,
        phone_number=space.phone or None,
        starts_at=None if starts_at is None or starts_at.year < FIRST_START else starts_at,
        ends_at=space.ends_at,
        is_suspended=bool(space.is_banned),
        audits_openings=bool(space.audits_openings),
        groups=tuple(sorted(space.groups or ())),
        entrances=_doors(space.doors),
        zones=_permissions(space.zones or ()),
        card=card(space),
    )


def card(space: SpaceUser) -> Card | None:
    """Return the key that a person carries; None where Space says that there is none, or does not say."""
    if not space.has_key:
        return None
    return Card(
        number=space.card_serial or None,
        starts_at=space.key_starts_at,
        ends_at=space.key_ends_at,
        state=_CARD_STATES.get(space.key_status, "unknown"),
    )


def group(space: SpaceGroup) -> AcsGroup:
    """Return an access level. One without a name is called by its id."""
    return AcsGroup(
        native_id=space.id,
        name=space.name or space.id,
        description=space.description,
        entrances=_doors(space.doors),
        zones=_permissions(space.zones or ()),
    )


def zone(space: SpaceZone) -> AcsZone:
    """Return a zone."""
    return AcsZone(
        native_id=space.id,
        name=space.name or space.id,
        entrances=tuple(sorted(door_id(one) for one in space.doors or ())),
    )


def _doors(permissions: Iterable[SpacePermission] | None) -> tuple[Permission, ...]:
    found = _permissions(permissions or ())
    if not any(one.native_id.startswith((_ENCODER, _DOOR)) for one in found):
        return found
    return tuple(Permission(door_id(one.native_id), one.starts_at, one.ends_at) for one in found)


def _permissions(permissions: Iterable[SpacePermission]) -> tuple[Permission, ...]:
    found = [Permission(one.target, one.starts_at, one.ends_at) for one in permissions]
    return tuple(sorted(found, key=_place))


def _place(one: Permission) -> tuple[str, str, str]:
    return one.native_id, _text(one.starts_at), _text(one.ends_at)


def _text(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


# -- doors and encoders ------------------------------------------------------------------------------------------------


def door(space: SpaceDoor, *, is_online: bool, is_shared: bool = False, is_wireless: bool = False) -> DeviceDescription:
    """Return a door, room, suite or locker. `is_shared`: its id stands in another list too, so it is not opened."""
    return DeviceDescription(
        native_id=door_id(space.id),
        kind="entrance",
        device_type="salto_space_entrance",
        name=space.name or space.id,
        manufacturer=MAKER,
        capabilities=Capabilities(
            entrance=EntranceCapability(
                type=TYPES[space.kind],
                is_standalone=not is_online,
                description=space.description,
                audits_on_keys=bool(space.audits_on_keys),
            ),
            lock=LockCapability(can_lock=False, can_unlock=is_online and not is_shared, reports_door=is_online),
            battery=space.battery_percent is not None or is_wireless,
        ),
    )


def encoder(name: str) -> DeviceDescription:
    """Return an encoder of the config."""
    return DeviceDescription(
        native_id=encoder_id(name),
        kind="encoder",
        device_type="salto_space_encoder",
        name=name,
        manufacturer=MAKER,
        capabilities=Capabilities(encoder=EncoderCapability()),
    )
