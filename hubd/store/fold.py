"""How an event changes the tables. Pure: a view in, the same view out, no clock and no I/O."""

from datetime import datetime
from typing import Protocol

from msgspec import UNSET
from msgspec.structs import replace

from hubd.model.event import (
    AccountEdited,
    ActionEnded,
    ActionStarted,
    BatteryChanged,
    CommandAccepted,
    CommandResolved,
    CommandSettled,
    CommandStarted,
    DeviceConnected,
    DeviceDescribed,
    DeviceDisconnected,
    DeviceEdited,
    DeviceFound,
    DeviceRemoved,
    DeviceReplaced,
    DoorChanged,
    DuplicateNoticed,
    Event,
    HopBack,
    HopLost,
    LockChanged,
    LockUncertain,
)
from hubd.model.state import DeviceState
from hubd.store.records import DROPS, CommandRecord, DeviceRecord, InstanceRecord, OpenAction, Resolution


class FoldView(Protocol):
    """The tables as the fold sees them."""

    def device(self, device_id: str) -> DeviceRecord | None:
        """Return a device."""
        ...

    def put_device(self, record: DeviceRecord) -> None:
        """Write a device."""
        ...

    def command(self, request_id: str) -> CommandRecord | None:
        """Return a command that is open or was lately settled."""
        ...

    def put_command(self, record: CommandRecord) -> None:
        """Write a command."""
        ...

    def instance(self, instance: str) -> InstanceRecord | None:
        """Return a driver instance."""
        ...

    def put_instance(self, record: InstanceRecord) -> None:
        """Write a driver instance."""
        ...


def fold(view: FoldView, event: Event, instance: str | None, device_id: str | None, at: datetime) -> None:
    """Apply one event that happened `at`. Events about devices or commands that are not known change nothing."""
    match event:
        case CommandAccepted() | CommandStarted() | CommandSettled() | CommandResolved():
            _fold_command(view, event, at)
        case HopLost() | HopBack() | AccountEdited() if instance is not None:
            _fold_instance(view, event, instance, at)
        case ActionStarted() | ActionEnded() if instance is not None:
            _fold_action(view, event, instance, device_id, at)
        case DeviceFound(device=device, is_managed=is_managed):
            _fold_found(view, event, is_managed=is_managed, at=at, device_id=device.device_id)
        case DeviceReplaced():
            _fold_replaced(view, event)
        case DuplicateNoticed(device_ids=(one, other)):
            _fold_twin(view, one, other)
            _fold_twin(view, other, one)
        case _ if device_id is not None:
            record = view.device(device_id)
            if record is not None:
                view.put_device(_changed(record, event, at))
        case _:
            pass


def _fold_found(view: FoldView, event: DeviceFound, *, is_managed: bool, at: datetime, device_id: str) -> None:
    """One that returns is what it was; one of another kind, under an id that its network gave away again, is not."""
    known = view.device(device_id)
    if known is None or known.device.description.kind != event.device.description.kind:
        view.put_device(DeviceRecord(event.device, DeviceState(changed_at=at), is_managed, found_at=at))
    else:
        view.put_device(replace(known, device=event.device, is_managed=is_managed, removed_at=None))


def _fold_replaced(view: FoldView, event: DeviceReplaced) -> None:
    """Swap what two ids stand for. What people call the kept one stays, as its nickname.

    It is online as before: that it answers now is an event of its own.
    """
    kept, spent = view.device(event.device.device_id), view.device(event.replaced.device_id)
    if kept is None or spent is None:
        return
    was = kept.state
    state = replace(spent.state, online=was.online, offline_reason=was.offline_reason, changed_at=was.changed_at)
    own = kept.device.description.name
    nickname = kept.nickname or (None if own == event.device.description.name else own)
    heir = replace(kept, device=event.device, state=state, removed_at=None, absence=spent.absence, nickname=nickname)
    view.put_device(replace(heir, drops=(), flaky_since=None))
    old = replace(spent, device=event.replaced, state=was, absence=None, nickname=None, custom_metadata={})
    view.put_device(replace(old, untold_since=None))


