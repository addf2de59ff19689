"""The page of one device, as parts."""

import msgspec

from hubd.core.keys import Key
from hubd.store.records import CommandRecord, Row
from hubd.web import care, doors, facts
from hubd.web.board import busy
from hubd.web.chart import Span
from hubd.web.climate import Trace, climate_parts
from hubd.web.codes import Stories, code_parts
from hubd.web.desk import Desk, Lines, Orders
from hubd.web.parts import Part
from hubd.web.recent import telling
from hubd.web.rows import DeviceRow, DoorNotice, device_row
from hubd.web.sessions import Session
from hubd.web.survey import judge, link_name
from hubd.web.words import Stamp, Tone

MAX_EVENTS = 50
MAX_ORDERS = 20
LOOK_BACK = 20_000
"""How many of the journal's last rows are searched for what has no index: events the API does not serve."""
_LOOK_BACK_ORDERS = 5_000
_PAGE = 500
_PUBLIC = "device_id = ? AND public IS NOT NULL AND type != 'thermostat.temperature_changed'"
_HIDDEN = "seq > ? AND device_id = ? AND public IS NULL AND type NOT IN ('command.accepted', 'command.started')"
_ORDERS = (
    "SELECT body FROM (SELECT device_id, accepted_at, body FROM commands ORDER BY accepted_at DESC LIMIT ?)"
    " WHERE device_id = ? ORDER BY accepted_at DESC LIMIT ?"
)

_decode = msgspec.json.Decoder(CommandRecord).decode


class Head(msgspec.Struct, frozen=True):
    """The device in one glance."""

    row: DeviceRow
    trouble: str
    tone: Tone
    cautions: tuple[str, ...]
    is_managed: bool
    cannot: str = ""
    """What cannot be done with a door, and why."""
    since: Stamp | None = None
    """Since when a door is in what is the trouble."""
    notices: tuple[DoorNotice, ...] = ()
    """What it is in besides."""


class History:
    """Events, orders and stories of codes of one device; read again only after the journal told something of it."""

    def __init__(self, desk: Desk, device_id: str, span: Span = "day") -> None:
        self._desk = desk
        self._device_id = device_id
        self._seq = -1
        self.rows: list[Row] = []
        self.orders: list[CommandRecord] = []
        self.stories = Stories()
        self.trace = Trace(device_id, span)

    async def refresh(self) -> None:
        """Read what is new. Raises `StoreError`."""
        if self._desk.hub.devices[self._device_id].device.description.capabilities.thermostat is not None:
            await self.trace.read(self._desk)
        journal = self._desk.hub.journal
        head = journal.head
        if head == self._seq or not await self._is_touched(head):
            self._seq = head
            return
        public = await journal.select(_PUBLIC, (self._device_id,), "seq DESC", limit=MAX_EVENTS)
        since = (head - LOOK_BACK, self._device_id)
        hidden = await journal.select(_HIDDEN, since, "seq DESC", limit=MAX_EVENTS)
        rows = sorted((*public, *hidden), key=lambda row: row.seq, reverse=True)
        found = await journal.database.read(_ORDERS, (_LOOK_BACK_ORDERS, self._device_id, MAX_ORDERS))
        self.rows = telling(rows)[:MAX_EVENTS]
        self.orders = [_decode(body) for (body,) in found]
        await self.stories.read(self._desk, self._device_id)
        await self._desk.code_names.learn(row.event for row in self.rows)
        self._seq = head

    async def _is_touched(self, head: int) -> bool:
        if self._seq < 0 or head - self._seq > _PAGE:
            return True
        new = await self._desk.hub.journal.rows(self._seq, _PAGE)
        return any(row.device_id == self._device_id for row in new)


async def device_parts(desk: Desk, session: Session, key: Key, device_id: str, history: History) -> list[Part]:
    """Build the parts of a known device's page. Raises `StoreError`."""
    await history.refresh()
    hub = desk.hub
    known = judge(hub, hub.devices[device_id])
    record = known.record
    row = device_row(known, busy(desk).get(device_id), desk.now, desk.zone, acts=key.may("operator"))
    words = "" if known.trouble is None else known.trouble.text
    tone: Tone = "quiet" if known.trouble is None else known.trouble.tone
    removed_at = None if record.removed_at is None else desk.stamp(record.removed_at)
    link = link_name(hub, record.device.instance)
    state = record.state
    since = {what: desk.stamp(row.occurred_at) for what, row in facts.last_moves(history.rows).items()}
    climate = climate_parts(desk, session, key, record, history.trace)
    capabilities = record.device.description.capabilities
    told = doors.label_of(words)
    head = Head(
        row,
        words[:1].upper() + words[1:],
        tone,
        known.cautions,
        record.is_managed,
        doors.cannot(capabilities),
        next((one.since for one in row.notices if one.text == told), None),
        tuple(one for one in row.notices if one.text != told),
    )
    return [
        await desk.notices(session),
        Part("head", "head.html", head),
        Part(
            "readings",
            "facts.html",
            facts.readings(
                known,
                None if state.changed_at is None else desk.stamp(state.changed_at),
                None if state.battery is None else desk.stamp(state.battery.measured_at),
                since,
                None if state.link is None else desk.stamp(state.link.measured_at),
                has_settings=not climate,
                conditions=facts.conditions(state, desk.stamp),
            ),
        ),
        *climate,
        *code_parts(desk, session, key, record, history.stories),
        Part("orders", "orders.html", Orders(tuple(desk.order_line(order) for order in history.orders))),
        Part("identity", "facts.html", facts.identity(record, link, desk.stamp(record.found_at), removed_at)),
        Part("abilities", "facts.html", facts.abilities(capabilities)),
        Part("care", "actions.html", care.forms(desk, session, key, record.device.instance, record)),
        Part("notes", "facts.html", facts.notes(record)),
        Part("events", "events.html", Lines(tuple(desk.line(row) for row in history.rows))),
    ]
