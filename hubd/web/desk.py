"""What every page needs to speak of the hub: names, the site's time, events and orders as lines of text."""

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import msgspec

from hubd.core.hub import Hub
from hubd.core.keys import Keys
from hubd.model.command import Order
from hubd.model.outcome import OutcomeKind
from hubd.store.access import UserRecord
from hubd.store.records import CommandRecord, Row
from hubd.web import moments, sentences, words
from hubd.web.code_names import CodeNames
from hubd.web.parts import Part
from hubd.web.recent import Recent
from hubd.web.scene import Scene
from hubd.web.sessions import Notice, Session
from hubd.web.survey import link_name, shown_name
from hubd.web.words import Stamp, Tone, plain

_PARTS = {"config": "the configuration", "first start": "the hub at its first start"}
_OUTCOME_TONES: dict[OutcomeKind, Tone] = {OutcomeKind.DONE: "ok", OutcomeKind.SENT_UNCONFIRMED: "warn"}


class Line(msgspec.Struct, frozen=True):
    """One event."""

    at: Stamp
    text: str
    tone: Tone
    device_id: str | None


class Lines(msgspec.Struct, frozen=True):
    """Events, newest first."""

    lines: tuple[Line, ...]


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A command with its stages. `end` is empty while it is under way."""

    request_id: str
    device_id: str
    device: str
    what: str
    by: str
    accepted_at: Stamp
    sent_at: Stamp | None
    sent_after: str
    """Counted from acceptance, like `ended_after`; empty for a stage that was not reached."""
    ended_after: str
    deadline: Stamp
    end: str
    tone: Tone
    why: str
    resolution: str


class Orders(msgspec.Struct, frozen=True):
    """Commands; `more` of them are not shown."""

    orders: tuple[OrderLine, ...]
    more: int = 0


class NoticeLine(msgspec.Struct, frozen=True):
    """What became of a button."""

    tone: Tone
    title: str
    text: str


class Notices(msgspec.Struct, frozen=True):
    """Newest first."""

    notices: tuple[NoticeLine, ...]


class Desk:
    """Speaks for one hub."""

    def __init__(self, hub: Hub, keys: Keys, zone: ZoneInfo) -> None:
        self.hub = hub
        self.keys = keys
        self.zone = zone
        self.recent = Recent(hub.journal)
        self.code_names = CodeNames(hub.journal)

    @property
    def now(self) -> datetime:
        """The hub's time."""
        return self.hub.clock.now()

    def stamp(self, moment: datetime) -> Stamp:
        """Write a moment."""
        return words.stamp(moment, self.now, self.zone)

    def device_name(self, device_id: str | None) -> str:
        """Return the name of a device within a sentence, however long ago it was removed."""
        record = None if device_id is None else self.hub.devices.get(device_id)
        return "a device that is not known any more" if record is None else words.within(shown_name(record))

    def who(self, by: str) -> str:
        """Name whoever is behind `by`: a key by its name, else a part of the hub."""
        for key in self.keys.list():
            if key.key_id == by:
                return f"“{words.within(words.name(key.name))}”"
        return _PARTS.get(by) or plain(by, 40) or "somebody"

    def user_name(self, user_id: str) -> str:
        """Name a user of an access control system within a sentence; empty for one that is not known any more."""
        record = self.hub.journal.tables.access.all(UserRecord).get(user_id)
        return "" if record is None else f"“{words.within(words.name(record.user.full_name))}”"

    def line(self, row: Row) -> Line:
        """Tell one row of the journal."""
        at = self.stamp(row.occurred_at)
        if row.event is None:
            return Line(at, "The content of this event was erased.", "quiet", row.device_id)
        link = "" if row.instance is None else words.within(link_name(self.hub, row.instance))
        scene = self.scene(row.device_id, link)
        device_id = row.device_id if row.device_id in self.hub.devices else None
        return Line(at, sentences.sentence(row.event, scene), sentences.tone(row.event), device_id)

    def scene(self, device_id: str | None, link: str = "") -> Scene:
        """Return what the sentence of an event may refer to."""
        order, moment = partial(_order, self.hub), partial(moments.show, zone=self.zone)
        return Scene(self.device_name(device_id), link, self.who, order, self.code_names, moment, self.user_name)

    def order_line(self, record: CommandRecord) -> OrderLine:
        """Tell one command."""
        outcome, resolution = record.outcome, record.resolution
        return OrderLine(
            request_id=record.request_id,
            device_id=record.command.device_id,
            device=self.device_name(record.command.device_id),
            what=what(record.command),
            by=self.who(record.by),
            accepted_at=self.stamp(record.accepted_at),
            sent_at=None if record.started_at is None else self.stamp(record.started_at),
            sent_after=_after(record.accepted_at, record.started_at),
            ended_after=_after(record.accepted_at, record.settled_at),
            deadline=self.stamp(record.deadline),
            end="" if outcome is None else sentences.outcome_words(outcome),
            tone="quiet" if outcome is None else _OUTCOME_TONES.get(outcome.kind, "bad"),
            why="" if outcome is None else plain(outcome.message),
            resolution="" if resolution is None else plain(resolution.message),
        )

    async def notices(self, session: Session) -> Part:
        """Tell what became of a session's last buttons, as it stands now."""
        found = session.notices(self.hub.clock.monotonic())
        return Part("notices", "notices.html", Notices(tuple([await self._notice(notice) for notice in found])))

    async def _notice(self, notice: Notice) -> NoticeLine:
        if notice.report:
            return NoticeLine("ok", plain(notice.title), plain(notice.report))
        name = self.device_name(notice.device_id)
        record = None if notice.request_id is None else await self.hub.journal.command(notice.request_id)
        if record is None:
            return NoticeLine("bad", notice.title or f"Order to {name}: not taken", plain(notice.refusal))
        order = self.order_line(record)
        if not order.end:
            return NoticeLine("quiet", f"{order.what} {name}: under way", "No confirmation has come yet.")
        text = f"{order.why} {order.resolution}".rstrip()
        tone: Tone = "ok" if record.resolution is not None and record.resolution.reached else order.tone
        return NoticeLine(tone, f"{order.what} {name}: {order.end}", text)


def what(command: Order) -> str:
    """Name a command as a heading."""
    words_ = sentences.order_words(command)
    return words_[:1].upper() + words_[1:]


def _after(began: datetime, ended: datetime | None) -> str:
    return "" if ended is None else words.seconds((ended - began).total_seconds())


def _order(hub: Hub, request_id: str) -> CommandRecord | None:
    return hub.journal.tables.command(request_id)
