"""Identities. Every id is a lower-case UUID string; derived ones are stable for the life of a box.

The hub id lives in `<data_dir>/hub.id`, outside the database, so that a lost database gives the same ids again.
"""

import secrets
import uuid

type DeviceId = str
type RequestId = str
type AccountId = str


def new_id() -> str:
    """Draw a random id (UUID version 4)."""
    return str(uuid.uuid4())


def derive(hub_id: str, *parts: str) -> str:
    """Derive the id of a thing on this hub: uuid5 of the hub's id over the parts; no two tuples of parts collide."""
    name = "\x1f".join(f"{len(part)}:{part}" for part in parts)
    return str(uuid.uuid5(uuid.UUID(hub_id), name))


def device_id(hub_id: str, instance: str, native_id: str) -> DeviceId:
    """Return the id of the device that driver instance `instance` knows as `native_id`."""
    return derive(hub_id, "device", instance, native_id)


def account_id(hub_id: str, instance: str) -> AccountId:
    """Return the `connected_account_id` of a driver instance (the `<id>` of its `[drivers.<id>]` table)."""
    return derive(hub_id, "connected_account", instance)


def access_id(hub_id: str, kind: str, instance: str, *native: str) -> str:
    """Return the id of a part of an access control system: `system`, `user`, `group`, `zone` or `credential`."""
    return derive(hub_id, "access", kind, instance, *native)


def workspace_id(hub_id: str) -> str:
    """Return the `workspace_id`: one hub is one workspace."""
    return derive(hub_id, "workspace")


_SEQ_BITS = 62
_EPOCH_LOW_BITS = 12


def event_id(epoch: int, seq: int) -> str:
    """Return the id of journal row `seq` of an epoch (60 bits, drawn at random for each database): a UUID version 8."""
    high, low = epoch >> _EPOCH_LOW_BITS, epoch & 0xFFF
    return str(uuid.UUID(int=high << 80 | 0x8 << 76 | low << 64 | 0x2 << _SEQ_BITS | seq))


def event_seq(epoch: int, event: str) -> int | None:
    """Return the sequence number behind an event id, or None when it is not of this epoch."""
    try:
        seq = uuid.UUID(event).int & ((1 << _SEQ_BITS) - 1)
    except ValueError:
        return None
    return seq if event_id(epoch, seq) == event.lower() else None


def new_epoch() -> int:
    """Draw an epoch."""
    return secrets.randbits(60)
