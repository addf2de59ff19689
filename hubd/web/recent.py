"""The last rows of the journal that tell a person something, read once for all pages."""

import asyncio
from collections import deque
from collections.abc import Iterable

from hubd.model.access_event import EntranceAudited
from hubd.model.event import (
    BatteryChanged,
    BatteryLow,
    CodeEdited,
    CommandSettled,
    DeviceConnected,
    DeviceFound,
    LockChanged,
    OverrideBegan,
    ThermostatAdjusted,
)
from hubd.model.outcome import Outcome, OutcomeKind
from hubd.store.journal import Journal
from hubd.store.records import Row

SHOWN = 30
_KEPT = 2 * SHOWN
_PAGE = 500
_SILENT = ("command.accepted", "command.started", "thermostat.temperature_changed")
"""The last one is told by a thermostat's chart."""
_WHERE = "type NOT IN (?, ?, ?)"


class Recent:
    """Follows the journal as far as pages ask for it. Without readers it costs nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows: deque[Row] = deque(maxlen=_KEPT)
        self._seq = -1
        self._turn = asyncio.Lock()

    async def rows(self) -> list[Row]:
        """Return the last `SHOWN` rows, newest first. Raises `StoreError`."""
        async with self._turn:
            behind = self._journal.head - self._seq
            if self._seq < 0 or behind > _PAGE:
                head = self._journal.head
                found = await self._journal.select(_WHERE, _SILENT, "seq DESC", limit=_KEPT)
                self._rows = deque((row for row in reversed(found) if row.seq <= head), maxlen=_KEPT)
                self._seq = head
            elif behind:
                for row in await self._journal.rows(self._seq, _PAGE):
                    self._seq = row.seq
                    if row.type not in _SILENT:
                        self._rows.append(row)
            return telling(reversed(self._rows))[:SHOWN]


def telling(rows: Iterable[Row]) -> list[Row]:
    """Drop what another row among these tells better; keeps the order.

    An order that was done is told by the bolt's move or by an audit trail, a battery's new class by its alarm, and that
    a device answers by its being found. That somebody set a thermostat is told by what becomes of its plan with that. A
    change of a code is told whole by the first of its rows.
    """
    kept = list(rows)
    edits = {_edit(row): row.seq for row in sorted(kept, key=lambda row: row.seq, reverse=True)}
    told: set[tuple[object, ...]] = set()
    for row in kept:
        match row.event:
            case LockChanged(request_id=str(request_id)) | EntranceAudited(request_id=str(request_id)):
                told.add((CommandSettled, request_id))
            case BatteryLow():
                told.add((BatteryChanged, row.device_id, row.created_at))
            case OverrideBegan():
                told.add((ThermostatAdjusted, row.device_id, row.created_at))
            case DeviceFound():
                told.add((DeviceConnected, row.device_id, row.created_at))
            case _:
                pass
    kept = [row for row in kept if _edit(row) is None or edits[_edit(row)] == row.seq]
    return [row for row in kept if _matter(row) not in told]


def _edit(row: Row) -> tuple[object, ...] | None:
    return (row.event.code_id, row.created_at) if isinstance(row.event, CodeEdited) else None


def _matter(row: Row) -> tuple[object, ...]:
    match row.event:
        case CommandSettled(request_id=request_id, outcome=Outcome(kind=OutcomeKind.DONE)):
            return (CommandSettled, request_id)
        case BatteryChanged() | DeviceConnected() | ThermostatAdjusted():
            return (type(row.event), row.device_id, row.created_at)
        case _:
            return ()
