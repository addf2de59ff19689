"""`hubd replace`: a new device takes over id, name and settings of one that broke."""

from hubd.core import twins
from hubd.core.climate.moving import move_plan
from hubd.core.codes.moving import move
from hubd.core.hub import Hub
from hubd.core.silence import AT_ONCE, hear
from hubd.model.device import Device
from hubd.model.errors import BusyError, InvalidInputError, NotFoundError, RefusedError
from hubd.model.event import DeviceRemoved, DeviceReplaced
from hubd.model.seen import ReachabilitySeen
from hubd.store.records import DeviceRecord
from hubd.store.tables import View


async def replace(
    hub: Hub, device_id: str, replacement_id: str, by: str, *, is_old_present_ok: bool = False
) -> DeviceRecord:
    """Put the device `replacement_id` in the place of `device_id`, and return what that is now.

    The two ids swap what they stand for: the kept one is the new hardware with its state, and the other one, marked
    removed, is the old hardware, should it ever come back. `is_old_present_ok` allows it while the old one answers.
    Raises `NotFoundError`, `InvalidInputError`, `RefusedError`, `BusyError`, `StoreError`.
    """

    def apply(view: View) -> None:
        kept, spent = _both(view, device_id, replacement_id)
        _check(hub, kept, spent, is_old_present_ok=is_old_present_ok)
        _swap(view, kept, spent, by)

    await hub.journal.transact(apply)
    for changed in (device_id, replacement_id):
        hub.dispatcher.note_order(changed, None)  # no bolt speaks for an order to another lock
        hub.codes.reconciler.heard(changed)  # nor is it the new one that did not answer
        hub.thermostats.reconciler.heard(changed, has_told=False)
    return hub.devices[device_id]


def _both(view: View, device_id: str, replacement_id: str) -> tuple[DeviceRecord, DeviceRecord]:
    if device_id == replacement_id:
        raise InvalidInputError("replacement_device_id", "is the device itself")
    kept, spent = view.device(device_id), view.device(replacement_id)
    if kept is None:
        raise NotFoundError("device_not_found", "There was never such a device on this hub.", device_id=device_id)
    if spent is None or spent.removed_at is not None:
        message = "The device that is to take the place is not on this hub; include it first."
        raise NotFoundError("device_not_found", message, device_id=replacement_id)
    return kept, spent


def _check(hub: Hub, kept: DeviceRecord, spent: DeviceRecord, *, is_old_present_ok: bool) -> None:
    """Refuse what would take a door away from somebody. Raises `RefusedError`, `BusyError`."""
    kinds = kept.device.description.kind, spent.device.description.kind
    if kinds[0] != kinds[1]:
        message = f"A {kinds[1]} cannot take the place of a {kinds[0]}; look whether the ids are right."
        raise RefusedError("replacement_of_other_kind", message)
    if kept.device.description.is_access or spent.device.description.is_access:
        message = (
            "Doors and encoders of an access control system keep their place in it when their hardware is exchanged;"
            " nothing is to be replaced on the hub."
        )
        raise RefusedError("not_supported", message, device_id=kept.device.device_id)
    if not hub.is_reachable(spent):
        message = f"“{spent.name}” does not answer, so it cannot take over yet; see to it and try again."
        raise RefusedError("replacement_unreachable", message, device_id=spent.device.device_id)
    if hub.is_reachable(kept) and not is_old_present_ok:
        message = f"“{kept.name}” still answers. If it is really to be replaced, exclude it first, or force it."
        raise RefusedError("device_still_answers", message, device_id=kept.device.device_id)
    instance = hub.instances.get(spent.device.instance)
    if kept.is_managed and instance is not None:
        description = spent.device.description
        if instance.policy.excludes(description, kept.device.device_id):
            message = f"The new device is excluded in [drivers.{spent.device.instance}] of the config."
            raise RefusedError("device_excluded_by_config", message, device_id=spent.device.device_id)
    for record in (kept, spent):
        if hub.dispatcher.is_busy(record.device.device_id):
            message = f"An order to “{record.name}” is under way; try again when it has ended."
            raise BusyError("commands_under_way", message, device_id=record.device.device_id)


def _swap(view: View, kept: DeviceRecord, spent: DeviceRecord, by: str) -> None:
    kept_id, spent_id = kept.device.device_id, spent.device.device_id
    device = Device(kept_id, spent.device.instance, spent.device.description)
    replaced = Device(spent_id, kept.device.instance, kept.device.description)
    event = DeviceReplaced(device=device, replaced=replaced, by=by)
    view.emit(event, public=_public(kept), instance=device.instance, device_id=kept_id)
    heir = view.device(kept_id)
    if heir is not None:
        hear(view, heir, ReachabilitySeen(native_id=device.description.native_id, online=True), AT_ONCE)
    move(view, kept_id, spent_id)
    move_plan(view, kept_id, spent_id)
    view.emit(
        DeviceRemoved(reason=f"It took the place of “{kept.name}”, under whose id it goes on."),
        public="device.removed" if spent.is_managed else None,
        instance=spent.device.instance,
        device_id=spent_id,
    )
    twins.notice(view, kept_id)


def _public(kept: DeviceRecord) -> str | None:
    """Return what an integrator has to hear of the kept id: nothing, unless it was gone. Its name stays."""
    return "device.added" if kept.is_managed and kept.removed_at is not None else None