def _fold_twin(view: FoldView, device_id: str, twin: str) -> None:
    record = view.device(device_id)
    if record is not None and twin not in record.twins:
        view.put_device(replace(record, twins=(*record.twins, twin)))


def _changed(record: DeviceRecord, event: Event, at: datetime) -> DeviceRecord:
    state = record.state
    match event:
        case DeviceDescribed(device=device):
            return replace(record, device=device)
        case DeviceRemoved(reason=reason):
            gone = replace(state, online=False, offline_reason=reason, changed_at=at)
            return replace(record, removed_at=at, state=gone, absence=None, untold_since=None)
        case DeviceEdited():
            return _edited(record, event)
        case DeviceConnected():
            state = replace(state, online=True, offline_reason=None, changed_at=at)
        case DeviceDisconnected():
            return _dropped(record, event, at)
        case LockChanged(locked=locked):
            state = replace(state, locked=locked, jammed=False)
        case LockUncertain(jammed=jammed):
            state = replace(state, locked=None, jammed=jammed)
        case DoorChanged(open=is_open):
            state = replace(state, door_open=is_open)
        case BatteryChanged():
            pass  # the reading itself is telemetry
        case _:
            return record
    return replace(record, state=state)


def _dropped(record: DeviceRecord, event: DeviceDisconnected, at: datetime) -> DeviceRecord:
    since = event.since or at
    state = replace(record.state, online=False, offline_reason=event.reason, changed_at=since)
    drops = (*record.drops, since)[-DROPS:]
    return replace(record, state=state, untold_since=None, drops=drops, flaky_since=event.flaky_since)


def _edited(record: DeviceRecord, event: DeviceEdited) -> DeviceRecord:
    if event.nickname is not UNSET:
        record = replace(record, nickname=event.nickname)
    if event.is_managed is not UNSET:
        record = replace(record, is_managed=event.is_managed)
    if event.custom_metadata is not UNSET:
        record = replace(record, custom_metadata=event.custom_metadata)
    return record


def _fold_command(
    view: FoldView, event: CommandAccepted | CommandStarted | CommandSettled | CommandResolved, at: datetime
) -> None:
    if isinstance(event, CommandAccepted):
        view.put_command(CommandRecord(event.request_id, event.command, event.by, at, event.deadline))
        return
    record = view.command(event.request_id)
    if record is None:
        return
    match event:
        case CommandStarted():
            record = replace(record, started_at=at)
        case CommandSettled(outcome=outcome):
            record = replace(record, settled_at=at, outcome=outcome)
        case CommandResolved(reached=reached, message=message):
            record = replace(record, resolution=Resolution(at, reached, message))
    view.put_command(record)


def _fold_instance(view: FoldView, event: HopLost | HopBack | AccountEdited, instance: str, at: datetime) -> None:
    record = view.instance(instance) or InstanceRecord(instance, at)
    match event:
        case HopLost(hop=hop, code=code, reason=reason, since=since):
            lost = replace(record, since=since or at, is_connected=False, hop=hop, code=code, reason=reason)
            record = replace(lost, untold_loss=None)
        case HopBack():
            back = replace(record, since=at, is_connected=True, hop=None, code=None, reason=None)
            record = replace(back, untold_loss=None)
        case AccountEdited():
            if event.display_name is not UNSET:
                record = replace(record, display_name=event.display_name)
            if event.custom_metadata is not UNSET:
                record = replace(record, custom_metadata=event.custom_metadata)
    view.put_instance(record)


def _fold_action(
    view: FoldView, event: ActionStarted | ActionEnded, instance: str, device_id: str | None, at: datetime
) -> None:
    record = view.instance(instance) or InstanceRecord(instance, at)
    is_start = isinstance(event, ActionStarted)
    view.put_instance(
        replace(record, open_action=OpenAction(event.run_id, event.action, device_id) if is_start else None)
    )
