"""What the doors of an access control system are in: a word of it becomes an event when something has changed."""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from hubd.model.access_event import EntranceChanged
from hubd.model.state import EntranceCondition, Mark
from hubd.store.records import DeviceRecord
from hubd.store.tables import View

CLOCKS_APART: Final = timedelta(hours=1)
"""How far the clocks of hub and system may differ; a time further ahead was said by a clock that was wrong."""


def mark(view: View, record: DeviceRecord, condition: EntranceCondition, at: datetime, *, is_on: bool) -> None:
    """Take in that a door is in a condition since a time, or no more. A word that is older than what is known is none.

    That a door is not in a condition is no news the first time. What is known since a time that is yet to come is older
    than any word.
    """
    known = record.state.conditions.get(condition)
    if known is not None and (known.is_on is is_on or at < known.since <= view.now + CLOCKS_APART):
        return
    conditions = {**record.state.conditions, condition: Mark(is_on, at)}
    view.put_device(replace(record, state=replace(record.state, conditions=conditions)))
    if known is None and not is_on:
        return
    view.emit(
        EntranceChanged(condition=condition, is_on=is_on),
        public=f"acs_entrance.{condition}_{'started' if is_on else 'ended'}" if record.is_managed else None,
        instance=record.device.instance,
        device_id=record.device.device_id,
        occurred_at=at,
    )
