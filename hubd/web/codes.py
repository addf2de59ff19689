"""The access codes of a device, as parts: its slots, each code with how it stands, and what became of each."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hubd.core.codes import history
from hubd.core.codes.history import Told
from hubd.core.codes.plan import Hold, Plan
from hubd.core.codes.slots import Filling, filling, slots
from hubd.core.keys import Key
from hubd.model.capability import KeypadCapability
from hubd.store.codes import CodeRecord
from hubd.store.records import DeviceRecord
from hubd.web import moments, words
from hubd.web.code_sentences import code_sentence, code_tone
from hubd.web.desk import Desk, Line, Lines
from hubd.web.parts import Part
from hubd.web.sessions import Session
from hubd.web.survey import shown_name
from hubd.web.words import Stamp, Tone, plain

MAX_CODES: Final = 300
STORY: Final = 20
WHOLE_STORY: Final = 500
MAX_GONE: Final = 20
_TOLD_BY_ERROR = {"no_space", "duplicate"}


class CodeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One code as it stands. `may` False: the reader gives no orders, and sees no PIN."""

    code_id: str
    name: str
    note: str
    starts: Stamp | None
    ends: Stamp | None
    state: str
    tone: Tone
    why: str
    wait: str
    slot: str
    errors: tuple[str, ...]
    story: tuple[Line, ...] = ()
    has_pin: bool
    may: bool
    may_remove: bool


class GoneLine(msgspec.Struct, frozen=True):
    """A code that is no more."""

    code_id: str
    at: Stamp
    text: str


class CodeFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around the table of codes."""

    used: str
    shares: tuple[str, ...]
    looked: str
    doubts: tuple[str, ...]
    gone: tuple[GoneLine, ...]
    more: int


class CodeForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form that adds a code. `hint` says which PINs the lock takes."""

    device_id: str
    csrf: str
    may: bool
    hint: str
    pattern: str
    max_length: int
    zone: str


class CodeHead(msgspec.Struct, frozen=True):
    """One code on its own page; `line` None: it is gone. `pin` only where it was just asked for."""

    name: str
    device_id: str
    device: str
    line: CodeLine | None
    pin: str = ""


class Stories:
    """What became of the codes of one device, as it was last read."""

    def __init__(self) -> None:
        self.lines: dict[str, list[Told]] = {}
        self.gone: list[Told] = []

    async def read(self, desk: Desk, device_id: str) -> None:
        """Read it anew. Raises `StoreError`."""
        codes = desk.hub.codes.of(device_id)[:MAX_CODES]
        self.lines = await history.last(desk.hub.journal, [code.code_id for code in codes], STORY + 1)
        self.gone = await history.gone(desk.hub.journal, device_id, MAX_GONE)
        told = [*self.gone, *(line for lines in self.lines.values() for line in lines)]
        await desk.code_names.learn(line.event for line in told)


def code_parts(desk: Desk, session: Session, key: Key, record: DeviceRecord, stories: Stories) -> list[Part]:
    """Build the parts of a device's section of codes; none where it has no keypad."""
    keypad = record.device.description.capabilities.keypad
    if keypad is None or record.removed_at is not None:
        return []
    device_id = record.device.device_id
    codes = sorted(desk.hub.codes.of(device_id), key=_place)
    plan = desk.hub.codes.plan(device_id)
    acts = key.may("operator")
    lines = [_line(desk, code, plan, record, acts=acts) for code in codes[:MAX_CODES]]
    lines = [_with_story(desk, line, stories.lines.get(line.code_id, [])) for line in lines]
    children = tuple(Part(f"c-{line.code_id}", "code.html", line) for line in lines)
    frame = _frame(desk, keypad, device_id, codes, stories)
    form = _form(desk, session, keypad, device_id, may=acts and record.is_managed)
    return [Part("codes", "codes.html", frame, children), Part("code-form", "code-form.html", form)]


def _place(code: CodeRecord) -> tuple[bool, str, tuple[tuple[int, int, str], ...], str]:
    """Codes that the hub keeps come first, by their start; then those that were set at the lock, by their slot."""
    slot = code.placement.slot if code.placement is not None and not code.is_managed else 0
    start = "" if code.starts_at is None else code.starts_at.isoformat()
    return not code.is_managed, start, words.sort_key(words.name(code.name or str(slot))), code.code_id


def _frame(
    desk: Desk, keypad: KeypadCapability, device_id: str, codes: Sequence[CodeRecord], stories: Stories
) -> CodeFrame:
    book = desk.hub.codes.book(device_id)
    every = slots(keypad, codes, book)
    full = filling(every)
    gone = tuple(GoneLine(one.code_id, desk.stamp(one.at), _sentence(desk, one)) for one in stories.gone)
    looked = "" if book.swept_at is None else f"Last read: slot {book.swept_slot}, {desk.stamp(book.swept_at).text}."
    doubts = [
        f"Slot {slot.number} was read differently {desk.stamp(slot.doubted_at).text}; it is read once more."
        for slot in every
        if slot.doubted_at is not None
    ]
    hints = [f"The lock says that slot {slot.number} was changed; it is read soon." for slot in every if slot.is_hinted]
    return CodeFrame(
        used=f"{full.managed + full.unmanaged} of {words.count(full.total, 'slot', 'slots')} used",
        shares=_shares(full),
        looked=looked,
        doubts=(*doubts, *hints),
        gone=gone,
        more=max(0, len(codes) - MAX_CODES),
    )


