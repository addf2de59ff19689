"""`/locks/*`: orders on locks, held until settled for ten seconds at most."""

from hubd.api import acs_attempts, project, shapes
from hubd.api.devices import GetDevice, check_managed, find, position
from hubd.api.filters import DeviceFilters, matching, plain_device
from hubd.api.paging import page
from hubd.api.params import Limit, Params, Uuid
from hubd.api.route import ACT, READ, Call, as_attempt, route
from hubd.core.hub import ORDER_DEADLINE
from hubd.model.capability import LockCapability
from hubd.model.command import LockDoor, Order, UnlockDoor
from hubd.model.errors import RefusedError, StoreError
from hubd.store.records import DeviceRecord


class LockFilters(DeviceFilters, frozen=True, kw_only=True):
    """As for devices; this list has no pages in Seam's schema, so it is whole unless a limit is given."""

    limit: Limit = 100_000


class TurnLock(Params, frozen=True, kw_only=True):
    """Which lock. `sync` changes nothing: the hub always answers when the attempt is settled, or after ten seconds."""

    device_id: Uuid
    sync: bool = False


async def get(call: Call, params: GetDevice) -> shapes.LockAnswer:
    """Return a managed lock."""
    shape = project.device(call.hub, find(call, params, is_managed=True, kind="lock"))
    return shapes.LockAnswer(lock=shape, device=shape)


async def list_locks(call: Call, params: LockFilters) -> shapes.LockListAnswer:
    """Return the managed locks."""
    found = [r for r in matching(call.hub, params) if r.is_managed and r.device.description.kind == "lock"]
    cut, pagination = page(found, position, params, call.request)
    locks = [project.device(call.hub, record) for record in cut]
    return shapes.LockListAnswer(locks=locks, devices=locks, pagination=pagination)


async def lock_door(call: Call, params: TurnLock) -> shapes.AttemptAnswer:
    """Throw the bolt and answer how it ended."""
    record, capability = _lock(call, params.device_id)
    if not capability.can_lock:
        raise _lacks(record, "can_remotely_lock")
    command = LockDoor(device_id=record.device.device_id, native_id=record.device.description.native_id)
    return await order(call, command)


async def unlock_door(call: Call, params: TurnLock) -> shapes.AttemptAnswer:
    """Draw the bolt and answer how it ended."""
    record, capability = _lock(call, params.device_id)
    if not capability.can_unlock:
        raise _lacks(record, "can_remotely_unlock")
    command = UnlockDoor(device_id=record.device.device_id, native_id=record.device.description.native_id)
    return await order(call, command)


def _lock(call: Call, device_id: str) -> tuple[DeviceRecord, LockCapability]:
    record = plain_device(call.hub, device_id.lower())
    check_managed(record, is_managed=True)
    capability = record.device.description.capabilities.lock
    if capability is None:
        message = "The device is not a lock."
        flag = "capabilities_supported.lock"
        raise RefusedError("device_type_not_supported", message, device_id=device_id, flag=flag)
    return record, capability


def _lacks(record: DeviceRecord, flag: str) -> RefusedError:
    message = f"The device cannot do this: its {flag} is not true."
    return RefusedError("not_supported", message, device_id=record.device.device_id, flag=flag)


async def order(call: Call, command: Order, deadline_seconds: float = ORDER_DEADLINE) -> shapes.AttemptAnswer:
    """Submit a command, hold until it is settled, and answer with the attempt."""
    hub = call.hub
    request_id = await hub.submit(
        command,
        call.principal.key_id,
        deadline_seconds=deadline_seconds,
        wait_seconds=call.hold_seconds,
        also=None if call.keeper is None else call.keeper.command,
    )
    record = await hub.journal.command(request_id)
    if record is None:
        raise StoreError("command_lost", "The command was accepted but its record cannot be read.")
    return as_attempt(acs_attempts.shown(hub, record))


ROUTES = [
    route("/locks/get", READ, get, shapes.LockAnswer, GetDevice),
    route("/locks/list", READ, list_locks, shapes.LockListAnswer, LockFilters),
    route("/locks/lock_door", ACT, lock_door, shapes.AttemptAnswer, TurnLock, "operator"),
    route("/locks/unlock_door", ACT, unlock_door, shapes.AttemptAnswer, TurnLock, "operator"),
]