def _shares(full: Filling) -> tuple[str, ...]:
    numbers = (
        (full.managed, "by the hub"),
        (full.unmanaged, "set at the lock"),
        (full.reserved, "reserved"),
        (full.unread, "not read yet"),
        (full.free, "free"),
    )
    return tuple(f"{number} {what}" for number, what in numbers if number)


def _line(desk: Desk, code: CodeRecord, plan: Plan | None, record: DeviceRecord, *, acts: bool) -> CodeLine:
    hub = desk.hub
    hold = None if plan is None else plan.holds.get(code.code_id)
    state, tone = _state(desk, code)
    errors = tuple(plain(error.message) for error in hub.codes.errors(code, hold))
    why = hub.codes.why(code, hold, lambda at: desk.stamp(at).text) or ""
    if errors and hold is not None and hold.code in _TOLD_BY_ERROR:
        why = ""
    placed = code.placement
    return CodeLine(
        code_id=code.code_id,
        name=_name(code),
        note=_note(code),
        starts=None if code.starts_at is None else desk.stamp(code.starts_at),
        ends=None if code.ends_at is None else desk.stamp(code.ends_at),
        state=state,
        tone="bad" if errors and tone != "ok" else tone,
        why=plain(why),
        wait=_wait(desk, code, hold, record),
        slot="" if placed is None else str(placed.slot),
        errors=errors,
        has_pin=code.pin is not None,
        may=acts,
        may_remove=acts and code.deleted_at is None and (code.is_managed or record.is_managed),
    )


def _name(code: CodeRecord) -> str:
    if code.name:
        return words.name(code.name)
    return "Without a name" if code.is_managed else "Set at the lock"


def _note(code: CodeRecord) -> str:
    notes = []
    if not code.is_managed and code.name:
        notes.append("set at the lock")
    if code.is_backup:
        notes.append("spare")
    if code.is_one_time:
        notes.append("works once")
    return ", ".join(notes)


def _state(desk: Desk, code: CodeRecord) -> tuple[str, Tone]:
    codes = desk.hub.codes
    placed = code.placement
    if not code.is_managed and code.deleted_at is None:
        return "Left alone", "quiet"
    match codes.status(code):
        case "set":
            is_read = placed is None or placed.is_verified
            return ("Set", "ok") if is_read else ("Set, not readable", "ok")
        case "setting":
            return "Being set", "note"
        case "removing":
            return "Being removed", "note"
        case "unset" if codes.is_scheduled(code):
            return "Ready on the lock", "ok"
        case "unset":
            return "Not begun", "quiet"
        case _:
            return "Not known", "warn"


def _wait(desk: Desk, code: CodeRecord, hold: Hold | None, record: DeviceRecord) -> str:
    """Say how long it takes the radio to get to a code that is due."""
    codes = desk.hub.codes
    if hold is not None or codes.status(code) not in {"setting", "removing"} or not desk.hub.is_reachable(record):
        return ""
    return f"Expected in about {moments.rough(codes.expected_wait(code))}."


def _with_story(desk: Desk, line: CodeLine, told: Sequence[Told]) -> CodeLine:
    return msgspec.structs.replace(line, story=tuple(_tell(desk, one) for one in told[:STORY]))


def _tell(desk: Desk, told: Told) -> Line:
    return Line(desk.stamp(told.at), _sentence(desk, told), code_tone(told.event), None)


def _sentence(desk: Desk, told: Told) -> str:
    return code_sentence(told.event, desk.scene(told.device_id))


def _form(desk: Desk, session: Session, keypad: KeypadCapability, device_id: str, *, may: bool) -> CodeForm:
    lengths = keypad.code_lengths
    return CodeForm(
        device_id=device_id,
        csrf=session.csrf,
        may=may,
        hint=f"{length_words(lengths)} digits. Leave it empty to have the hub choose one.",
        pattern="|".join(f"[0-9]{{{length}}}" for length in lengths),
        max_length=lengths[-1],
        zone=desk.hub.site.time_zone,
    )


def length_words(lengths: Sequence[int]) -> str:
    """Say how many digits a PIN may have."""
    if list(lengths) == list(range(lengths[0], lengths[-1] + 1)) and len(lengths) > 1:
        return f"{lengths[0]} to {lengths[-1]}"
    return " or ".join(str(length) for length in lengths)


# -- one code ----------------------------------------------------------------------------------------------------------


async def one_code_parts(desk: Desk, session: Session, key: Key, code_id: str, pin: str = "") -> list[Part] | None:
    """Build the parts of a code's page; None if there never was such a code. Raises `StoreError`."""
    told = await history.of_code(desk.hub.journal, code_id, WHOLE_STORY)
    await desk.code_names.learn(one.event for one in told)
    code = desk.hub.journal.tables.codes.get(code_id)
    device_id = code.device_id if code is not None else told[0].device_id if told else None
    if device_id is None:
        return None
    record = desk.hub.devices.get(device_id)
    line = None
    if code is not None and record is not None:
        line = _line(desk, code, desk.hub.codes.plan(device_id), record, acts=key.may("operator"))
    called = desk.code_names(code_id)
    name = line.name if line is not None else called[:1].upper() + called[1:]
    device = "" if record is None else shown_name(record)
    head = CodeHead(name, device_id, device, line, pin)
    return [
        await desk.notices(session),
        Part("code", "code-head.html", head),
        Part("story", "events.html", Lines(tuple(_tell(desk, one) for one in told))),
    ]
